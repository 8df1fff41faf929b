import type { Failure } from '../errors.ts';
import type { StopCause } from '../events/catalogue.ts';
import { effectiveLimits } from '../limits/adjust.ts';
import { isLoss, type LimitReport, type LimitsSpec } from '../limits/spec.ts';
import { noFailures } from '../restart/breaker.ts';
import { decideRestart, type RestartDecision, type RestartQuestion } from '../restart/decide.ts';
import { rulesOf } from '../restart/policy.ts';
import { formatDuration, type Milliseconds, type MonotonicTime } from '../units.ts';
import { answerToKill, type LimitAnswer, publishKill, publishRefusal, raise } from './answer.ts';
import { awaitProcess } from './await-process.ts';
import { describeExit, type Exit, isSuccess, type ProcessIdentity } from './exit.ts';
import type { FactMessage } from './messages.ts';
import { hasReadiness, type WorkerSpec } from './spec.ts';
import type { Running, Stopping } from './state.ts';
import { unthrottle } from './throttle.ts';
import type { Turn } from './turn.ts';

/** How long SIGKILL may take before the tree is looked at again; the kernel needs milliseconds. */
export const KILL_WAIT: Milliseconds = 5000;

/** Begins a run if nothing is missing, else waits for the dependencies. The only place where runs begin. */
export function startOrWait(turn: Turn): void {
  if (turn.in.ending) {
    rest(turn);
    return;
  }
  const { unmanaged } = turn.in.spec;
  if (unmanaged !== null) {
    awaitProcess(turn, unmanaged);
    return;
  }
  if (turn.worker.waiting.length > 0) {
    turn.become({ name: 'blocked' });
    turn.publish('worker.blocked', { waiting: turn.worker.waiting });
    return;
  }
  const run = nextRun(turn);
  turn.set({ run });
  turn.become({ name: 'starting', end: null, outdated: false, replaced: false });
  turn.publish('worker.starting', { restarts: turn.worker.restarts });
  turn.act({ kind: 'spawn', run, limits: effectiveLimits(turn.in.spec.limits, turn.worker.limitFactors) });
}

/** Numbers are given once in the life of a state directory, also where all else begins anew. */
export function nextRun({ worker, in: { runsBefore } }: Turn): number {
  return Math.max(worker.run, runsBefore) + 1;
}

/** The program runs. */
export function beginRunning(turn: Turn, message: FactMessage & { readonly kind: 'spawned' }): Running {
  const { process, warning } = message;
  const { spec, now } = turn.in;
  const mainKnown = spec.mainProcess === null;
  const phase: Running = {
    name: 'running',
    process,
    since: now,
    ready: !hasReadiness(spec),
    unreadyReason: '',
    mainKnown,
    throttled: [],
  };
  turn.become(phase);
  turn.publish('worker.started', { process, warning });
  noteLimits(turn, message.limits);
  turn.act({ kind: 'begin-hooks', run: turn.worker.run, process });
  forgiveLater(turn, now);
  if (phase.ready && mainKnown) turn.publish('worker.ready', {});
  return phase;
}

/** Says of each limit once that it cannot be enforced. */
export function noteLimits(turn: Turn, reports: readonly LimitReport[]): void {
  const lost = reports.filter(isLoss).filter((report) => !turn.worker.unenforceable.includes(keyOf(report)));
  turn.set({
    limitReports: reports,
    unenforceable: [...turn.worker.unenforceable, ...lost.map(keyOf)],
  });
  for (const { limit, status, reason, quota } of lost)
    turn.publish('limit.unenforceable', { limit, status, quota: quota ?? null, reason });
}

/** A worker and the budgets around it may have the same limits. */
function keyOf({ limit, quota }: LimitReport): string {
  return quota === undefined ? limit : `${quota.kind} ${quota.id} ${limit}`;
}

/** Gives the living tree the limits that the spec has now; where it has none, `lifted`. */
export function setLimits(turn: Turn, lifted: LimitsSpec | null = null): void {
  const limits = turn.in.spec.limits ?? lifted;
  if (limits !== null) turn.act({ kind: 'set-limits', run: turn.worker.run, limits });
}

/** A run that began at `since` and lives long enough forgives what was before it. */
export function forgiveLater(turn: Turn, since: MonotonicTime): void {
  if (turn.worker.history === noFailures) return;
  const resetAfter = Math.max(...rulesOf(turn.in.spec.restart).map((rule) => rule.resetAfter));
  const delay = Math.max(0, since + resetAfter - turn.in.now);
  turn.act({ kind: 'set-timer', run: turn.worker.run, timer: 'reset', delay });
}

