import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { creature, zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { counter, Premises } from './adoption.ts';
import { cgroupOf, hierarchyOf, readCgroup } from './cgroups.ts';
import { eventually, factor, it, PATIENCE, rhythm, type Stage } from './drive.ts';
import { type Embedded, embed } from './embedded.ts';
import { descriptorsOf, isAlive, stateOf } from './proc.ts';

type Pids = ReadonlyMap<string, number>;

/** Starts workers under a master that is then killed; the next one is in this process. */
async function succeeded(
  stage: Stage,
  workers: readonly object[],
  meanwhile: (pids: Pids) => unknown = () => {},
  next: readonly object[] = workers,
): Promise<{ readonly app: Embedded; readonly pids: Pids }> {
  const { flags, state } = new Premises(stage);
  const first = stage.run(workers, flags);
  const pids = new Map<string, number>();
  for (const { id } of workers as readonly { id: string }[]) pids.set(id, await first.started(id));
  await first.stop('SIGKILL');
  await meanwhile(pids);
  return { app: embed(stage, next, { stateDirectory: state }), pids };
}

describe.concurrent('what an earlier master began', () => {
  it('A16: holds nothing of that master', async ({ stage }) => {
    const { app, pids } = await succeeded(stage, [{ id: 'sleeper', command: zoo.sleeps().argv }]);
    await using _ = app;
    const open = [...descriptorsOf(pids.get('sleeper') ?? 0).keys()];
    expect(open.filter((fd) => fd > 2)).toEqual([]);
  });

  it('is probed again, and restarted where it is not healthy', async ({ stage }) => {
    stage.write('healthy', '');
    const liveness = { exec: ['test', '-e', stage.path('healthy')], ...rhythm(200), failure_threshold: 2 };
    const worker = {
      id: 'web',
      command: zoo.sleeps().argv,
      probes: { liveness },
      startup_grace_period: '0s',
      restart: { delay: '10ms' },
    };
    const { app, pids } = await succeeded(stage, [worker]);
    await using _ = app;
    await app.master.start();
    const { payload } = await app.event('worker.attached', 'web');
    expect(payload).toMatchObject({ process: { pid: pids.get('web') }, restarts: 0 });
    expect(app.master.worker('web')).toMatchObject({ phase: 'running', run: 1, restarts: 0 });
    rmSync(stage.path('healthy'));
    await app.event('worker.started', 'web');
    expect(app.master.worker('web')).toMatchObject({ run: 2, restarts: 1 });
    expect(isAlive(pids.get('web') ?? 0)).toBe(false);
  });

  it('has its exit told with the code, where the kernel tells it', async ({ stage }) => {
    const counts = counter(stage);
    const ids = ['code', 'signal', 'ok'];
    const workers = ids.map((id) => ({ id, command: counts(id, 0), restart: { policy: 'never' } }));
    const { app, pids } = await succeeded(stage, workers);
    await using _ = app;
    await app.master.start();
    process.kill(pids.get('code') ?? 0, 'SIGUSR1');
    process.kill(pids.get('signal') ?? 0, 'SIGUSR2');
    process.kill(pids.get('ok') ?? 0, 'SIGTERM');
    const exits = await Promise.all(ids.map(async (id) => (await app.event('worker.exited', id)).payload));
    const known = app.master
      .capabilities()
      .find(({ feature }) => feature === 'exit-status-of-adopted-workers');
    if (known?.status !== 'enforced') return;
    expect(exits.map(({ exit, success }) => [exit.code, exit.signal, success])).toEqual([
      [7, null, false],
      [null, 'SIGUSR2', false],
      [0, null, true],
    ]);
  });

  it('that ended while no master ran has an end that is not known, and goes on by its policy', async ({
    stage,
  }) => {
    const counts = counter(stage);
    const worker = { id: 'gone', command: counts('gone', 0), restart: { delay: '10ms' } };
    const { app } = await succeeded(stage, [worker], async (pids) => {
      const pid = pids.get('gone') ?? 0;
      process.kill(pid, 'SIGTERM');
      // Until its new parent has reaped it anybody can see how it ended.
      await eventually(() => stateOf(pid) === null);
    });
    await using _ = app;
    await app.master.start();
    const { payload } = await app.event('worker.exited', 'gone');
    expect(payload).toMatchObject({ exit: { code: null, signal: null }, success: false });
    await app.event('worker.started', 'gone');
    expect(app.master.worker('gone')).toMatchObject({ run: 2, restarts: 1 });
    const dropped = await app.event('log.dropped', 'gone');
    expect(dropped).toMatchObject({
      run: 1,
      payload: { bytes: 0, reason: expect.stringMatching(/^no-reader/) },
    });
  });

  it('and was stopped by a signal goes on', async ({ stage }) => {
    const { app, pids } = await succeeded(stage, [{ id: 'halted', command: zoo.sleeps().argv }], (found) =>
      process.kill(found.get('halted') ?? 0, 'SIGSTOP'),
    );
    await using _ = app;
    await eventually(() => stateOf(pids.get('halted') ?? 0) === 'T');
    await app.master.start();
    await eventually(() => stateOf(pids.get('halted') ?? 0) === 'S');
  });

  it('A5: and became the main process later is known as that', async ({ stage }) => {
    const pidFile = stage.path('daemon.pid');
    const daemon = {
      id: 'daemon',
      command: zoo.pidFileDaemon(pidFile, 100).argv,
      main_process: { pid_file: pidFile },
    };
    const { flags, state } = new Premises(stage);
    const first = stage.run([daemon], flags);
    await first.line(/^daemon: went into the background/);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    await first.stop('SIGKILL');
    await using app = embed(stage, [daemon], { stateDirectory: state });
    await app.master.start();
    expect((await app.event('worker.attached', 'daemon')).payload.process.pid).toBe(pid);
    expect((await app.master.stopWorker('daemon')).kind).toBe('done');
    expect(isAlive(pid)).toBe(false);
  });

  it('with another command is replaced in order', async ({ stage }) => {
    const counts = counter(stage);
    const { app, pids } = await succeeded(
      stage,
      [{ id: 'changed', command: counts('changed', 0) }],
      () => {},
      [{ id: 'changed', command: counts('changed', 10) }],
    );
    await using _ = app;
    await app.master.start();
    const { payload } = await app.event('worker.stopping', 'changed');
    expect(payload.detail).toBe('its configuration changed');
    await app.event('worker.started', 'changed');
    expect(isAlive(pids.get('changed') ?? 0)).toBe(false);
    expect(new Premises(stage).log('changed')).toContain('end 0');
  });

  it('and waits for its next try waits for the rest of it; failures are counted on', async ({ stage }) => {
    // Longer than it takes to start a master on a busy machine.
    const delay = 3 * factor;
    const restart = { delay: `${delay}s`, max_retries: 2, jitter: 0, cool_down: '1h' };
    const worker = { id: 'crasher', command: ['sh', '-c', 'date +%s.%N >> times; exit 3'], restart };
    const { flags, state } = new Premises(stage);
    const first = stage.run([worker], flags);
    await first.line(/^crasher: next try in/);
    await first.stop('SIGKILL');
    await using app = embed(stage, [worker], { stateDirectory: state });
    await app.master.start();
    expect(app.master.worker('crasher')).toMatchObject({ phase: 'backoff', run: 1 });
    await app.event('worker.started', 'crasher');
    await eventually(() =>
      app.of('worker.backing-off', 'crasher').some(({ payload }) => payload.failures === 2),
    );
    const [one = 0, two = 0] = readFileSync(stage.path('times'), 'utf8').trim().split('\n').map(Number);
    expect(two - one).toBeGreaterThanOrEqual(delay);
    expect(app.master.worker('crasher')).toMatchObject({ run: 2, restarts: 1 });
  });
});

const memory = hierarchyOf('memory');
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot || memory === null).concurrent('limits of what an earlier master began', () => {
  const controller = memory?.version === 1 ? 'memory' : '';
  const file = memory?.version === 1 ? 'memory.limit_in_bytes' : 'memory.max';
  const limits = { memory: { max_rss: '48MiB' } };
  const command = (stage: Stage) => [
    'sh',
    '-c',
    `echo up; while [ ! -e ${stage.path('go')} ]; do sleep 0.05; done; exec "$@"`,
    'sh',
    ...creature('hog', '256', 'sleep'),
  ];

  it('hold on, are measured, and an excess is answered', async ({ stage }) => {
    const worker = { id: 'hog', command: command(stage), limits, restart: { policy: 'never' } };
    const { app, pids } = await succeeded(stage, [worker]);
    await using _ = app;
    await app.master.start();
    await app.event('worker.attached', 'hog');
    const pid = pids.get('hog') ?? 0;
    expect(readCgroup(cgroupOf(pid, controller), file)).toBe(String(48 * 2 ** 20));
    expect(app.master.limits('hog')).toMatchObject([{ limit: 'memory.max_rss', status: 'enforced' }]);
    expect(app.master.usage('hog')?.usage.processes).toBeGreaterThan(0);
    writeFileSync(stage.path('go'), '');
    expect((await app.event('worker.exited', 'hog')).payload.exit).toMatchObject({
      signal: 'SIGKILL',
      oomKilled: 'limit',
    });
  });

  it('that were changed meanwhile are those of the new configuration, without a restart', async ({
    stage,
  }) => {
    const worker = { id: 'hog', command: command(stage) };
    const { app, pids } = await succeeded(stage, [{ ...worker, limits }], () => {}, [
      { ...worker, limits: { memory: { max_rss: '64MiB' } } },
    ]);
    await using _ = app;
    await app.master.start();
    await app.event('worker.attached', 'hog');
    const pid = pids.get('hog') ?? 0;
    await eventually(() => readCgroup(cgroupOf(pid, controller), file) === String(64 * 2 ** 20));
    expect(isAlive(pid)).toBe(true);
  });

  it('that are gone meanwhile are lifted, without a restart', async ({ stage }) => {
    const worker = { id: 'hog', command: command(stage) };
    const { app, pids } = await succeeded(stage, [{ ...worker, limits }], () => {}, [worker]);
    await using _ = app;
    await app.master.start();
    await app.event('worker.attached', 'hog');
    const pid = pids.get('hog') ?? 0;
    await eventually(() => readCgroup(cgroupOf(pid, controller), file) !== String(48 * 2 ** 20));
    expect(isAlive(pid)).toBe(true);
  });

  it(
    'leave no group behind',
    async ({ stage }) => {
      const premises = new Premises(stage);
      const worker = { id: 'hog', command: command(stage), limits, namespace: 'space' };
      const { app } = await succeeded(stage, [worker]);
      await app.master.start();
      await app.event('worker.attached', 'hog');
      await app.master.shutdown();
      premises.expectClean();
    },
    PATIENCE,
  );
});

/** Gives new processes this number next. */
function nextPid(pid: number): void {
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
}

describe.skipIf(!isRoot)('A1: a stranger with the pid of a worker', () => {
  it('is left alone', async ({ stage, skip }) => {
    let stranger = 0;
    const { app } = await succeeded(stage, [{ id: 'sleeper', command: zoo.sleeps().argv }], async (pids) => {
      const pid = pids.get('sleeper') ?? 0;
      process.kill(pid, 'SIGKILL');
      await eventually(() => stateOf(pid) === null);
      for (let attempt = 0; attempt < 200 && stranger !== pid; attempt += 1) {
        nextPid(pid);
        const launched = stage.launch(['sleep', '1000']);
        stranger = launched.pid;
        if (stranger !== pid) launched.kill();
      }
      if (stranger !== pid) skip('others make too many processes here for one of that pid');
    });
    await using _ = app;
    await app.master.start();
    await app.event('worker.started', 'sleeper');
    expect(isAlive(stranger)).toBe(true);
    await app.master.shutdown();
    expect(isAlive(stranger)).toBe(true);
  });
});
