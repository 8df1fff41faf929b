import { describe, expect, test } from 'vitest';
import { CHILD, exit, GRANDCHILD, LEADER, PROBE, Rig, RULE } from './rig.ts';

const READINESS = { startup: null, liveness: null, readiness: PROBE };
const DAEMON = { pidFile: '/run/web.pid', timeout: 2000 };

describe('commands', () => {
  test('C1: start finds it running already', () => {
    const rig = new Rig().run().tell({ kind: 'start', ticket: 5 });
    expect([rig.name, rig.done]).toEqual(['running', ['record up', 'settle 5 done already']]);
  });

  test('stop asks the whole tree to end and gives it its grace', () => {
    const rig = new Rig({ stop: { signal: 'SIGINT', grace: 700 } })
      .run()
      .pass(50)
      .tell({ kind: 'stop', ticket: 5 });
    expect(rig.phase).toEqual({
      name: 'stopping',
      process: LEADER,
      since: 1000,
      askedAt: 1050,
      cause: 'operator',
      detail: '',
      answer: null,
      step: 'asking',
      exit: null,
      earlierExit: null,
      restartAfter: false,
      survivors: [],
    });
    expect(rig.done).toEqual(['record down', 'clear reset', 'end-hooks 1', 'SIGINT', 'set grace 700']);
    expect(rig.events).toEqual([{ type: 'worker.stopping', payload: { cause: 'operator', detail: '' } }]);
  });

  test('the wish of a shutdown is not written down', () => {
    const rig = new Rig().run().tell({ kind: 'stop', cause: 'shutdown' });
    expect([rig.done[0], rig.payload('worker.stopping').cause]).toEqual(['clear reset', 'shutdown']);
    const killed = new Rig().run().tell({ kind: 'kill', cause: 'shutdown' });
    expect([killed.done[0], killed.payload('worker.stopping')]).toEqual([
      'clear reset',
      { cause: 'shutdown', detail: 'without grace' },
    ]);
  });

  test('kill asks nobody', () => {
    const rig = new Rig().run().tell({ kind: 'kill', ticket: 5 });
    expect(rig.said).toEqual(['worker.stopping', 'worker.killed']);
    expect(rig.payload('worker.killed')).toEqual({ after: 0 });
    expect(rig.done).toEqual([
      'record down',
      'clear reset',
      'end-hooks 1',
      'clear grace',
      'SIGKILL',
      'set verify 5000',
    ]);
    expect(rig.exited({ signal: 'SIGKILL' }).settled).toEqual(['settle 5 done']);
  });

  test('restart ends it and is done when the next one runs', () => {
    const rig = new Rig().run().tell({ kind: 'restart', ticket: 5 });
    expect(rig.payload('worker.stopping')).toEqual({ cause: 'restart', detail: 'restart was asked for' });
    expect(rig.done[0]).toBe('record up');
    rig.exited({ signal: 'SIGTERM' });
    expect([rig.name, rig.worker.run, rig.worker.restarts, rig.settled]).toEqual(['starting', 2, 0, []]);
    expect(rig.started().settled).toEqual(['settle 5 done']);
  });

  test('restart and reset forgive', () => {
    const again = () =>
      new Rig().run().exited({ code: 1 }).tell({ kind: 'timer', timer: 'backoff' }).started();
    expect(again().hasForgiven).toBe(false);
    expect(again().tell({ kind: 'restart' }).hasForgiven).toBe(true);
    expect(again().tell({ kind: 'reset', ticket: 3 }).settled).toEqual(['settle 3 done already']);
    expect(again().tell({ kind: 'reset' }).hasForgiven).toBe(true);
    expect(again().tell({ kind: 'timer', timer: 'reset' }).hasForgiven).toBe(true);
    expect(again().tell({ kind: 'timer', timer: 'backoff' }).hasForgiven).toBe(false);
  });
});

