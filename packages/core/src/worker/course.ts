import type { Failure } from '../errors.ts';
import type { StopCause } from '../events/catalogue.ts';
import { noFailures } from '../restart/breaker.ts';
import { decideRestart, type RestartDecision, type RestartQuestion } from '../restart/decide.ts';
import { formatDuration, type Milliseconds } from '../units.ts';
import { describeExit, type Exit, isSuccess, type ProcessIdentity } from './exit.ts';
import { hasReadiness } from './spec.ts';
import type { Running, Stopping } from './state.ts';
import type { Turn } from './turn.ts';

/** How long SIGKILL may take before the tree is looked at again; the kernel needs milliseconds. */
export const KILL_WAIT: Milliseconds = 5000;

/** Begins a run if nothing is missing, else waits for the dependencies. The only place where runs begin. */
export function startOrWait(turn: Turn): void {
  if (turn.in.ending) {
    rest(turn);
    return;
  }
  if (turn.worker.waiting.length > 0) {
    turn.become({ name: 'blocked' });
    turn.publish('worker.blocked', { waiting: turn.worker.waiting });
    return;
  }
  const run = turn.worker.run + 1;
  turn.set({ run });
  turn.become({ name: 'starting', end: null });
  turn.publish('worker.starting', { restarts: turn.worker.restarts });
  turn.act({ kind: 'spawn', run });
}

/** The program runs. */
export function beginRunning(turn: Turn, process: ProcessIdentity, warning: string | null): Running {
  const { spec, now } = turn.in;
  const mainKnown = spec.mainProcess === null;
  const phase: Running = {
    name: 'running',
    process,
    since: now,
    ready: !hasReadiness(spec),
    unreadyReason: '',
    mainKnown,
  };
  turn.become(phase);
  turn.publish('worker.started', { process, warning });
  turn.act({ kind: 'begin-hooks', run: turn.worker.run, process });
  if (turn.worker.history !== noFailures) {
    turn.act({ kind: 'set-timer', run: turn.worker.run, timer: 'reset', delay: resetAfter(turn) });
  }
  if (phase.ready && mainKnown) turn.publish('worker.ready', {});
  return phase;
}

function resetAfter(turn: Turn): Milliseconds {
  const { exit, health } = turn.in.spec.restart;
  return Math.max(exit.resetAfter, health.resetAfter);
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
  const { spec, now } = turn.in;
  const { run } = turn.worker;
  turn.act({ kind: 'clear-timer', timer: 'reset' });
  turn.act({ kind: 'end-hooks', run });
  const { process, since } = phase;
  const stopping: Stopping = {
    name: 'stopping',
    process,
    since,
    askedAt: now,
    cause,
    detail,
    step: 'asking',
    exit,
    survivors: [],
  };
  turn.become(stopping);
  turn.publish('worker.stopping', { cause, detail });
  turn.act({ kind: 'signal-tree', run, signal: spec.stop.signal });
  turn.act({ kind: 'set-timer', run, timer: 'grace', delay: spec.stop.grace });
  return stopping;
}

/** Ends the asking. */
export function kill(turn: Turn, phase: Stopping): void {
  const { run } = turn.worker;
  turn.act({ kind: 'clear-timer', timer: 'grace' });
  turn.become({ ...phase, step: 'killing' });
  turn.publish('worker.killed', { after: turn.in.now - phase.askedAt });
  turn.act({ kind: 'signal-tree', run, signal: 'SIGKILL' });
  turn.act({ kind: 'set-timer', run, timer: 'verify', delay: KILL_WAIT });
}

/** Publishes the end of the main process; `asked`: the master had asked for it. */
export function publishExit(
  turn: Turn,
  since: number,
  exit: Exit,
  remaining: readonly ProcessIdentity[],
  asked: boolean,
): void {
  turn.publish('worker.exited', {
    exit,
    asked,
    success: isSuccess(exit, turn.in.spec.restart.successCodes),
    uptime: turn.in.now - since,
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
  const probe = cause === 'liveness' || cause === 'startup';
  const byMain = cause === 'main-process';
  const reason =
    phase.name === 'stopping' && (probe || byMain)
      ? phase.detail
      : `${describeExit(exit)} after ${formatDuration(uptime)}`;
  const counts = success && !probe && !byMain;
  const question = { cause: probe ? 'health' : 'exit', success: counts, lasting: false, uptime } as const;
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
  const { history, delay } = decision;
  turn.set({ history });
  turn.become({ name: 'backoff', until: turn.in.now + delay, reason });
  turn.publish('worker.backing-off', {
    delay,
    until: turn.in.wallNow + delay,
    failures: history.streak,
    breaker: decision.kind === 'pause' ? 'open' : 'closed',
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
