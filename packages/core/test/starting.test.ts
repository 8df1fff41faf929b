import { describe, expect, test } from 'vitest';
import { LEADER, PROBE, Rig } from './rig.ts';

const TRANSIENT = {
  kind: 'spawn-failed',
  failure: { code: 'E_RESOURCES', message: 'no pid left' },
  transient: true,
} as const;
const LASTING = {
  kind: 'spawn-failed',
  failure: { code: 'E_EXEC_NOT_FOUND', message: 'no such file' },
  transient: false,
} as const;

function starting(): Rig {
  return new Rig().tell({ kind: 'start', ticket: 1 });
}

describe('a process that started', () => {
  test('runs, is ready at once without a probe, and its hooks begin', () => {
    const rig = starting().tell({ kind: 'spawned', process: LEADER, warning: 'run by /bin/sh', limits: [] });
    expect(rig.phase).toEqual({
      name: 'running',
      process: LEADER,
      since: 1000,
      ready: true,
      unreadyReason: '',
      mainKnown: true,
      throttled: [],
    });
    expect(rig.said).toEqual(['worker.started', 'worker.ready']);
    expect(rig.payload('worker.started')).toEqual({ process: LEADER, warning: 'run by /bin/sh' });
    expect(rig.effects).toContainEqual({ kind: 'begin-hooks', run: 1, process: LEADER });
    expect(rig.done).toEqual(['begin-hooks 1', 'settle 1 done']);
    expect(rig.worker.tickets).toEqual([]);
  });

  test.each(['readiness', 'startup'] as const)('waits for a %s probe before it is ready', (probe) => {
    const probes = { startup: null, liveness: null, readiness: null, [probe]: PROBE };
    const rig = new Rig({ probes }).run();
    expect([rig.said, rig.phase]).toMatchObject([['worker.started'], { ready: false }]);
  });

  test('a liveness probe alone does not hold readiness back', () => {
    const rig = new Rig({ probes: { startup: null, liveness: PROBE, readiness: null } }).run();
    expect(rig.said).toEqual(['worker.started', 'worker.ready']);
  });

  test('forgives after a while, but only what there is to forgive', () => {
    expect(starting().started().done).not.toContain('set reset 10000');
    const rig = new Rig().run().exited({ code: 1 }).tell({ kind: 'timer', timer: 'backoff' }).started();
    expect(rig.done).toContain('set reset 10000');
  });

  test('the longer of the two rules says when all is forgiven', () => {
    const { exit } = new Rig().spec.restart;
    const health = { ...exit, resetAfter: 25_000 };
    const rig = new Rig({ restart: { health } })
      .run()
      .exited({ code: 1 })
      .tell({ kind: 'timer', timer: 'backoff' })
      .started();
    expect(rig.done).toContain('set reset 25000');
  });
});

