import { describe, expect, test } from 'vitest';
import { type FailureHistory, noFailures } from '../src/restart/breaker.ts';
import { judgementOf, memoOfJudgement } from '../src/restart/judgement.ts';
import { digest } from '../src/worker/digest.ts';
import { type MemoPhase, memoOf, type WorkerMemo } from '../src/worker/memo.ts';
import { processOf, type RecordedRun, reconcile } from '../src/worker/reconcile.ts';
import { newWorker, type Phase, type Worker } from '../src/worker/state.ts';
import { fc } from './properties.ts';
import { CHILD, exit, LEADER, limitsSpec, memo, PROBE, Rig, RULE, type SpecDiffers, spec } from './rig.ts';

const RUNNING: MemoPhase = {
  name: 'running',
  process: LEADER,
  since: 400,
  ready: true,
  unreadyReason: '',
  mainKnown: true,
};
const STOPPING: MemoPhase = {
  name: 'stopping',
  process: LEADER,
  since: 400,
  askedAt: 900,
  cause: 'liveness',
  detail: 'HTTP 503',
  answer: null,
  step: 'asking',
  exit: null,
};
const FAILURES: FailureHistory = { streak: 2, restarts: [500, 600], breaker: { state: 'closed' } };

function recalled(phase: MemoPhase, differs: Partial<WorkerMemo> = {}, of: SpecDiffers = {}): Rig {
  const desired = differs.desired ?? 'up';
  return new Rig(of).tell({ kind: 'recalled', memo: memo({ phase, ...differs }), desired });
}

