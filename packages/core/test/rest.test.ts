import { describe, expect, test } from 'vitest';
import { noFailures } from '../src/restart/breaker.ts';
import { exit, LEADER, Rig } from './rig.ts';

const WAITING = [{ id: 'db', condition: 'ready', reason: 'starting' }] as const;

/** A worker whose last run failed for good. */
function failed(): Rig {
  return new Rig({ restart: { mode: 'never' } }).run().exited({ code: 1 });
}

/** A worker that ended with success. */
function completed(): Rig {
  return new Rig().run().exited({ code: 0 });
}

function blocked(): Rig {
  return new Rig()
    .tell({ kind: 'dependencies', waiting: WAITING, lost: null })
    .tell({ kind: 'start', ticket: 1 });
}

function backingOff(): Rig {
  return new Rig().run().exited({ code: 1 });
}

describe('a worker that was never started', () => {
  test('rests, is not wanted, and has no run', () => {
    const { worker } = new Rig();
    expect(worker).toEqual({
      id: 'web',
      desired: 'down',
      run: 0,
      restarts: 0,
      history: noFailures,
      waiting: [],
      tickets: [],
      lastEnd: null,
      limitFactors: {},
      limitReports: [],
      unenforceable: [],
      phase: { name: 'stopped', completed: false },
    });
  });

  test('starts on command', () => {
    const rig = new Rig().tell({ kind: 'start', ticket: 7 });
    expect(rig.worker).toMatchObject({ desired: 'up', run: 1, phase: { name: 'starting', end: null } });
    expect(rig.events).toEqual([{ type: 'worker.starting', payload: { restarts: 0 } }]);
    expect(rig.done).toEqual(['record up', 'clear backoff', 'spawn 1']);
    expect(rig.worker.tickets).toEqual([{ id: 7, until: 'running' }]);
  });

  test('D6: a stop is written down although nothing ran, so that the start of all does not overrule it', () => {
    const rig = new Rig().tell({ kind: 'stop', ticket: 1 });
    expect(rig.done).toEqual(['record down', 'settle 1 done already']);
    expect(rig.name).toBe('stopped');
    expect(rig.events).toEqual([]);
  });

  test('the wish of a shutdown is nobody’s wish and is not written down', () => {
    expect(new Rig().tell({ kind: 'stop', cause: 'shutdown' }).done).toEqual([]);
    expect(new Rig().tell({ kind: 'kill', cause: 'shutdown' }).done).toEqual([]);
    expect(new Rig().tell({ kind: 'kill' }).done).toEqual(['record down']);
  });

  test('remembers its dependencies, and a restart waits for them', () => {
    const rig = new Rig().tell({ kind: 'dependencies', waiting: WAITING, lost: null });
    expect([rig.name, rig.events]).toEqual(['stopped', []]);
    rig.tell({ kind: 'restart', ticket: 1 });
    expect(rig.name).toBe('blocked');
    expect(rig.events).toEqual([{ type: 'worker.blocked', payload: { waiting: WAITING } }]);
    expect(rig.worker.run).toBe(0);
  });

  test('the loss of a dependency does not start it', () => {
    expect(new Rig().tell({ kind: 'dependencies', waiting: [], lost: 'db' }).name).toBe('stopped');
  });

  test('a reset forgives and starts nothing', () => {
    const rig = new Rig().tell({ kind: 'reset', ticket: 4 });
    expect([rig.name, rig.done]).toEqual(['stopped', ['settle 4 done already']]);
  });

  test('an answer that nobody waits for is not given', () => {
    expect(new Rig().tell({ kind: 'reset' }).done).toEqual([]);
  });
});

describe('completed', () => {
  test('is stopped while wanted up, after success', () => {
    const rig = completed();
    expect(rig.worker).toMatchObject({ desired: 'up', phase: { name: 'stopped', completed: true } });
    expect(rig.payload('worker.stopped')).toEqual({ completed: true });
    expect(rig.hasForgiven).toBe(true);
  });

  test('a stop takes its completion back', () => {
    const rig = completed().tell({ kind: 'stop', ticket: 1 });
    expect(rig.worker).toMatchObject({ desired: 'down', phase: { name: 'stopped', completed: false } });
    expect(rig.said).toEqual(['worker.stopped']);
    expect(rig.payload('worker.stopped')).toEqual({ completed: false });
    expect(rig.done).toEqual(['record down', 'settle 1 done already']);
    expect(rig.tell({ kind: 'stop' }).events).toEqual([]);
  });

  test('the end of the master leaves it completed', () => {
    const rig = completed().tell({ kind: 'stop', cause: 'shutdown' });
    expect(rig.worker).toEqual(completed().worker);
    rig.expectNothing();
  });

  test('a start begins another run', () => {
    expect(completed().tell({ kind: 'start' }).worker).toMatchObject({ run: 2, restarts: 0 });
  });

  test('an exit that a survey has outrun is no defect, a spawn is one', () => {
    completed().exited().expectNothing();
    completed().tell({ kind: 'tree-empty' }).expectNothing();
    completed().tell({ kind: 'surveyed', members: [] }).expectNothing();
    completed().tell({ kind: 'timer', timer: 'grace' }).expectNothing();
    expect(completed().started().payload('supervisor.defect').message).toBe(
      'worker "web": "spawned" arrived in phase "stopped" of run 1',
    );
  });
});