describe('an exit', () => {
  test('is told with its uptime, and ends the run', () => {
    const rig = new Rig().run().pass(2500).exited({ code: 1 });
    expect(rig.payload('worker.exited')).toEqual({
      exit: exit({ code: 1 }),
      asked: false,
      success: false,
      uptime: 2500,
      remaining: [],
    });
    expect(rig.worker.lastEnd).toEqual({
      run: 1,
      exit: exit({ code: 1 }),
      success: false,
      uptime: 2500,
      at: 3500,
    });
    expect(rig.done).toEqual(['clear reset', 'end-hooks 1', 'close-run 1', 'set backoff 1000']);
    expect(rig.payload('worker.backing-off').reason).toBe('exit 1 after 2.5s');
  });

  test('D5: with a listed code is success', () => {
    const rig = new Rig({ restart: { successCodes: [0, 143] } }).run().exited({ code: 143 });
    expect([rig.payload('worker.exited').success, rig.phase]).toEqual([
      true,
      { name: 'stopped', completed: true },
    ]);
  });

  test('D5: by a signal or unknown is no success', () => {
    expect(new Rig().run().exited({ signal: 'SIGTERM' }).name).toBe('backoff');
    expect(new Rig().run().exited({}).payload('worker.backing-off').reason).toBe('exit unknown after 0ms');
  });

  test('with success forgives earlier failures', () => {
    const rig = new Rig().run().exited({ code: 1 }).tell({ kind: 'timer', timer: 'backoff' }).started();
    expect(rig.hasForgiven).toBe(false);
    expect(rig.exited({ code: 0 }).hasForgiven).toBe(true);
  });

  test('D1: fails for ever until the breaker opens, and says when it tries next', () => {
    const rig = new Rig().run();
    for (let restarts = 1; restarts <= 3; restarts += 1) {
      rig.exited({ code: 1 });
      expect(rig.payload('worker.backing-off')).toMatchObject({ breaker: 'closed', failures: restarts });
      rig.pass(rig.payload('worker.backing-off').delay).tell({ kind: 'timer', timer: 'backoff' }).started();
    }
    rig.exited({ code: 1 });
    expect(rig.payload('worker.backing-off')).toEqual({
      delay: 60_000,
      until: 1_000_000 + rig.now + 60_000,
      failures: 4,
      breaker: 'open',
      reason: 'exit 1 after 0ms',
    });
    expect(rig.done).toContain('set backoff 60000');
    expect(rig.worker.history.breaker.state).toBe('open');
  });

  test('D2: the trial run is half-open; it closes the breaker by living long enough', () => {
    const rig = new Rig({ restart: { exit: { ...RULE, maxRetries: 1 } } }).run().exited({ code: 1 });
    rig.pass(1000).tell({ kind: 'timer', timer: 'backoff' }).started().exited({ code: 1 });
    expect(rig.worker.history.breaker.state).toBe('open');
    rig.pass(60_000).tell({ kind: 'timer', timer: 'backoff' });
    expect(rig.worker.history.breaker).toEqual({ state: 'half-open', trips: 1 });
    const failing = Object.assign(new Rig({ restart: rig.spec.restart }), {
      worker: rig.worker,
      now: rig.now,
    });
    failing.started().exited({ code: 1 });
    expect(failing.payload('worker.backing-off')).toMatchObject({ breaker: 'open', delay: 120_000 });
    rig.started();
    expect(rig.done).toContain('set reset 10000');
    expect(rig.pass(10_000).tell({ kind: 'timer', timer: 'reset' }).hasForgiven).toBe(true);
  });

  test('D1: give_up rests with the number of failures', () => {
    const rig = new Rig({ restart: { exit: { ...RULE, maxRetries: 1, giveUp: true } } })
      .run()
      .exited({ code: 1 });
    rig.tell({ kind: 'timer', timer: 'backoff' }).started().exited({ code: 1 });
    expect(rig.phase).toEqual({
      name: 'failed',
      failure: { code: 'E_GAVE_UP', message: expect.stringContaining('gave up after 2 failures') },
    });
    expect(rig.worker.history.streak).toBe(2);
    expect(rig.said).toEqual(['worker.exited', 'worker.failed']);
  });

  test('jitter is drawn from the given chance', () => {
    const rig = new Rig({ restart: { exit: { ...RULE, jitter: 0.5 } } }).run();
    rig.random = 0.5;
    expect(rig.exited({ code: 1 }).payload('worker.backing-off').delay).toBe(750);
  });
});