describe('a worker that is recalled', () => {
  test('while it ran, runs on: attached to, nothing spawned, counters and failures as they were', () => {
    const rig = recalled(RUNNING, { history: FAILURES });
    expect(rig.done).toEqual(['attach 3', 'throttle null', 'begin-hooks 3', 'set reset 9400']);
    expect(rig.said).toEqual(['worker.attached']);
    expect(rig.payload('worker.attached')).toMatchObject({
      process: LEADER,
      uptime: 600,
      restarts: 2,
      ready: true,
    });
    expect(rig.worker).toMatchObject({ desired: 'up', run: 3, restarts: 2, history: FAILURES });
    expect(rig.phase).toEqual({ ...RUNNING, throttled: [] });
  });

  test('then ends as any run does', () => {
    const rig = recalled(RUNNING);
    expect(rig.exited({ code: 1 }).said).toEqual(['worker.exited', 'worker.backing-off']);
    expect(rig.payload('worker.exited').uptime).toBe(600);
  });

  test('an exit that nobody can tell is a failure', () => {
    const rig = recalled(RUNNING).exited({ code: null, signal: null });
    expect(rig.payload('worker.exited').success).toBe(false);
    expect(rig.name).toBe('backoff');
  });

  test('and had no failures is known to have none', () => {
    expect(recalled(RUNNING, { history: JSON.parse(JSON.stringify(noFailures)) }).hasForgiven).toBe(true);
  });

  test('before it was known to have started is attached to as well: ready at once where no probe says', () => {
    const rig = recalled({ name: 'starting', end: null, process: LEADER });
    expect(rig.phase).toMatchObject({ name: 'running', since: 300, ready: true, mainKnown: true });
    const probed = { startup: null, liveness: null, readiness: PROBE };
    const other = recalled({ name: 'starting', end: null, process: LEADER }, {}, { probes: probed });
    expect(other.phase).toMatchObject({ name: 'running', ready: false });
  });

  test.each([
    ['stop', 'down', ['worker.attached', 'worker.stopping']],
    ['kill', 'down', ['worker.attached', 'worker.stopping', 'worker.killed']],
    ['restart', 'up', ['worker.attached', 'worker.stopping']],
    ['stop', 'up', ['worker.attached']],
  ] as const)('that was to %s as soon as it had started, and is wanted %s', (end, desired, said) => {
    expect(recalled({ name: 'starting', end, process: LEADER }, { desired }).said).toEqual(said);
  });

  test('whose program never began begins now, with the next number', () => {
    const rig = recalled({ name: 'starting', end: null, process: null });
    expect([rig.done, rig.said]).toEqual([['spawn 4'], ['worker.starting']]);
  });

  test('while it was being stopped is stopped anew, for the same reason and with the whole grace', () => {
    const rig = recalled(STOPPING);
    expect(rig.done).toContain('SIGTERM');
    expect(rig.done).toContain('set grace 5000');
    expect(rig.payload('worker.stopping')).toEqual({ cause: 'liveness', detail: 'HTTP 503' });
    rig.exited({ signal: 'SIGTERM' });
    expect(rig.payload('worker.backing-off').reason).toBe('HTTP 503');
  });

  test('after its grace was over is killed at once', () => {
    expect(recalled({ ...STOPPING, step: 'killing' }).done).toContain('SIGKILL');
  });

  test('with a final answer to an excess keeps to it', () => {
    const answer = { limit: 'memory.max_rss', policy: 'graceful_shutdown' } as const;
    const rig = recalled({ ...STOPPING, cause: 'limit', answer }).exited({ signal: 'SIGTERM' });
    expect(rig.payload('worker.failed').failure.code).toBe('E_LIMIT');
  });

  test('whose exit was seen takes it along', () => {
    const known = exit({ code: 7 });
    const rig = recalled({ ...STOPPING, cause: 'left-behind', exit: known });
    expect(rig.effects.find(({ kind }) => kind === 'attach')).toMatchObject({ exit: known });
    // Also to the master after this one, if it is killed before it can tell.
    expect(memoOf(rig.worker, true, null).phase).toMatchObject({ name: 'stopping', exit: known });
    rig.exited({ code: 7 });
    expect(rig.payload('worker.exited')).toMatchObject({ asked: false, exit: { code: 7 } });
  });

  test('in backoff waits for the rest of it', () => {
    const rig = recalled({ name: 'backoff', until: 4000, reason: 'exit 1' }, { history: FAILURES });
    expect(rig.done).toEqual(['set backoff 3000']);
    expect(rig.payload('worker.backing-off')).toMatchObject({
      delay: 3000,
      failures: 2,
      breaker: 'closed',
      reason: 'exit 1',
    });
    expect(rig.tell({ kind: 'timer', timer: 'backoff' }).done).toEqual(['spawn 4']);
    expect(rig.worker.restarts).toBe(3);
  });

  test('whose backoff was over meanwhile tries now, and an open breaker gives one trial', () => {
    const breaker = { state: 'open', until: 500, trips: 2 } as const;
    const rig = recalled({ name: 'backoff', until: 500, reason: 'x' }, { history: { ...FAILURES, breaker } });
    expect(rig.done).toEqual(['spawn 4']);
    expect(rig.worker.history.breaker).toEqual({ state: 'half-open', trips: 2 });
  });

  test('and was stopped only because its master ended begins now, or when its breaker is to give it a trial', () => {
    const stopped = { name: 'stopped', completed: false } as const;
    expect(recalled(stopped, { history: FAILURES }).done).toEqual(['spawn 4']);
    const breaker = { state: 'open', until: 4000, trips: 2 } as const;
    expect(recalled(stopped, { history: { ...FAILURES, breaker } }).done).toEqual(['set backoff 3000']);
  });

  test.each([
    [{ name: 'failed', failure: { code: 'E_GAVE_UP', message: 'x' } }, 'worker.failed'],
    [{ name: 'stopped', completed: true }, 'worker.stopped'],
  ] as const)('at rest, rests: %j', (phase, said) => {
    const rig = recalled(phase);
    expect([rig.phase, rig.said, rig.effects]).toEqual([phase, [said], []]);
  });

  test.each([
    { name: 'blocked' },
    { name: 'backoff', until: 4000, reason: 'x' },
    { name: 'failed', failure: { code: 'E_EXITED', message: 'x' } },
    { name: 'stopped', completed: true },
    { name: 'stopped', completed: false },
    { name: 'starting', end: null, process: null },
  ] as const)('and is not wanted and does not live, rests without a word: %j', (phase) => {
    const rig = recalled(phase, { desired: 'down' });
    expect([rig.phase, rig.said, rig.effects]).toEqual([{ name: 'stopped', completed: false }, [], []]);
  });

  test('runs and is not wanted is stopped', () => {
    const rig = recalled(RUNNING, { desired: 'down' });
    expect(rig.payload('worker.stopping').cause).toBe('operator');
    expect(rig.exited({ code: 0 }).name).toBe('stopped');
  });

  test('with another command is restarted in order, and that is no failure', () => {
    const trace = { mark: 'm1.web.3', at: 300, command: 'another', limits: digest(null) };
    const rig = recalled(RUNNING, { trace });
    expect(rig.payload('worker.stopping')).toEqual({ cause: 'restart', detail: 'its configuration changed' });
    expect(rig.exited({ code: 143 }).said).toEqual(['worker.exited', 'worker.starting']);
    expect(rig.worker).toMatchObject({ run: 4, restarts: 2, history: noFailures });
  });

  test('of which is not known what it was started with runs on', () => {
    const trace = { mark: 'm1.web.3', at: 300, command: null, limits: null };
    expect(recalled(RUNNING, { trace }).said).toEqual(['worker.attached']);
  });

  test('had failed with another command is tried again', () => {
    const trace = { mark: 'm1.web.3', at: 300, command: 'another', limits: digest(null) };
    const failure = { code: 'E_GAVE_UP', message: 'x' } as const;
    const rig = recalled({ name: 'failed', failure }, { trace, history: FAILURES });
    expect([rig.done, rig.hasForgiven]).toEqual([['spawn 4'], true]);
  });

  test('with the limits that it has keeps what was raised; with others they are set and nothing is raised', () => {
    const limits = limitsSpec({ 'memory.max_rss': 100 }, 'restart_adjusted');
    const factors = { 'memory.max_rss': 2 };
    const trace = { mark: 'm1.web.3', at: 300, command: null, limits: digest(limits) };
    const same = recalled(RUNNING, { trace, limitFactors: factors }, { limits });
    expect(same.effects[0]).toMatchObject({
      limitsHold: true,
      limits: { values: { 'memory.max_rss': 200 } },
    });
    const other = recalled(
      RUNNING,
      { trace: { ...trace, limits: 'other' }, limitFactors: factors },
      { limits },
    );
    expect(other.effects[0]).toMatchObject({
      limitsHold: false,
      limits: { values: { 'memory.max_rss': 100 } },
    });
    expect(other.worker.limitFactors).toEqual({});
  });

  test('that was to go into the background and whose first process is gone is still waited for', () => {
    const of = { mainProcess: { pidFile: '/run/web.pid', timeout: 1000 } };
    const rig = recalled({ ...RUNNING, mainKnown: false }, {}, of).exited({ code: null }, [CHILD]);
    expect([rig.name, rig.said]).toEqual(['running', []]);
    expect(rig.tell({ kind: 'main-process-found', process: CHILD }).said).toContain('worker.daemonized');
  });

  test('a second time is a defect and changes nothing', () => {
    const rig = recalled(RUNNING);
    const before = rig.worker;
    rig.tell({ kind: 'recalled', memo: memo(), desired: 'up' });
    expect([rig.said, rig.worker]).toEqual([['supervisor.defect'], before]);
  });
});