describe('failed', () => {
  test('names why, and that nothing will follow', () => {
    const rig = failed();
    expect(rig.phase).toEqual({
      name: 'failed',
      failure: { code: 'E_EXITED', message: expect.stringContaining('worker "web": exit 1 after 0ms') },
    });
    expect(rig.payload('worker.failed').failure.message).toContain('restart_policy is never');
  });

  test.each(['start', 'restart', 'reset'] as const)('%s begins anew', (kind) => {
    const rig = failed().tell({ kind, ticket: 2 });
    expect(rig.worker).toMatchObject({ run: 2, phase: { name: 'starting' }, history: noFailures });
    expect(rig.worker.tickets).toEqual([{ id: 2, until: 'running' }]);
  });

  test.each(['stop', 'kill'] as const)('%s ends the failure', (kind) => {
    const rig = failed().tell({ kind, ticket: 2 });
    expect(rig.worker).toMatchObject({ desired: 'down', phase: { name: 'stopped', completed: false } });
    expect(rig.events).toEqual([{ type: 'worker.stopped', payload: { completed: false } }]);
    expect(rig.settled).toEqual(['settle 2 done already']);
  });

  test.each(['stop', 'kill'] as const)('a %s at the end of the master leaves the failure', (kind) => {
    const rig = failed().tell({ kind, cause: 'shutdown' });
    expect(rig.worker).toEqual(failed().worker);
    rig.expectNothing();
  });

  test('dependencies and late facts move it not', () => {
    const rig = failed().tell({ kind: 'dependencies', waiting: WAITING, lost: 'db' });
    expect([rig.name, rig.worker.waiting]).toEqual(['failed', WAITING]);
    failed().tell({ kind: 'became-ready' }).expectNothing();
    failed().tell({ kind: 'became-unready', reason: 'x' }).expectNothing();
    failed().tell({ kind: 'became-unhealthy', probe: 'liveness', reason: 'x' }).expectNothing();
    failed().tell({ kind: 'main-process-missing', reason: 'x' }).expectNothing();
    failed().tell({ kind: 'main-process-found', process: LEADER }).expectNothing();
    failed().tell({ kind: 'timer', timer: 'backoff' }).expectNothing();
  });
});

describe('C3: blocked', () => {
  test('waits, and starts when nothing is missing any more', () => {
    const rig = blocked();
    expect([rig.name, rig.worker.desired]).toEqual(['blocked', 'up']);
    rig.tell({ kind: 'dependencies', waiting: [{ ...WAITING[0], reason: 'not ready' }], lost: null });
    expect([rig.name, rig.worker.waiting[0]?.reason, rig.events]).toEqual(['blocked', 'not ready', []]);
    rig.tell({ kind: 'dependencies', waiting: [], lost: null });
    expect([rig.name, rig.worker.run, rig.said]).toEqual(['starting', 1, ['worker.starting']]);
    expect(rig.started().settled).toEqual(['settle 1 done']);
  });

  test.each(['stop', 'kill'] as const)('%s rests at once; nothing starts later', (kind) => {
    const rig = blocked().tell({ kind, ticket: 2 });
    expect(rig.name).toBe('stopped');
    expect(rig.payload('worker.stopped')).toEqual({ completed: false });
    expect(rig.done).toEqual(['record down', 'settle 1 superseded', 'clear backoff', 'settle 2 done']);
    rig.tell({ kind: 'dependencies', waiting: [], lost: null });
    expect([rig.name, rig.effects]).toEqual(['stopped', []]);
  });

  test('a shutdown’s stop is not written down', () => {
    expect(blocked().tell({ kind: 'stop', cause: 'shutdown' }).done).not.toContain('record down');
  });

  test('C4: start and restart join who waits', () => {
    const rig = blocked().tell({ kind: 'start', ticket: 2 }).tell({ kind: 'restart', ticket: 3 });
    expect([rig.name, rig.worker.run, rig.events]).toEqual(['blocked', 0, []]);
    rig.tell({ kind: 'dependencies', waiting: [], lost: null }).started();
    expect(rig.settled).toEqual(['settle 1 done', 'settle 2 done already', 'settle 3 done']);
  });

  test('a reset forgives and waits on', () => {
    const rig = blocked().tell({ kind: 'reset', ticket: 5 });
    expect([rig.name, rig.settled]).toEqual(['blocked', ['settle 5 done already']]);
    rig.tell({ kind: 'timer', timer: 'backoff' }).expectNothing();
  });
});

