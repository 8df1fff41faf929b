import { zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { createMaster, type HsuError } from '../src/index.ts';
import { freePort, it } from './drive.ts';
import { embed } from './embedded.ts';
import { isAlive } from './proc.ts';

const sleeper = { id: 'sleeper', command: zoo.sleeps().argv };

describe.concurrent('commands of an embedding application', () => {
  it('C1: of 100 starts at once one makes a process, and the others are told that it is there', async ({
    stage,
  }) => {
    await using app = embed(stage, [sleeper]);
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => app.master.startWorker('sleeper')));
    expect(outcomes.filter((one) => one.kind === 'done' && one.already)).toHaveLength(99);
    expect(outcomes.filter((one) => one.kind === 'done' && !one.already)).toHaveLength(1);
    expect(app.of('worker.started')).toHaveLength(1);
    expect(await app.master.startWorker('sleeper')).toEqual({ kind: 'done', already: true });
    expect(stage.leftOvers()).toHaveLength(1);
  });

  it('C3: a stop while the start is under way leaves nothing', async ({ stage }) => {
    await using app = embed(stage, [sleeper]);
    const start = app.master.startWorker('sleeper');
    expect(await app.master.stopWorker('sleeper')).toEqual({ kind: 'done', already: false });
    expect((await start).kind).toBe('superseded');
    expect(app.master.worker('sleeper')).toMatchObject({ phase: 'stopped', process: null });
    expect(stage.leftOvers()).toEqual([]);
  });

  it('C3: a stop during the back-off is at rest at once, and nothing is started later', async ({ stage }) => {
    await using app = embed(stage, [
      { id: 'crasher', command: 'false', restart: { delay: '50ms', jitter: 0 } },
    ]);
    await app.master.start();
    await app.event('worker.backing-off', 'crasher');
    expect(await app.master.stopWorker('crasher')).toEqual({ kind: 'done', already: false });
    expect(app.master.worker('crasher')).toMatchObject({ phase: 'stopped', desired: 'down' });
    const { length } = app.of('worker.starting');
    // Longer than the delay: a timer that was forgotten would have fired.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(app.of('worker.starting')).toHaveLength(length);
  });

  it('C3: a stop while a dependency is awaited is at rest at once, and its coming starts nothing', async ({
    stage,
  }) => {
    const port = await freePort();
    const server = {
      id: 'server',
      command: zoo.httpServer(process.execPath, port),
      ready: `tcp://127.0.0.1:${port}`,
    };
    await using app = embed(stage, [server, { ...sleeper, depends_on: ['server'] }]);
    await app.master.start();
    await app.event('worker.blocked', 'sleeper');
    expect(await app.master.stopWorker('sleeper')).toEqual({ kind: 'done', already: false });
    await app.event('worker.ready', 'server');
    expect(app.of('worker.starting', 'sleeper')).toEqual([]);
    expect(app.master.worker('sleeper').phase).toBe('stopped');
  });

  it('C4: a restart while a start waits makes one process, which is known', async ({ stage }) => {
    const port = await freePort();
    const server = {
      id: 'server',
      command: zoo.httpServer(process.execPath, port),
      ready: `tcp://127.0.0.1:${port}`,
    };
    await using app = embed(stage, [server, { ...sleeper, depends_on: ['server'] }]);
    await app.master.start();
    const outcomes = await Promise.all([
      app.master.restartWorker('sleeper'),
      app.master.restartWorker('sleeper'),
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done']);
    const known = app.master.worker('sleeper').process;
    expect(app.of('worker.started', 'sleeper').map((event) => event.payload.process)).toEqual([known]);
    expect(isAlive(known?.pid ?? 0)).toBe(true);
  });

  it('a restart ends the old process before the new one begins', async ({ stage }) => {
    await using app = embed(stage, [sleeper]);
    await app.master.startWorker('sleeper');
    const old = app.master.worker('sleeper').process;
    expect(await app.master.restartWorker('sleeper')).toEqual({ kind: 'done', already: false });
    expect(isAlive(old?.pid ?? 0)).toBe(false);
    const story = app.events.filter(({ workerId }) => workerId === 'sleeper').map(({ type }) => type);
    expect(story.indexOf('worker.exited')).toBeLessThan(story.lastIndexOf('worker.starting'));
  });

  it('an id that is not there is refused by name', async ({ stage }) => {
    await using app = embed(stage, [sleeper]);
    expect(() => app.master.worker('sleepre')).toThrow(expect.objectContaining({ code: 'E_UNKNOWN_WORKER' }));
  });

  it('D6: what the operator stopped stays stopped when the next master begins', async ({ stage }) => {
    const workers = [sleeper, { id: 'other', command: zoo.sleeps().argv }];
    {
      await using first = embed(stage, workers);
      await first.master.start();
      await first.event('worker.started', 'sleeper');
      await first.master.stopWorker('sleeper');
    }
    {
      await using second = embed(stage, workers);
      await second.master.start();
      await second.event('worker.started', 'other');
      expect(second.master.worker('sleeper')).toMatchObject({ phase: 'stopped', desired: 'down', run: 0 });
      await second.master.startWorker('sleeper');
      expect(second.of('worker.started', 'sleeper')).toHaveLength(1);
    }
    await using third = embed(stage, workers);
    await third.master.start();
    await third.event('worker.started', 'sleeper');
  });

  it('two masters of one process with one state directory: the second is refused', async ({ stage }) => {
    await using app = embed(stage, [sleeper]);
    await app.master.startWorker('sleeper');
    expect(() => embed(stage, [sleeper])).toThrow(expect.objectContaining({ code: 'E_OTHER_MASTER' }));
    expect(app.master.worker('sleeper').phase).toBe('running');
  });

  it('a master that was never started is shut down at once, and starts nothing afterwards', async ({
    stage,
  }) => {
    await using app = embed(stage, [sleeper]);
    app.master.force();
    expect(await app.master.shutdown()).toEqual({ survivors: [], strays: [], forced: false });
    await app.master.start();
    expect(await app.master.startWorker('sleeper')).toMatchObject({ failure: { code: 'E_SHUTTING_DOWN' } });
    expect(app.of('worker.starting')).toEqual([]);
    expect(stage.leftOvers()).toEqual([]);
  });

  it('a second start changes nothing', async ({ stage }) => {
    await using app = embed(stage, [sleeper, { id: 'other', command: zoo.sleeps().argv }]);
    await app.master.start();
    await app.event('worker.started', 'other');
    await app.master.stopWorker('other');
    await app.master.start();
    await app.event('worker.started', 'sleeper');
    expect(app.of('worker.started')).toHaveLength(2);
    expect(app.master.worker('other').phase).toBe('stopped');
  });

  it('a listener that throws harms nobody', async ({ stage }) => {
    await using app = embed(stage, [sleeper]);
    app.master.events.subscribe(() => {
      throw new Error('a defect of the application');
    });
    expect(await app.master.startWorker('sleeper')).toEqual({ kind: 'done', already: false });
    expect(await app.master.stopWorker('sleeper')).toEqual({ kind: 'done', already: false });
  });

  it('two masters with directories of their own run side by side', async ({ stage }) => {
    await using first = embed(stage, [sleeper], { stateDirectory: stage.path('first') });
    await using second = embed(stage, [sleeper], { stateDirectory: stage.path('second') });
    await Promise.all([first.master.startWorker('sleeper'), second.master.startWorker('sleeper')]);
    await first.master.shutdown();
    expect(second.master.worker('sleeper').phase).toBe('running');
    expect(stage.leftOvers()).toHaveLength(1);
  });

  it('options that make no sense are refused with their code', ({ stage }) => {
    const places = { stateDirectory: stage.path('state'), environment: stage.environment() };
    const code = (options: Parameters<typeof createMaster>[0]) => {
      try {
        createMaster({ ...places, ...options });
      } catch (error) {
        return (error as HsuError).code;
      }
      return null;
    };
    expect(code({})).toBe('E_USAGE');
    expect(code({ configFile: stage.path('nowhere.yaml') })).toBe('E_CONFIG_READ');
    expect(code({ config: 'workers: {' })).toBe('E_CONFIG');
    expect(code({ config: { workers: [{ id: 'a' }] } })).toBe('E_CONFIG');
    expect(code({ config: { workers: [] }, configFile: stage.config([]) })).toBe('E_USAGE');
    expect(code({ config: { workers: [] }, stateDirectory: stage.write('file', '') })).toBe('E_STATE');
  });

  it('a state directory is free again after the shutdown', async ({ stage }) => {
    const first = embed(stage, [sleeper]);
    await first.master.shutdown();
    await first.master.shutdown();
    await using second = embed(stage, [sleeper]);
    await second.master.startWorker('sleeper');
  });
});
