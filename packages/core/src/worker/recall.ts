import { effectiveLimits } from '../limits/adjust.ts';
import { type FailureHistory, noFailures } from '../restart/breaker.ts';
import { beginKill, beginStop, forgiveLater, startOrWait, waitToRetry } from './course.ts';
import { digest, startDigest } from './digest.ts';
import type { Exit, ProcessIdentity } from './exit.ts';
import type { MemoPhase, RunTrace, WorkerMemo } from './memo.ts';
import type { RecalledMessage } from './messages.ts';
import { CHANGED } from './respec.ts';
import { hasReadiness } from './spec.ts';
import type { Running, Stopped } from './state.ts';
import type { Turn } from './turn.ts';

/** The worker goes on where an earlier master left it. */
export function recall(turn: Turn, _phase: Stopped, { memo, desired }: RecalledMessage): void {
  const { run, restarts, history, lastEnd, phase, trace } = memo;
  const { spec } = turn.in;
  // What was raised of other limits says nothing about these.
  const isSame = trace?.limits === digest(spec.limits);
  const limitFactors = isSame ? memo.limitFactors : {};
  turn.set({ desired, run, restarts, history: asKnown(history), lastEnd, limitFactors });
  const running = trace === null ? null : runningOf(turn, phase, trace);
  if (running !== null && trace !== null) {
    attach(turn, running, trace, { exit: phase.name === 'stopping' ? phase.exit : null, limitsHold: isSame });
    goOn(turn, running, memo, trace);
  } else if (desired === 'up') goOnWithoutRun(turn, phase, isOther(turn, trace));
}

/** That nothing is held against it is one value. */
function asKnown(history: FailureHistory): FailureHistory {
  const { streak, restarts, breaker } = history;
  return streak === 0 && restarts.length === 0 && breaker.state === 'closed' ? noFailures : history;
}

/** The run as it is until it is known to be over; null: none was left. */
function runningOf({ in: { spec } }: Turn, phase: MemoPhase, trace: RunTrace): Running | null {
  const fresh = (process: ProcessIdentity, since: number): Running => ({
    name: 'running',
    process,
    since,
    ready: !hasReadiness(spec),
    unreadyReason: '',
    mainKnown: spec.mainProcess === null,
    throttled: [],
  });
  switch (phase.name) {
    case 'running':
      return { ...phase, throttled: [] };
    case 'stopping':
      return { ...fresh(phase.process, phase.since), mainKnown: true };
    case 'starting':
      return phase.process === null ? null : fresh(phase.process, trace.at);
    default:
      return null;
  }
}

function attach(
  turn: Turn,
  running: Running,
  { mark }: RunTrace,
  { exit, limitsHold }: { readonly exit: Exit | null; readonly limitsHold: boolean },
): void {
  const { worker, in: circumstances } = turn;
  const { run, restarts } = worker;
  const { process, since, ready, mainKnown } = running;
  const limits = effectiveLimits(circumstances.spec.limits, worker.limitFactors);
  turn.become(running);
  const uptime = Math.max(0, Math.round(circumstances.now - since));
  turn.publish('worker.attached', {
    process,
    uptime,
    restarts,
    ready: ready && mainKnown,
    origin: 'earlier-master',
  });
  turn.act({ kind: 'attach', run, process, mark, exit, limits, limitsHold });
  // The master before may have held it back.
  turn.act({ kind: 'throttle', run, percent: null });
}

/** What follows for a run that may be alive; if it is not, its host says so next. */
function goOn(turn: Turn, running: Running, { phase, desired }: WorkerMemo, trace: RunTrace): void {
  if (phase.name === 'stopping') {
    // Nobody knows whether it was asked already; it gets its whole grace again.
    const { cause, detail, answer, step } = phase;
    const stopping =
      step === 'killing'
        ? beginKill(turn, running, cause, detail)
        : beginStop(turn, running, cause, detail, null);
    turn.become({ ...stopping, answer, earlierExit: phase.exit });
    return;
  }
  if (turn.worker.desired === 'down') {
    const isKill = phase.name === 'starting' && phase.end === 'kill';
    const detail = desired === 'down' ? '' : 'it is not enabled any more';
    if (isKill) beginKill(turn, running, 'operator', detail);
    else beginStop(turn, running, 'operator', detail, null);
    return;
  }
  if (isOther(turn, trace)) {
    beginStop(turn, running, 'restart', CHANGED, null);
    return;
  }
  if (phase.name === 'starting' && phase.end === 'restart') {
    beginStop(turn, running, 'restart', 'asked for while it was starting', null);
    return;
  }
  turn.act({ kind: 'begin-hooks', run: turn.worker.run, process: running.process });
  forgiveLater(turn, running.since);
}

/** Whether what it ran last was something else than what it is to run. */
function isOther({ in: { spec } }: Turn, trace: RunTrace | null): boolean {
  return trace !== null && trace.command !== null && trace.command !== startDigest(spec);
}

/** Its master had stopped it and did not live to end itself: it is wanted again, but an open breaker stays open until its time. */
function startAfterCut(turn: Turn): void {
  const { breaker } = turn.worker.history;
  if (breaker.state !== 'open') startOrWait(turn);
  else waitToRetry(turn, breaker.until, Math.max(0, breaker.until - turn.in.now), 'it failed too often');
}

/** Nothing of it is alive, and it is wanted up. The failures of another command are none of this one’s. */
function goOnWithoutRun(turn: Turn, phase: MemoPhase, isOther: boolean): void {
  const hasCompleted = phase.name === 'stopped' && phase.completed;
  if (isOther && (phase.name === 'failed' || phase.name === 'backoff' || hasCompleted)) {
    turn.set({ history: noFailures });
    startOrWait(turn);
    return;
  }
  switch (phase.name) {
    case 'failed':
      turn.become(phase);
      turn.publish('worker.failed', { failure: phase.failure });
      return;
    case 'backoff':
      waitToRetry(turn, phase.until, Math.max(0, phase.until - turn.in.now), phase.reason);
      return;
    case 'stopped':
      if (!phase.completed) {
        startAfterCut(turn);
        return;
      }
      turn.become(phase);
      turn.publish('worker.stopped', { completed: true });
      return;
    default:
  }
  startOrWait(turn);
}