/** Another process became the one whose life is the run’s. */
export function changeMain(turn: Turn, phase: Running, process: ProcessIdentity, expected: boolean): void {
  turn.become({ ...phase, process, mainKnown: true });
  turn.act({ kind: 'follow', run: turn.worker.run, process });
  turn.publish('worker.daemonized', { process, expected });
  if (phase.ready && !phase.mainKnown) turn.publish('worker.ready', {});
  turn.settleAll('running', { kind: 'done', already: false });
}

/** Asks the whole tree of a run to end. `exit` is set where the main process is gone already. */
export function beginStop(
  turn: Turn,
  phase: Running,
  cause: StopCause,
  detail: string,
  exit: Exit | null,
): Stopping {
  const stopping = leaveRunning(turn, phase, cause, detail, exit);
  const { run } = turn.worker;
  const { signal, grace } = turn.in.spec.stop;
  turn.act({ kind: 'signal-tree', run, signal, grace });
  turn.act({ kind: 'set-timer', run, timer: 'grace', delay: grace });
  return stopping;
}

/** Kills the whole tree of a run without asking it first. */
export function beginKill(turn: Turn, phase: Running, cause: StopCause, detail: string): Stopping {
  return kill(turn, leaveRunning(turn, phase, cause, detail, null));
}

/** The run is to end: nothing accompanies it any more. */
export function leaveRunning(
  turn: Turn,
  phase: Running,
  cause: StopCause,
  detail: string,
  exit: Exit | null,
): Stopping {
  const { now } = turn.in;
  const { run } = turn.worker;
  turn.act({ kind: 'clear-timer', timer: 'reset' });
  turn.act({ kind: 'end-hooks', run });
  unthrottle(turn, phase, 'the tree is ended');
  const { process, since } = phase;
  const stopping: Stopping = {
    name: 'stopping',
    process,
    since,
    askedAt: now,
    cause,
    detail,
    answer: null,
    step: 'asking',
    exit,
    earlierExit: null,
    restartAfter: false,
    survivors: [],
  };
  turn.become(stopping);
  turn.publish('worker.stopping', { cause, detail });
  return stopping;
}

/** Ends the asking. */
export function kill(turn: Turn, phase: Stopping): Stopping {
  const { run } = turn.worker;
  const killing: Stopping = { ...phase, step: 'killing' };
  turn.act({ kind: 'clear-timer', timer: 'grace' });
  turn.become(killing);
  turn.publish('worker.killed', { after: Math.round(turn.in.now - phase.askedAt) });
  turn.act({ kind: 'signal-tree', run, signal: 'SIGKILL', grace: null });
  turn.act({ kind: 'set-timer', run, timer: 'verify', delay: KILL_WAIT });
  return killing;
}

/** Publishes the end of the main process; `asked`: the master had asked for it. */
export function publishExit(
  turn: Turn,
  since: number,
  exit: Exit,
  remaining: readonly ProcessIdentity[],
  asked: boolean,
): void {
  publishKill(turn, exit);
  if (!asked) publishRefusal(turn, exit);
  turn.publish('worker.exited', {
    exit,
    asked,
    success: isSuccess(exit, turn.in.spec.restart.successCodes),
    uptime: Math.round(turn.in.now - since),
    remaining,
  });
}

/** The tree is empty: the run is over, and only now may the next one begin. */
export function endRun(turn: Turn, phase: Running | Stopping, exit: Exit, cause: StopCause | null): void {
  const { spec, now } = turn.in;
  const { run, desired } = turn.worker;
  const success = isSuccess(exit, spec.restart.successCodes);
  const uptime = now - phase.since;
  if (phase.name === 'running') {
    turn.act({ kind: 'clear-timer', timer: 'reset' });
    turn.act({ kind: 'end-hooks', run });
    unthrottle(turn, phase, 'the tree is gone');
  } else {
    turn.act({ kind: 'clear-timer', timer: 'grace' });
    turn.act({ kind: 'clear-timer', timer: 'verify' });
  }
  turn.act({ kind: 'close-run', run });
  turn.set({ lastEnd: { run, exit, success, uptime, at: now } });
  if (desired === 'down') {
    rest(turn);
    return;
  }
  if (cause === 'operator' || cause === 'restart' || cause === 'dependency' || cause === 'shutdown') {
    startOrWait(turn);
    return;
  }
  const ended = `${describeExit(exit)} after ${formatDuration(uptime)}`;
  const reason = phase.name === 'stopping' && cause !== 'left-behind' ? phase.detail : ended;
  const answer =
    phase.name === 'stopping' && cause === 'limit' ? phase.answer : answerToExit(spec, exit, cause);
  if (answer !== null) endAtLimit(turn, answer, reason, uptime);
  else endByItself(turn, { cause, reason, success, uptime });
}