describe('what a leader leaves behind', () => {
  test('is ended before the next run begins', () => {
    const rig = new Rig().run().pass(10).exited({ code: 1 }, [CHILD]);
    expect(rig.said).toEqual(['worker.exited', 'worker.stopping']);
    expect(rig.payload('worker.exited').remaining).toEqual([CHILD]);
    expect(rig.payload('worker.stopping')).toEqual({
      cause: 'left-behind',
      detail: 'its main process ended and left 1 process of its tree',
    });
    expect(rig.phase).toMatchObject({ name: 'stopping', exit: { code: 1 } });
    expect(rig.done).toEqual(['clear reset', 'end-hooks 1', 'SIGTERM', 'set grace 5000']);
    rig.tell({ kind: 'tree-empty' });
    expect([rig.name, rig.said]).toEqual(['backoff', ['worker.backing-off']]);
    expect(rig.payload('worker.backing-off').reason).toBe('exit 1 after 10ms');
  });

  test('A3: a daemon that nobody announced is ended by default, and the detail says what would keep it', () => {
    const rig = new Rig().run().exited({ code: 0 }, [CHILD, GRANDCHILD]);
    const { cause, detail } = rig.payload('worker.stopping');
    expect(cause).toBe('left-behind');
    expect(detail).toMatch(
      /^daemonized unexpectedly: it exited and left 2 processes of its tree; .*on_daemonize: adopt/,
    );
    rig.tell({ kind: 'tree-empty' });
    expect(rig.phase).toEqual({ name: 'stopped', completed: true });
  });

  test('A3: adopted, the oldest takes over and the run goes on', () => {
    const rig = new Rig({ onDaemonize: 'adopt' }).run().exited({ code: 0 }, [GRANDCHILD, CHILD]);
    expect(rig.phase).toMatchObject({ name: 'running', process: CHILD, mainKnown: true, ready: true });
    expect(rig.done).toEqual(['follow 101']);
    expect(rig.events).toEqual([{ type: 'worker.daemonized', payload: { process: CHILD, expected: false } }]);
    rig.exited({}, []);
    expect(rig.said).toEqual(['worker.exited', 'worker.backing-off']);
    const sorted = new Rig({ onDaemonize: 'adopt' }).run().exited({ code: 0 }, [CHILD, GRANDCHILD]);
    expect(sorted.done).toEqual(['follow 101']);
  });

  test('adopting is for success only, and needs somebody to adopt', () => {
    const failing = new Rig({ onDaemonize: 'adopt' }).run().exited({ code: 3 }, [CHILD]);
    expect(failing.payload('worker.stopping').cause).toBe('left-behind');
    expect(new Rig({ onDaemonize: 'adopt' }).run().exited({ code: 0 }).phase).toEqual({
      name: 'stopped',
      completed: true,
    });
  });
});