describe('backoff', () => {
  test('waits its delay and tries again', () => {
    const rig = backingOff();
    expect(rig.phase).toEqual({ name: 'backoff', until: 2000, reason: 'exit 1 after 0ms' });
    expect(rig.payload('worker.backing-off')).toEqual({
      delay: 1000,
      until: 1_002_000,
      failures: 1,
      breaker: 'closed',
      reason: 'exit 1 after 0ms',
    });
    expect(rig.done).toContain('set backoff 1000');
    rig.pass(1000).tell({ kind: 'timer', timer: 'backoff' });
    expect(rig.worker).toMatchObject({ run: 2, restarts: 1, phase: { name: 'starting' } });
    expect(rig.payload('worker.starting')).toEqual({ restarts: 1 });
  });

  test('other timers do not end it', () => {
    backingOff().tell({ kind: 'timer', timer: 'grace' }).expectNothing();
    backingOff().tell({ kind: 'timer', timer: 'reset' }).expectNothing();
  });

  test('waits for dependencies that were lost meanwhile', () => {
    const rig = backingOff().tell({ kind: 'dependencies', waiting: WAITING, lost: 'db' });
    expect([rig.name, rig.events]).toEqual(['backoff', []]);
    expect(rig.tell({ kind: 'timer', timer: 'backoff' }).name).toBe('blocked');
  });

  test.each(['start', 'restart', 'reset'] as const)('%s forgives and starts at once', (kind) => {
    const rig = backingOff().tell({ kind, ticket: 3 });
    expect(rig.worker).toMatchObject({
      run: 2,
      restarts: 0,
      history: noFailures,
      phase: { name: 'starting' },
    });
    expect(rig.done).toEqual(['record up', 'clear backoff', 'spawn 2']);
    expect(rig.started().settled).toEqual(['settle 3 done']);
  });

  test.each(['stop', 'kill'] as const)('C3: %s rests at once; no later spawn', (kind) => {
    const rig = backingOff().tell({ kind, ticket: 3 });
    expect(rig.done).toEqual(['record down', 'clear backoff', 'settle 3 done']);
    expect([rig.name, rig.said]).toEqual(['stopped', ['worker.stopped']]);
    rig.pass(1000).tell({ kind: 'timer', timer: 'backoff' }).expectNothing();
  });

  test('a delay of 0 starts again in the same turn', () => {
    const rig = new Rig({ restart: { exit: { ...new Rig().spec.restart.exit, delay: 0 } } })
      .run()
      .exited({ code: 1 });
    expect([rig.name, rig.worker.run]).toEqual(['starting', 2]);
    expect(rig.said).toEqual(['worker.exited', 'worker.backing-off', 'worker.starting']);
    expect(rig.done.some((effect) => effect.startsWith('set backoff'))).toBe(false);
  });
});

describe('the final stop', () => {
  test('nothing begins any more, wherever it would', () => {
    const start = new Rig();
    start.ending = true;
    expect(start.tell({ kind: 'start', ticket: 1 }).name).toBe('stopped');
    expect(start.settled).toEqual(['settle 1 superseded']);

    const retried = backingOff();
    retried.ending = true;
    expect(retried.tell({ kind: 'timer', timer: 'backoff' }).name).toBe('stopped');

    const unblocked = blocked();
    unblocked.ending = true;
    expect(unblocked.tell({ kind: 'dependencies', waiting: [], lost: null }).name).toBe('stopped');

    const restarting = new Rig().run().tell({ kind: 'restart', ticket: 1 });
    restarting.ending = true;
    expect(restarting.exited({ signal: 'SIGTERM' }).name).toBe('stopped');
    expect(restarting.said).toEqual(['worker.exited', 'worker.stopped']);
  });
});

describe('C6: facts of an earlier run', () => {
  test('change nothing in any phase', () => {
    const phases = [
      completed(),
      failed(),
      blocked(),
      backingOff(),
      new Rig().tell({ kind: 'start' }),
      new Rig().run(),
    ];
    for (const rig of phases) {
      const { worker } = rig;
      const run = worker.run - 1;
      rig.tell({ kind: 'exited', run, exit: exit(), remaining: [] }).expectNothing();
      rig.tell({ kind: 'spawned', run, process: LEADER, warning: null, limits: [] }).expectNothing();
      rig.tell({ kind: 'timer', run, timer: 'backoff' }).expectNothing();
      rig.tell({ kind: 'became-unhealthy', run, probe: 'liveness', reason: 'late' }).expectNothing();
      expect(rig.worker).toBe(worker);
    }
  });

  test('so do facts of a run that never was', () => {
    new Rig().run().tell({ kind: 'exited', run: 2, exit: exit(), remaining: [] }).expectNothing();
  });
});