/** The kernel’s kill at a limit is answered like an excess; what else ended the run goes before it. */
function answerToExit(spec: WorkerSpec, exit: Exit, cause: StopCause | null): LimitAnswer | null {
  const isByItself = cause === null || cause === 'left-behind';
  return isByItself ? answerToKill(spec, exit) : null;
}

function endAtLimit(turn: Turn, { limit, policy }: LimitAnswer, reason: string, uptime: Milliseconds): void {
  const message = `worker "${turn.worker.id}": ended for its limit ${limit}: ${reason}`;
  const failure: Failure = { code: 'E_LIMIT', message };
  if (policy !== 'restart' && policy !== 'restart_adjusted') {
    fail(turn, failure);
    return;
  }
  if (policy === 'restart_adjusted' && turn.in.spec.restart.mode !== 'never') raise(turn, limit);
  tryAgain(turn, { cause: 'resource', success: false, lasting: false, uptime }, failure, reason);
}

/** Nobody asked it to end, or a probe did. */
function endByItself(
  turn: Turn,
  end: {
    readonly cause: StopCause | null;
    readonly reason: string;
    readonly success: boolean;
    readonly uptime: Milliseconds;
  },
): void {
  const { cause, reason, uptime } = end;
  const probe = cause === 'liveness' || cause === 'startup';
  const byMain = cause === 'main-process';
  const success = end.success && !probe && !byMain;
  const question = { cause: probe ? 'health' : 'exit', success, lasting: false, uptime } as const;
  const code = byMain ? 'E_MAIN_PROCESS' : 'E_EXITED';
  tryAgain(turn, question, { code, message: `worker "${turn.worker.id}": ${reason}` }, reason);
}

/** Nothing is alive and nothing is wanted. */
export function rest(turn: Turn): void {
  turn.become({ name: 'stopped', completed: false });
  turn.publish('worker.stopped', { completed: false });
  turn.settleAll('rest', { kind: 'done', already: false });
  turn.settleAll('running', { kind: 'superseded' });
}

/** Lets the one restart decision decide what follows a run or a failed start. `reason` is the failure in few words. */
export function tryAgain(turn: Turn, question: RestartQuestion, failure: Failure, reason: string): void {
  const decision = decideRestart(
    turn.worker.history,
    turn.in.spec.restart,
    question,
    turn.in.now,
    turn.in.random,
  );
  follow(turn, decision, failure, reason);
}

function follow(turn: Turn, decision: RestartDecision, failure: Failure, reason: string): void {
  switch (decision.kind) {
    case 'complete':
      turn.set({ history: noFailures });
      turn.become({ name: 'stopped', completed: true });
      turn.publish('worker.stopped', { completed: true });
      return;
    case 'rest':
      fail(turn, { code: failure.code, message: `${failure.message}; ${decision.reason}` });
      return;
    case 'give-up':
      turn.set({ history: decision.history });
      fail(turn, {
        code: 'E_GAVE_UP',
        message: `${failure.message}; gave up after ${decision.history.streak} failures`,
      });
      return;
    default:
      backOff(turn, decision, reason);
  }
}

function fail(turn: Turn, failure: Failure): void {
  turn.become({ name: 'failed', failure });
  turn.publish('worker.failed', { failure });
  turn.settleAll('running', { kind: 'failed', failure });
}

function backOff(turn: Turn, decision: RestartDecision & { kind: 'retry' | 'pause' }, reason: string): void {
  turn.set({ history: decision.history });
  waitToRetry(turn, turn.in.now + decision.delay, decision.delay, reason);
}

/** Waits for the next try, which is due at `until`, in `delay`, maybe at once. */
export function waitToRetry(turn: Turn, until: MonotonicTime, delay: Milliseconds, reason: string): void {
  const { history } = turn.worker;
  turn.become({ name: 'backoff', until, reason });
  turn.publish('worker.backing-off', {
    delay,
    until: turn.in.wallNow + delay,
    failures: history.streak,
    breaker: history.breaker.state === 'open' ? 'open' : 'closed',
    reason,
  });
  if (delay <= 0) {
    retry(turn);
    return;
  }
  turn.act({ kind: 'set-timer', run: turn.worker.run, timer: 'backoff', delay });
}

/** The delay is over. */
export function retry(turn: Turn): void {
  const { history } = turn.worker;
  if (history.breaker.state === 'open') {
    turn.set({ history: { ...history, breaker: { state: 'half-open', trips: history.breaker.trips } } });
  }
  turn.set({ restarts: turn.worker.restarts + 1 });
  startOrWait(turn);
}