describe('A4: a program that announces that it goes into the background', () => {
  const announced = () => new Rig({ mainProcess: DAEMON }).tell({ kind: 'start', ticket: 1 }).started();

  test('is not there until its main process is known; then it is ready once', () => {
    const rig = announced();
    expect([rig.said, rig.settled, rig.phase]).toMatchObject([['worker.started'], [], { mainKnown: false }]);
    rig.exited({ code: 0 }, [CHILD]).expectNothing();
    rig.tell({ kind: 'main-process-found', process: CHILD });
    expect(rig.said).toEqual(['worker.daemonized', 'worker.ready']);
    expect(rig.payload('worker.daemonized')).toEqual({ process: CHILD, expected: true });
    expect(rig.done).toEqual(['follow 101', 'settle 1 done']);
    rig.tell({ kind: 'main-process-found', process: GRANDCHILD }).expectNothing();
    rig.tell({ kind: 'main-process-missing', reason: 'late' }).expectNothing();
  });

  test('with a readiness probe it is ready when both are true, in either order', () => {
    const probed = () => new Rig({ mainProcess: DAEMON, probes: READINESS }).run();
    const early = probed().tell({ kind: 'became-ready' });
    expect(early.events).toEqual([]);
    expect(early.tell({ kind: 'main-process-found', process: CHILD }).said).toEqual([
      'worker.daemonized',
      'worker.ready',
    ]);
    const late = probed().tell({ kind: 'main-process-found', process: CHILD });
    expect(late.said).toEqual(['worker.daemonized']);
    expect(late.tell({ kind: 'became-ready' }).said).toEqual(['worker.ready']);
    const lost = probed().tell({ kind: 'became-ready' }).tell({ kind: 'became-unready', reason: 'x' });
    expect(lost.events).toEqual([]);
    expect(lost.tell({ kind: 'main-process-found', process: CHILD }).said).toEqual(['worker.daemonized']);
  });

  test('a start waits with the others', () => {
    const rig = announced().tell({ kind: 'start', ticket: 2 });
    expect(rig.settled).toEqual([]);
    expect(rig.tell({ kind: 'main-process-found', process: CHILD }).settled).toEqual([
      'settle 1 done',
      'settle 2 done',
    ]);
  });

  test('that never shows its main process is ended and counts as failed', () => {
    const rig = announced()
      .exited({ code: 0 }, [CHILD])
      .tell({ kind: 'main-process-missing', reason: 'no pid file' });
    expect(rig.payload('worker.stopping')).toEqual({ cause: 'main-process', detail: 'no pid file' });
    rig.tell({ kind: 'tree-empty' });
    expect(rig.said).toEqual(['worker.exited', 'worker.backing-off']);
    expect(rig.payload('worker.backing-off').reason).toBe('no pid file');
  });

  test('whose tree is empty before it showed its main process has failed', () => {
    const rig = new Rig({ mainProcess: DAEMON, restart: { mode: 'never' } }).run();
    rig.exited({ code: 0 }, [CHILD]).tell({ kind: 'tree-empty' });
    expect(rig.said).toEqual(['worker.exited', 'worker.failed']);
    expect(rig.payload('worker.failed').failure.code).toBe('E_MAIN_PROCESS');
    expect(rig.payload('worker.exited')).toMatchObject({ exit: exit(), asked: false, remaining: [] });
  });

  test('that exits with success and leaves nobody has failed, and who waits is told', () => {
    const rig = new Rig({ mainProcess: DAEMON, restart: { mode: 'never' } })
      .tell({ kind: 'start', ticket: 1 })
      .started();
    rig.exited({ code: 0 });
    expect(rig.payload('worker.failed').failure).toMatchObject({
      code: 'E_MAIN_PROCESS',
      message: expect.stringContaining('exit 0 after 0ms'),
    });
    expect(rig.effects).toContainEqual({
      kind: 'settle',
      ticket: 1,
      outcome: { kind: 'failed', failure: rig.payload('worker.failed').failure },
    });
  });

  test('that fails in the foreground is ended with what it left', () => {
    const rig = announced().exited({ code: 1 }, [CHILD]);
    expect([rig.name, rig.said]).toEqual(['stopping', ['worker.exited', 'worker.stopping']]);
  });

  test('whose main process ends well and leaves others has them ended', () => {
    const rig = new Rig({ mainProcess: DAEMON, onDaemonize: 'adopt' }).run();
    rig.tell({ kind: 'main-process-found', process: CHILD }).exited({ code: 0 }, [GRANDCHILD]);
    expect(rig.payload('worker.stopping').cause).toBe('left-behind');
  });
});