describe('C3: a stop during the start', () => {
  test('ends the process as soon as there is one', () => {
    const rig = starting().tell({ kind: 'stop', ticket: 2 });
    expect([rig.phase, rig.done, rig.events]).toEqual([
      { name: 'starting', end: 'stop', outdated: false, replaced: false },
      ['record down', 'settle 1 superseded'],
      [],
    ]);
    rig.started();
    expect(rig.phase).toMatchObject({ name: 'stopping', step: 'asking', cause: 'operator' });
    expect(rig.payload('worker.stopping')).toEqual({
      cause: 'operator',
      detail: 'asked for while it was starting',
    });
    expect(rig.done).toEqual(['begin-hooks 1', 'clear reset', 'end-hooks 1', 'SIGTERM', 'set grace 5000']);
    rig.exited({ signal: 'SIGTERM' });
    expect([rig.name, rig.settled]).toEqual(['stopped', ['settle 2 done']]);
  });

  test('rests where there never was one', () => {
    const rig = starting().tell({ kind: 'stop', ticket: 2 }).tell(TRANSIENT);
    expect([rig.name, rig.said]).toEqual(['stopped', ['worker.spawn-failed', 'worker.stopped']]);
    expect(rig.done).toEqual(['close-run 1', 'settle 2 done']);
  });

  test('a kill asks nobody', () => {
    const rig = starting().tell({ kind: 'kill', ticket: 2 }).started();
    expect(rig.phase).toMatchObject({ name: 'stopping', step: 'killing' });
    expect(rig.said).toEqual(['worker.started', 'worker.ready', 'worker.stopping', 'worker.killed']);
    expect(rig.done.slice(3)).toEqual(['clear grace', 'SIGKILL', 'set verify 5000']);
  });

  test('a stop does not soften a kill', () => {
    const rig = starting().tell({ kind: 'kill' }).tell({ kind: 'stop' });
    expect(rig.phase).toMatchObject({ name: 'starting', end: 'kill' });
    expect(starting().tell({ kind: 'stop' }).tell({ kind: 'kill' }).phase).toMatchObject({
      name: 'starting',
      end: 'kill',
    });
  });

  test('the wish of a shutdown is not written down', () => {
    expect(starting().tell({ kind: 'stop', cause: 'shutdown' }).done).toEqual(['settle 1 superseded']);
    expect(starting().tell({ kind: 'kill', cause: 'shutdown' }).done).toEqual(['settle 1 superseded']);
    expect(starting().tell({ kind: 'kill' }).done).toEqual(['record down', 'settle 1 superseded']);
  });
});

describe('C4: commands while it starts', () => {
  test('C1: more starts make no more processes', () => {
    const rig = starting().tell({ kind: 'start', ticket: 2 }).tell({ kind: 'restart', ticket: 3 });
    expect([rig.worker.run, rig.phase]).toMatchObject([1, { name: 'starting', end: null }]);
    expect(rig.started().settled).toEqual(['settle 1 done', 'settle 2 done already', 'settle 3 done']);
  });

  test.each(['stop', 'kill'] as const)('a start takes a %s back', (kind) => {
    const rig = starting().tell({ kind, ticket: 2 }).tell({ kind: 'start', ticket: 3 });
    expect(rig.settled).toEqual(['settle 2 superseded']);
    expect(rig.started().name).toBe('running');
    expect(rig.settled).toEqual(['settle 3 done']);
  });

  test('a restart after a stop is done only when the next process runs', () => {
    const rig = starting().tell({ kind: 'stop' }).tell({ kind: 'restart', ticket: 3 });
    expect(rig.phase).toMatchObject({ name: 'starting', end: 'restart' });
    rig.started();
    expect([rig.name, rig.settled]).toEqual(['stopping', []]);
    rig.exited({ signal: 'SIGTERM' });
    expect([rig.name, rig.worker.run, rig.settled]).toEqual(['starting', 2, []]);
    expect(rig.started().settled).toEqual(['settle 3 done']);
  });

  test('a start that was given up for a stop which was taken back is made anew, and is no failure', () => {
    const failure = { code: 'E_SUPERSEDED', message: 'stopped before it was started' } as const;
    const rig = starting().tell({ kind: 'stop' }).tell({ kind: 'start', ticket: 3 });
    rig.tell({ kind: 'spawn-failed', failure, transient: true });
    expect([rig.name, rig.worker.run, rig.settled]).toEqual(['starting', 2, []]);
    expect(rig.said).toEqual(['worker.spawn-failed', 'worker.starting']);
    expect(rig.hasForgiven).toBe(true);
    expect(rig.started().settled).toEqual(['settle 3 done']);
  });

  test('D8: the loss of a dependency restarts it, unless it is to end anyway', () => {
    const rig = starting().tell({ kind: 'dependencies', waiting: [], lost: 'db' });
    expect(rig.phase).toMatchObject({ name: 'starting', end: 'restart' });
    rig.tell({ kind: 'start', ticket: 2 });
    expect(rig.phase).toMatchObject({ name: 'starting', end: 'restart' });
    expect(rig.started().payload('worker.stopping').cause).toBe('restart');
    const stopped = starting().tell({ kind: 'stop' }).tell({ kind: 'dependencies', waiting: [], lost: 'db' });
    expect(stopped.phase).toMatchObject({ name: 'starting', end: 'stop' });
  });

  test('a dependency that is missing again does not stop the start', () => {
    const waiting = [{ id: 'db', condition: 'ready', reason: 'HTTP 503' }] as const;
    const rig = starting().tell({ kind: 'dependencies', waiting, lost: null });
    expect([rig.phase, rig.worker.waiting]).toMatchObject([{ name: 'starting', end: null }, waiting]);
  });

  test('a reset forgives', () => {
    const rig = new Rig()
      .run()
      .exited({ code: 1 })
      .tell({ kind: 'timer', timer: 'backoff' })
      .tell({ kind: 'reset', ticket: 9 });
    expect([rig.name, rig.hasForgiven, rig.settled]).toEqual(['starting', true, ['settle 9 done already']]);
  });
});

