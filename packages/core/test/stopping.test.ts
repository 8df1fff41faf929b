import { describe, expect, test } from 'vitest';
import { KILL_WAIT } from '../src/worker/course.ts';
import { CHILD, exit, LEADER, Rig } from './rig.ts';

function stopping(): Rig {
  return new Rig().run().tell({ kind: 'stop', ticket: 1 });
}

/** SIGKILL was sent. */
function killing(): Rig {
  return stopping().pass(5000).tell({ kind: 'timer', timer: 'grace' });
}

describe('the end of a stopped run', () => {
  test('is rest, and the ticket is settled', () => {
    const rig = stopping().pass(40).exited({ signal: 'SIGTERM' });
    expect(rig.said).toEqual(['worker.exited', 'worker.stopped']);
    expect(rig.payload('worker.exited').asked).toBe(true);
    expect(rig.payload('worker.stopped')).toEqual({ completed: false });
    expect(rig.done).toEqual(['clear grace', 'clear verify', 'close-run 1', 'settle 1 done']);
    expect(rig.worker).toMatchObject({
      phase: { name: 'stopped', completed: false },
      tickets: [],
      lastEnd: { run: 1, uptime: 40, success: false, at: 1040 },
    });
  });

  test('A7: comes only when the tree is empty', () => {
    const rig = stopping().exited({ signal: 'SIGTERM' }, [CHILD]);
    expect([rig.name, rig.said, rig.settled]).toEqual(['stopping', ['worker.exited'], []]);
    expect(rig.phase).toMatchObject({ exit: { signal: 'SIGTERM' }, step: 'asking' });
    rig.tell({ kind: 'timer', timer: 'grace' });
    expect(rig.done).toContain('SIGKILL');
    rig.tell({ kind: 'tree-empty' });
    expect([rig.said, rig.settled]).toEqual([['worker.stopped'], ['settle 1 done']]);
    expect(rig.worker.lastEnd?.exit).toEqual(exit({ signal: 'SIGTERM' }));
  });

  test('the first exit is the run’s', () => {
    const rig = stopping().exited({ code: 3 }, [CHILD]).exited({ code: 4 });
    expect([rig.said, rig.worker.lastEnd?.exit?.code]).toEqual([['worker.stopped'], 3]);
  });

  test('an empty tree without an exit is an unknown exit', () => {
    const rig = stopping().tell({ kind: 'tree-empty' });
    expect(rig.payload('worker.exited')).toMatchObject({
      exit: exit(),
      asked: true,
      success: false,
      remaining: [],
    });
    expect(rig.worker.lastEnd?.exit).toEqual(exit());
  });
});

describe('A8: the grace', () => {
  test('ends in SIGKILL to the tree', () => {
    const rig = killing();
    expect(rig.phase).toMatchObject({ name: 'stopping', step: 'killing' });
    expect(rig.events).toEqual([{ type: 'worker.killed', payload: { after: 5000 } }]);
    expect(rig.done).toEqual(['clear grace', 'SIGKILL', `set verify ${KILL_WAIT}`]);
  });

  test('is over once', () => {
    killing().tell({ kind: 'timer', timer: 'grace' }).expectNothing();
    killing().tell({ kind: 'timer', timer: 'reset' }).expectNothing();
    stopping().tell({ kind: 'timer', timer: 'backoff' }).expectNothing();
  });

  test('C7: a kill ends it early, once', () => {
    const rig = stopping().pass(300).tell({ kind: 'kill', ticket: 2 });
    expect(rig.payload('worker.killed')).toEqual({ after: 300 });
    expect(rig.done).toEqual(['record down', 'clear grace', 'SIGKILL', 'set verify 5000']);
    expect(rig.tell({ kind: 'kill', ticket: 3 }).done).toEqual(['record down']);
    expect(rig.tell({ kind: 'kill', cause: 'shutdown' }).done).toEqual([]);
    expect(rig.exited({ signal: 'SIGKILL' }).settled).toEqual([
      'settle 1 done',
      'settle 2 done',
      'settle 3 done',
    ]);
  });

  test('a second stop waits with the first', () => {
    const rig = stopping().tell({ kind: 'stop', ticket: 2 });
    expect([rig.events, rig.done]).toEqual([[], ['record down']]);
    expect(rig.tell({ kind: 'stop', cause: 'shutdown' }).done).toEqual([]);
    expect(rig.exited({ code: 0 }).settled).toEqual(['settle 1 done', 'settle 2 done']);
  });
});

