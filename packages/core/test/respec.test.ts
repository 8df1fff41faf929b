import { describe, expect, test } from 'vitest';
import { CHANGED } from '../src/worker/respec.ts';
import { exit, LEADER, limitsSpec, PROBE, Rig, RULE } from './rig.ts';

const OTHER = { kind: 'spec-changed', restart: true, probes: true } as const;
const PROBES = { kind: 'spec-changed', restart: false, probes: true } as const;

describe('a spec with which no process of the former goes on', () => {
  test('a running worker gives way to its next run, and its failures are forgiven', () => {
    const rig = new Rig().run().exited().pass(1000).tell({ kind: 'timer', timer: 'backoff' }).started();
    rig.tell(OTHER);
    expect(rig.payload('worker.stopping')).toEqual({ cause: 'restart', detail: CHANGED });
    expect(rig.worker.history.streak).toBe(0);
    rig.exited({ signal: 'SIGTERM' });
    expect([rig.name, rig.worker.run, rig.worker.desired]).toEqual(['starting', 3, 'up']);
  });

  test('what is being started is ended once it runs, and started anew', () => {
    const rig = new Rig().tell({ kind: 'start', ticket: 4 }).tell(OTHER).started();
    expect([rig.name, rig.settled]).toEqual(['stopping', []]);
    expect(rig.exited({ signal: 'SIGTERM' }).started().settled).toEqual(['settle 4 done']);
  });

  test('it is ended though it was stopped and started again meanwhile', () => {
    const rig = new Rig().tell({ kind: 'start' }).tell(OTHER).tell({ kind: 'stop' }).tell({ kind: 'start' });
    expect(rig.started().exited({ signal: 'SIGTERM' }).name).toBe('starting');
    expect(rig.worker.run).toBe(2);
  });

  test('a kill or stop that came before it holds', () => {
    const rig = new Rig().tell({ kind: 'start' }).tell({ kind: 'stop', ticket: 5 }).tell(OTHER).started();
    expect(rig.exited({ signal: 'SIGTERM' }).name).toBe('stopped');
    expect(new Rig().run().tell({ kind: 'stop' }).tell(OTHER).exited({ code: 0 }).name).toBe('stopped');
  });

  test('who is ended for a probe starts at once, without a backoff', () => {
    const rig = new Rig()
      .run()
      .tell({ kind: 'became-unhealthy', probe: 'liveness', reason: 'x' })
      .tell(OTHER);
    expect(rig.exited({ signal: 'SIGTERM' }).name).toBe('starting');
  });

  test.each([
    ['failed', new Rig({ restart: { mode: 'never' } }).run().exited()],
    ['stopped', new Rig().run().exited({ code: 0 })],
    ['backoff', new Rig().run().exited()],
  ])('%s by the former one, it is tried by this one', (name, rig) => {
    expect(rig.name).toBe(name);
    expect(rig.tell(OTHER).name).toBe('starting');
    expect(rig.worker.history.streak).toBe(0);
  });

  test('who was stopped stays so', () => {
    const stopped = new Rig().run().tell({ kind: 'stop' }).exited({ code: 0 });
    expect(stopped.tell(OTHER).effects).toEqual([]);
    const failed = new Rig({ restart: { mode: 'never' } }).run().exited().tell({ kind: 'stop' });
    expect(failed.tell(OTHER).name).toBe('stopped');
    expect(new Rig().tell(OTHER).effects).toEqual([]);
  });

  test('a start that fails by the former one is tried by this one', () => {
    const failure = { code: 'E_EXEC_NOT_FOUND', message: 'x' } as const;
    const rig = new Rig().tell({ kind: 'start', ticket: 4 }).tell(OTHER);
    rig.tell({ kind: 'spawn-failed', failure, transient: false });
    expect([rig.name, rig.worker.run, rig.settled]).toEqual(['starting', 2, []]);
    expect(rig.started().settled).toEqual(['settle 4 done']);
  });

  test('who waits for another waits on', () => {
    const waiting = [{ id: 'db', condition: 'ready', reason: 'starting' }] as const;
    const rig = new Rig()
      .tell({ kind: 'dependencies', waiting, lost: null })
      .tell({ kind: 'start' })
      .tell(OTHER);
    expect([rig.name, rig.effects]).toEqual(['blocked', []]);
  });
});

describe('what changes while the process runs on', () => {
  test('other probes begin anew, and what was said of it holds', () => {
    const rig = new Rig({ probes: { startup: null, liveness: null, readiness: PROBE } }).run();
    rig.tell({ kind: 'became-ready' }).tell(PROBES);
    expect([rig.name, rig.done, rig.said]).toEqual(['running', ['renew-hooks 1'], []]);
  });

  test('a worker that nobody asks any more is ready', () => {
    const asked = new Rig({ probes: { startup: null, liveness: null, readiness: PROBE } }).run();
    const rig = new Rig();
    rig.worker = asked.worker;
    rig.tell(PROBES);
    expect([rig.said, rig.phase]).toMatchObject([['worker.ready'], { ready: true, process: LEADER }]);
  });

  test('limits that are taken away are lifted', () => {
    const lifted = { ...limitsSpec({ 'memory.max_rss': 100 }), values: {} };
    const rig = new Rig().run().tell({ kind: 'limits-changed', lifted });
    expect(rig.effects).toEqual([{ kind: 'set-limits', run: 1, limits: lifted }]);
  });

  test('all else needs nothing', () => {
    for (const rig of [new Rig().run(), new Rig().run().exited(), new Rig()])
      expect(rig.tell({ kind: 'spec-changed', restart: false, probes: false }).effects).toEqual([]);
  });
});

test('a worker that the configuration has no more is stopped, and nobody is taken to have wished it', () => {
  const rig = new Rig({ restart: { exit: { ...RULE, delay: 0 } } }).run();
  rig.tell({ kind: 'stop', ticket: 7, cause: 'configuration' });
  expect(rig.done[0]).toBe('clear reset');
  expect(rig.payload('worker.stopping').cause).toBe('configuration');
  expect(rig.tell({ kind: 'exited', exit: exit({ code: 1 }), remaining: [] }).settled).toEqual([
    'settle 7 done',
  ]);
  expect([rig.name, rig.worker.desired]).toEqual(['stopped', 'down']);
});