describe('a start that fails', () => {
  test('for a passing reason is tried again, and who waits is told now', () => {
    const rig = starting().tell(TRANSIENT);
    expect(rig.said).toEqual(['worker.spawn-failed', 'worker.backing-off']);
    expect(rig.payload('worker.spawn-failed')).toEqual({ failure: TRANSIENT.failure });
    expect(rig.payload('worker.backing-off').reason).toBe('the start failed');
    expect(rig.done).toEqual(['close-run 1', 'settle 1 failed', 'set backoff 1000']);
    expect(rig.effects[1]).toMatchObject({ outcome: { kind: 'failed', failure: TRANSIENT.failure } });
  });

  test('B1: for a lasting reason is not tried again', () => {
    const rig = starting().tell(LASTING);
    expect(rig.phase).toEqual({
      name: 'failed',
      failure: { code: 'E_EXEC_NOT_FOUND', message: 'no such file; trying again cannot help' },
    });
    expect(rig.worker.lastEnd).toBeNull();
  });

  test('counts as a failure like an exit', () => {
    const rig = new Rig().run().exited({ code: 1 }).tell({ kind: 'timer', timer: 'backoff' }).tell(TRANSIENT);
    expect(rig.payload('worker.backing-off')).toMatchObject({ delay: 2000, failures: 2 });
  });
});

test.each([
  { kind: 'exited', exit: { code: 0, signal: null, coreDumped: false, usage: null }, remaining: [] } as const,
  { kind: 'tree-empty' } as const,
  { kind: 'surveyed', members: [] } as const,
  { kind: 'became-ready' } as const,
  { kind: 'became-unready', reason: '' } as const,
  { kind: 'became-unhealthy', probe: 'startup', reason: '' } as const,
  { kind: 'main-process-found', process: LEADER } as const,
  { kind: 'main-process-missing', reason: '' } as const,
])('$kind before the start is answered is a defect and changes nothing', (message) => {
  const rig = starting();
  const { worker } = rig;
  rig.tell(message);
  expect(rig.worker).toBe(worker);
  expect([rig.said, rig.effects]).toEqual([['supervisor.defect'], []]);
  expect(rig.payload('supervisor.defect').message).toBe(
    `worker "web": "${message.kind}" arrived in phase "starting" of run 1`,
  );
});

test('a timer of the run before is no news', () =>
  starting().tell({ kind: 'timer', timer: 'reset' }).expectNothing());

test('runs are numbered on from those of earlier masters, of which nothing else is known', () => {
  const rig = new Rig();
  rig.runsBefore = 41;
  rig.tell({ kind: 'start', ticket: 1 });
  expect(rig.worker.run).toBe(42);
  rig.tell({ kind: 'spawned', process: LEADER, warning: null, limits: [] });
  rig
    .tell({ kind: 'restart' })
    .tell({ kind: 'exited', exit: { code: 0, signal: null, coreDumped: false, usage: null }, remaining: [] });
  expect(rig.worker.run).toBe(43);
});