describe('health', () => {
  test('E7: readiness comes and goes, is told once each, and restarts nothing', () => {
    const rig = new Rig({ probes: READINESS }).run().tell({ kind: 'became-ready' });
    expect([rig.said, rig.phase]).toMatchObject([['worker.ready'], { ready: true }]);
    rig.tell({ kind: 'became-ready' }).expectNothing();
    rig.tell({ kind: 'became-unready', reason: 'HTTP 503' });
    expect([rig.events, rig.phase]).toMatchObject([
      [{ type: 'worker.unready', payload: { reason: 'HTTP 503' } }],
      { name: 'running', ready: false, unreadyReason: 'HTTP 503' },
    ]);
    rig.tell({ kind: 'became-unready', reason: 'refused' });
    expect([rig.events, rig.phase]).toMatchObject([[], { unreadyReason: 'refused' }]);
    expect(rig.tell({ kind: 'became-ready' }).phase).toMatchObject({ ready: true, unreadyReason: '' });
  });

  test.each(['liveness', 'startup'] as const)(
    'E8: a failed %s probe restarts by the rule for health',
    (probe) => {
      const rig = new Rig({ restart: { health: { ...RULE, delay: 3000 } } }).run().pass(100);
      rig.tell({ kind: 'became-unhealthy', probe, reason: 'timeout' });
      expect(rig.payload('worker.stopping')).toEqual({ cause: probe, detail: 'timeout' });
      rig.exited({ code: 0 });
      expect(rig.payload('worker.backing-off')).toMatchObject({ delay: 3000, reason: 'timeout' });
    },
  );

  test('a worker that is never restarted is not ended for its health', () => {
    const rig = new Rig({ restart: { mode: 'never' } }).run();
    rig.tell({ kind: 'became-unhealthy', probe: 'liveness', reason: 'timeout' }).expectNothing();
  });
});

describe('D8: dependencies', () => {
  test('the end of one with restart ends it too, and it waits until it is there again', () => {
    const waiting = [{ id: 'db', condition: 'ready', reason: 'backoff 1s' }] as const;
    const rig = new Rig().run().tell({ kind: 'dependencies', waiting, lost: 'db' });
    expect(rig.payload('worker.stopping')).toEqual({
      cause: 'dependency',
      detail: 'its dependency "db" ended',
    });
    rig.exited({ signal: 'SIGTERM' });
    expect([rig.name, rig.worker.history.streak]).toEqual(['blocked', 0]);
    expect(rig.tell({ kind: 'dependencies', waiting: [], lost: null }).name).toBe('starting');
  });

  test('one that is only missing again does not touch it', () => {
    const waiting = [{ id: 'db', condition: 'ready', reason: 'HTTP 503' }] as const;
    const rig = new Rig().run().tell({ kind: 'dependencies', waiting, lost: null });
    expect([rig.name, rig.worker.waiting, rig.events, rig.effects]).toEqual(['running', waiting, [], []]);
  });
});

test.each([
  { kind: 'spawned', process: LEADER, warning: null, limits: [] } as const,
  { kind: 'spawn-failed', failure: { code: 'E_SPAWN', message: '' }, transient: true } as const,
  { kind: 'tree-empty' } as const,
])('$kind while it runs is a defect and changes nothing', (message) => {
  const rig = new Rig().run();
  const { worker } = rig;
  rig.tell(message);
  expect(rig.worker).toBe(worker);
  expect(rig.payload('supervisor.defect').message).toContain(
    `"${message.kind}" arrived in phase "running" of run 1`,
  );
});

test('a survey that nobody asked for is no news', () =>
  new Rig().run().tell({ kind: 'surveyed', members: [] }).expectNothing());