describe('what is remembered', () => {
  const phases: fc.Arbitrary<Phase> = fc.constantFrom<Phase>(
    { name: 'stopped', completed: true },
    { name: 'blocked' },
    {
      name: 'running',
      process: LEADER,
      since: 1,
      ready: true,
      unreadyReason: '',
      mainKnown: true,
      throttled: [],
    },
    { name: 'backoff', until: 4000.5, reason: 'x' },
    { name: 'failed', failure: { code: 'E_GAVE_UP', message: 'x' } },
  );
  const workers: fc.Arbitrary<Worker> = fc
    .record({ phase: phases, run: fc.nat(), restarts: fc.nat() })
    .map((known) => ({
      ...newWorker('web'),
      desired: 'up',
      ...known,
    }));

  test('survives being written down, and the recalled worker is the same but for who waits', () => {
    fc.assert(
      fc.property(workers, (worker) => {
        const { trace } = memo();
        const written = JSON.parse(JSON.stringify(memoOf(worker, true, trace))) as WorkerMemo;
        expect(written).toEqual(memoOf(worker, true, trace));
        const rig = new Rig().tell({ kind: 'recalled', memo: written, desired: 'up' });
        if (worker.phase.name !== 'blocked') expect(rig.phase).toEqual(worker.phase);
        expect(rig.worker.restarts).toBe(worker.restarts);
      }),
    );
  });
});