describe('A6: survivors of SIGKILL', () => {
  const surveyed = () => killing().tell({ kind: 'timer', timer: 'verify' });

  test('are looked for', () => expect(surveyed().done).toEqual(['survey 1']));

  test('there are none: the run is over', () => {
    const rig = surveyed().tell({ kind: 'surveyed', members: [] });
    expect([rig.name, rig.said]).toEqual(['stopped', ['worker.exited', 'worker.stopped']]);
  });

  test('are named once, to those who wait at once, and killed again', () => {
    const rig = surveyed().tell({ kind: 'restart', ticket: 9 }).tell({ kind: 'stop', ticket: 2 });
    rig.tell({ kind: 'surveyed', members: [LEADER, CHILD] });
    expect(rig.events).toEqual([{ type: 'worker.survivors', payload: { survivors: [LEADER, CHILD] } }]);
    expect(rig.done).toEqual(['settle 2 failed', 'SIGKILL', 'set verify 5000']);
    expect(rig.effects[0]).toMatchObject({
      outcome: {
        failure: {
          code: 'E_SURVIVORS',
          message: expect.stringMatching(/^worker "web": still alive after SIGKILL: pid 100, 101\./),
        },
      },
    });
    expect(rig.phase).toMatchObject({ name: 'stopping', survivors: [LEADER, CHILD] });
    rig.tell({ kind: 'surveyed', members: [CHILD] });
    expect([rig.events, rig.phase]).toMatchObject([[], { survivors: [CHILD] }]);
    expect(rig.tell({ kind: 'tree-empty' }).name).toBe('stopped');
  });

  test('who waits for a start is told too', () => {
    const rig = surveyed()
      .tell({ kind: 'start', ticket: 4 })
      .tell({ kind: 'surveyed', members: [CHILD] });
    expect(rig.settled).toEqual(['settle 4 failed']);
  });
});

describe('a start while it stops', () => {
  test.each([
    ['start', 'operator'],
    ['restart', 'restart'],
  ] as const)('%s is wanted up again: the next run follows', (kind, cause) => {
    const rig = stopping().tell({ kind, ticket: 2 });
    expect(rig.worker).toMatchObject({ desired: 'up', phase: { name: 'stopping', cause } });
    expect(rig.done).toEqual(['record up', 'settle 1 superseded']);
    expect(rig.hasForgiven).toBe(true);
    rig.exited({ signal: 'SIGTERM' });
    expect(rig.said).toEqual(['worker.exited', 'worker.starting']);
    expect(rig.started().settled).toEqual(['settle 2 done']);
  });

  test('after a failed probe forgives: no backoff', () => {
    const rig = new Rig().run().exited({ code: 1 }).tell({ kind: 'timer', timer: 'backoff' }).started();
    rig.tell({ kind: 'became-unhealthy', probe: 'liveness', reason: 'x' });
    const restarted = Object.assign(new Rig(), { worker: rig.worker }).tell({ kind: 'restart' });
    expect(restarted.hasForgiven).toBe(true);
    expect(rig.tell({ kind: 'start' }).hasForgiven).toBe(true);
    expect(rig.worker.tickets).toEqual([]);
    expect(rig.exited({ code: 1 }).name).toBe('starting');
  });

  test('a stop after it wins', () => {
    const rig = stopping().tell({ kind: 'start', ticket: 2 }).tell({ kind: 'stop', ticket: 3 });
    expect(rig.settled).toEqual(['settle 2 superseded']);
    expect(rig.exited({ code: 0 }).name).toBe('stopped');
  });

  test('a shutdown that is overruled starts again', () => {
    const rig = new Rig().run().tell({ kind: 'stop', cause: 'shutdown' });
    rig.worker = { ...rig.worker, desired: 'up' };
    expect(rig.exited({ code: 0 }).name).toBe('starting');
  });
});

test('dependencies are remembered, and a reset forgives', () => {
  const waiting = [{ id: 'db', condition: 'started', reason: 'starting' }] as const;
  const rig = stopping().tell({ kind: 'dependencies', waiting, lost: 'db' });
  expect([rig.name, rig.worker.waiting, rig.events]).toEqual(['stopping', waiting, []]);
  expect(rig.tell({ kind: 'reset', ticket: 8 }).settled).toEqual(['settle 8 done already']);
});

test('verdicts of the run that ends come too late', () => {
  stopping().tell({ kind: 'became-ready' }).expectNothing();
  stopping().tell({ kind: 'became-unready', reason: 'x' }).expectNothing();
  stopping().tell({ kind: 'became-unhealthy', probe: 'startup', reason: 'x' }).expectNothing();
  stopping().tell({ kind: 'main-process-found', process: CHILD }).expectNothing();
  stopping().tell({ kind: 'main-process-missing', reason: 'x' }).expectNothing();
});

test.each([
  { kind: 'spawned', process: LEADER, warning: null, limits: [] } as const,
  { kind: 'spawn-failed', failure: { code: 'E_SPAWN', message: '' }, transient: true } as const,
])('$kind while it stops is a defect', (message) => {
  expect(stopping().tell(message).said).toEqual(['supervisor.defect']);
});