describe('memo and record together', () => {
  const record = (run: number, differs: Partial<RecordedRun> = {}): RecordedRun => ({
    run,
    process: CHILD,
    mark: `m1.web.${run}`,
    at: 700,
    command: 'c',
    limits: 'l',
    ...differs,
  });

  test('neither: nothing is known', () => expect(reconcile(null, null)).toBeNull());

  test('only a record: the run goes on, with counters that begin anew', () => {
    const known = reconcile(null, record(5));
    expect(known).toMatchObject({ desired: 'up', run: 5, restarts: 0, trace: { mark: 'm1.web.5', at: 700 } });
    expect(known === null ? null : processOf(known)).toEqual(CHILD);
  });

  test('a record that is newer than the memo names the run; the counters are those that are known', () => {
    expect(reconcile(memo(), record(4))).toMatchObject({
      run: 4,
      restarts: 2,
      phase: { name: 'starting', process: CHILD },
      trace: { mark: 'm1.web.4' },
    });
  });

  test('of a run that was starting the record names the process; without it the program never began', () => {
    const starting = memo({ phase: { name: 'starting', end: 'stop', process: null } });
    expect(reconcile(starting, record(3))?.phase).toEqual({ name: 'starting', end: 'stop', process: CHILD });
    expect(reconcile(starting, null)?.phase).toEqual({ name: 'blocked' });
    expect(reconcile(starting, record(2))?.phase).toEqual({ name: 'blocked' });
  });

  test('a run that the memo says to run runs, whatever became of its record', () => {
    for (const beside of [null, record(2), record(3)]) expect(reconcile(memo(), beside)).toEqual(memo());
  });

  test('a run that the memo says to be over is over, although its record is still there', () => {
    const over = memo({ phase: { name: 'backoff', until: 5, reason: 'x' } });
    expect(reconcile(over, record(3))).toEqual(over);
    expect(processOf(over)).toBeNull();
  });
});

describe('what outlives a reboot', () => {
  const worker = (phase: Phase, breaker: FailureHistory['breaker']): Worker => ({
    ...newWorker('web'),
    phase,
    history: { streak: 4, restarts: [1, 2], breaker },
  });
  const stopped = { name: 'stopped', completed: false } as const;
  const open = { state: 'open', until: 61_000, trips: 1 } as const;

  test('is nothing while the breaker is closed', () => {
    expect(judgementOf(worker(stopped, { state: 'closed' }), 0, 0)).toBeNull();
  });

  test.each([
    ['E_GAVE_UP', true],
    ['E_LIMIT', true],
    ['E_EXITED', false],
    ['E_EXEC_NOT_FOUND', false],
  ] as const)('is a failure of code %s: %s', (code, outlives) => {
    const failed = { name: 'failed', failure: { code, message: 'x' } } as const;
    const judgement = judgementOf(worker(failed, { state: 'closed' }), 0, 0);
    expect(judgement).toEqual(outlives ? { kind: 'failed', failure: failed.failure } : null);
  });

  test('is an open breaker until its wall time, however long the machine was off', () => {
    const judgement = judgementOf(worker(stopped, open), 1000, 5_000_000);
    expect(judgement).toEqual({ kind: 'open', until: 5_060_000, trips: 1, streak: 4 });
    if (judgement === null) return;
    const after = (wallNow: number) => memoOfJudgement(judgement, spec(), 10, wallNow).phase;
    expect(after(5_020_000)).toMatchObject({ name: 'backoff', until: 10 + 40_000 });
    expect(after(9_000_000)).toMatchObject({ name: 'backoff', until: 10 });
    // The clock was set back: no longer than a whole cool-down.
    expect(after(0)).toMatchObject({ name: 'backoff', until: 10 + RULE.coolDown });
  });

  test('is a trial that is still to be made', () => {
    const judgement = judgementOf(worker(stopped, { state: 'half-open', trips: 2 }), 0, 0);
    if (judgement === null) return expect.unreachable();
    const known = memoOfJudgement(judgement, spec(), 10, 0);
    const rig = new Rig().tell({ kind: 'recalled', memo: known, desired: 'up' }).started().exited();
    expect(rig.payload('worker.backing-off')).toMatchObject({ breaker: 'open', delay: 4 * RULE.coolDown });
  });
});

describe('the digest', () => {
  test('is the same whatever the order of members, and another for other values', () => {
    expect(digest({ a: 1, b: [1, { c: 2, d: 3 }] })).toBe(digest({ b: [1, { d: 3, c: 2 }], a: 1 }));
    expect(digest({ a: [1, 2] })).not.toBe(digest({ a: [2, 1] }));
  });

  test('tells apart what differs in one character', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.nat(), (text, at) => {
        const index = at % text.length;
        const other =
          text.slice(0, index) + String.fromCharCode(text.charCodeAt(index) ^ 1) + text.slice(index + 1);
        expect(digest(text)).not.toBe(digest(other));
        expect(digest(text)).toMatch(/^[0-9a-f]{16}$/);
      }),
    );
  });
});
