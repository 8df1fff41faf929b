import type { UnmanagedControl, UnmanagedSpec } from '../discovery/spec.ts';
import type { Failure } from '../errors.ts';
import type { StopCause } from '../events/catalogue.ts';
import { effectiveLimits } from '../limits/adjust.ts';
import { noFailures } from '../restart/breaker.ts';
import { done, ignore, join, late, remember, unexpected, want } from './cells.ts';
import { beginStop, endRun, kill, leaveRunning, nextRun, publishExit, startOrWait } from './course.ts';
import type { FactMessage, Message } from './messages.ts';
import { askOtherwise } from './respec.ts';
import { hasReadiness, type SignalName, type WorkerSpec } from './spec.ts';
import type { Blocked, Running, Stopping } from './state.ts';
import { TABLE, type Table } from './table.ts';
import type { Turn } from './turn.ts';

type MessageOf<K extends Message['kind']> = Extract<Message, { kind: K }>;
type Ending = MessageOf<'stop'> | MessageOf<'kill'>;

/** Only called with the spec of such a unit. */
function unmanagedOf({ in: { spec } }: Turn): UnmanagedSpec {
  if (spec.unmanaged === null) throw new Error(`worker "${spec.id}" is not unmanaged`);
  return spec.unmanaged;
}

function refusal({ worker }: Turn, what: string, lacks: string): Failure {
  const message = `worker "${worker.id}": its process was not started by this master, and ${lacks}; it may not be ${what}`;
  return { code: 'E_UNMANAGED', message };
}

/** Why a signal may not be sent to the process of an unmanaged unit; null: it may. */
export function signalRefusal({ id, unmanaged }: WorkerSpec, signal: SignalName): Failure | null {
  if (unmanaged === null || unmanaged.control.signals.includes(signal)) return null;
  const allowed = unmanaged.control.signals.join(', ') || 'none';
  const message = `worker "${id}": ${signal} is not in control.allowed_signals (${allowed})`;
  return { code: 'E_UNMANAGED', message };
}

/** Whether somebody can be asked to do it. */
function hasWay({ service, commands }: UnmanagedControl, action: 'stop' | 'restart'): boolean {
  return commands[action] !== null || service !== null;
}

function stopRefusal(turn: Turn): Failure | null {
  const { control } = unmanagedOf(turn);
  const { signal } = turn.in.spec.stop;
  if (!control.terminate) return refusal(turn, 'ended', 'control.can_terminate is not true');
  if (hasWay(control, 'stop') || control.signals.includes(signal)) return null;
  const lacks = `neither a service nor a command is named in control, and ${signal} is not in control.allowed_signals`;
  return refusal(turn, 'ended', lacks);
}

function killRefusal(turn: Turn): Failure | null {
  const { control } = unmanagedOf(turn);
  if (!control.terminate) return refusal(turn, 'killed', 'control.can_terminate is not true');
  if (control.signals.includes('SIGKILL')) return null;
  return refusal(turn, 'killed', 'SIGKILL is not in control.allowed_signals');
}

function restartRefusal(turn: Turn): Failure | null {
  const { control } = unmanagedOf(turn);
  if (!control.restart) return refusal(turn, 'restarted', 'control.can_restart is not true');
  if (hasWay(control, 'restart')) return null;
  return refusal(turn, 'restarted', 'control names neither a service nor a restart command');
}

/** The process is there: takes charge of it, as far as is allowed. */
function appeared(turn: Turn, _phase: Blocked, { process, age }: MessageOf<'appeared'>): void {
  const { worker, in: circumstances } = turn;
  const { spec, now } = circumstances;
  if (worker.waiting.some(({ condition }) => condition !== 'process')) return;
  const run = nextRun(turn);
  turn.set({ run, waiting: [], limitFactors: {} });
  const running: Running = {
    name: 'running',
    process,
    since: now - age,
    ready: !hasReadiness(spec),
    unreadyReason: '',
    mainKnown: true,
    throttled: [],
  };
  turn.become(running);
  const { ready } = running;
  const { restarts } = worker;
  turn.publish('worker.attached', { process, uptime: age, restarts, ready, origin: 'foreign' });
  turn.act({ kind: 'accompany', run, process, limits: effectiveLimits(spec.limits, {}) });
  turn.act({ kind: 'begin-hooks', run, process });
  if (ready) turn.publish('worker.ready', {});
  turn.settleAll('running', done);
}

/** The master ends, the process does not. */
function detach(turn: Turn, phase: Running | Stopping, ticket: number | null): void {
  const { run } = turn.worker;
  turn.act({ kind: 'clear-timer', timer: 'grace' });
  turn.act({ kind: 'clear-timer', timer: 'verify' });
  if (phase.name === 'running') turn.act({ kind: 'end-hooks', run });
  turn.act({ kind: 'close-run', run });
  turn.become({ name: 'stopped', completed: false });
  turn.publish('worker.detached', { process: phase.process });
  turn.settle(ticket, done);
  turn.settleAll('rest', done);
  turn.settleAll('running', { kind: 'superseded' });
}

/** It is told otherwise which process is meant: what was found is let go, and it is looked for again. */
function lookAnew(
  turn: Turn,
  phase: Running | Stopping,
  { restart, probes }: MessageOf<'spec-changed'>,
): void {
  if (!restart) {
    if (probes && phase.name === 'running') askOtherwise(turn, phase);
    return;
  }
  // Who waits for its end waits on.
  if (turn.worker.desired === 'down') return;
  detach(turn, phase, null);
  startOrWait(turn);
}

/** Has it ended or replaced by whoever may do that. */
function ask(
  turn: Turn,
  phase: Running,
  action: 'stop' | 'restart',
  cause: StopCause,
  detail: string,
): Stopping {
  const { control } = unmanagedOf(turn);
  if (action === 'stop' && !hasWay(control, 'stop')) return beginStop(turn, phase, cause, detail, null);
  const stopping = leaveRunning(turn, phase, cause, detail, null);
  askWhoMay(turn, action);
  return stopping;
}

/** Gives them the whole grace. */
function askWhoMay(turn: Turn, action: 'stop' | 'restart'): void {
  const { run } = turn.worker;
  turn.act({ kind: 'control', run, action });
  turn.act({ kind: 'set-timer', run, timer: 'grace', delay: turn.in.spec.stop.grace });
}

/** The master ends, or has the unit no more: its process is none of that. */
function letGo(turn: Turn, phase: Running | Stopping, { cause, ticket }: Ending): void {
  if (cause === 'configuration') want(turn, 'down', false);
  detach(turn, phase, ticket);
}

function end(turn: Turn, phase: Running, message: Ending): void {
  if (message.cause !== 'operator') {
    letGo(turn, phase, message);
    return;
  }
  const isKill = message.kind === 'kill';
  const failure = isKill ? killRefusal(turn) : stopRefusal(turn);
  if (failure !== null) {
    turn.settle(message.ticket, { kind: 'failed', failure });
    return;
  }
  want(turn, 'down', true);
  turn.hold(message.ticket, 'rest');
  if (isKill) kill(turn, leaveRunning(turn, phase, message.cause, 'without grace', null));
  else ask(turn, phase, 'stop', message.cause, '');
}

function restart(turn: Turn, phase: Running, message: MessageOf<'restart'>): void {
  const failure = restartRefusal(turn);
  if (failure !== null) {
    turn.settle(message.ticket, { kind: 'failed', failure });
    return;
  }
  want(turn, 'up', true);
  turn.hold(message.ticket, 'running');
  ask(turn, phase, 'restart', 'restart', 'restart was asked for');
}

/** While it ends: who restarts it anyway need not be asked again; who only ends it is asked for a new one after that. */
function restartMeanwhile(turn: Turn, phase: Stopping, message: MessageOf<'restart'>): void {
  const failure = restartRefusal(turn);
  if (failure !== null) {
    turn.settle(message.ticket, { kind: 'failed', failure });
    return;
  }
  startMeanwhile(turn, phase, message);
  if (askedFor(phase) === 'stop') turn.become({ ...phase, restartAfter: true });
}

/** What it is ended for stays what it is: a restart that is under way is no end for good, which might take SIGKILL. */
function startMeanwhile(turn: Turn, phase: Stopping, message: { readonly ticket: number | null }): void {
  turn.set({ history: noFailures });
  join(turn, phase, message);
}

/** While it is restarted or ended: a restart that is under way would leave a new process. */
function stopMeanwhile(turn: Turn, phase: Stopping, message: MessageOf<'stop'>): void {
  if (message.cause !== 'operator') {
    letGo(turn, phase, message);
    return;
  }
  if (askedFor(phase) === 'stop') {
    TABLE.stopping.stop(turn, phase, message);
    turn.become({ ...phase, restartAfter: false });
    return;
  }
  const failure = stopRefusal(turn);
  if (failure !== null) {
    turn.settle(message.ticket, { kind: 'failed', failure });
    return;
  }
  TABLE.stopping.stop(turn, phase, message);
  turn.become({ ...phase, cause: 'operator', detail: '' });
  if (hasWay(unmanagedOf(turn).control, 'stop')) {
    askWhoMay(turn, 'stop');
    return;
  }
  const { run } = turn.worker;
  const { signal, grace } = turn.in.spec.stop;
  turn.act({ kind: 'signal-tree', run, signal, grace });
  turn.act({ kind: 'set-timer', run, timer: 'grace', delay: grace });
}

/** Nobody has asked for it but a probe, a limit or a dependency: it is done where it is allowed. */
function restartIfAllowed(turn: Turn, phase: Running, cause: StopCause, detail: string): void {
  if (turn.in.spec.restart.mode === 'never' || restartRefusal(turn) !== null) return;
  ask(turn, phase, 'restart', cause, detail);
}

function exceeded(turn: Turn, phase: Running, message: MessageOf<'limit-exceeded'>): void {
  const { limit, policy, reason } = message;
  const answer = { limit, policy };
  switch (policy) {
    case 'restart':
    case 'restart_adjusted':
      if (restartRefusal(turn) === null) ask(turn, phase, 'restart', 'limit', reason);
      return;
    case 'graceful_shutdown':
      if (stopRefusal(turn) === null) turn.become({ ...ask(turn, phase, 'stop', 'limit', reason), answer });
      return;
    case 'immediate_kill':
      if (killRefusal(turn) === null) {
        const stopping = leaveRunning(turn, phase, 'limit', reason, null);
        turn.become({ ...kill(turn, stopping), answer });
      }
      return;
    default:
  }
}

/** What was asked for: an operator’s stop and the end at a limit are no restarts, all else is. */
function askedFor({ cause, answer }: Stopping): 'stop' | 'restart' {
  return cause === 'operator' || answer !== null ? 'stop' : 'restart';
}

/** Not done in time, or not done at all: it runs on, and is watched on. */
function goOn(turn: Turn, phase: Stopping, why: string): void {
  const { run, id } = turn.worker;
  const { process, since } = phase;
  turn.act({ kind: 'clear-timer', timer: 'grace' });
  turn.set({ desired: 'up' });
  turn.act({ kind: 'record-desired', desired: 'up' });
  turn.become({
    name: 'running',
    process,
    since,
    ready: !hasReadiness(turn.in.spec),
    unreadyReason: '',
    mainKnown: true,
    throttled: [],
  });
  turn.publish('worker.control-failed', { action: askedFor(phase), reason: why });
  turn.act({ kind: 'begin-hooks', run, process });
  const failure: Failure = { code: 'E_UNMANAGED', message: `worker "${id}": ${why}` };
  turn.settleAll('rest', { kind: 'failed', failure });
  turn.settleAll('running', { kind: 'failed', failure });
}

function graceIsOver(turn: Turn, phase: Stopping): void {
  if (askedFor(phase) === 'stop' && killRefusal(turn) === null) {
    kill(turn, phase);
    return;
  }
  const { pid } = phase.process;
  goOn(turn, phase, `its process (pid ${pid}) runs on after its time to end`);
}

/** What ends by itself is waited for: whoever has started it will do so again. */
function endAndWait(turn: Turn, phase: Running | Stopping, message: FactMessage & { kind: 'exited' }): void {
  const asked = phase.name === 'stopping';
  publishExit(turn, phase.since, message.exit, [], asked);
  const isForNew = asked && phase.restartAfter;
  const cause = asked && phase.answer !== null && !isForNew ? phase.cause : 'restart';
  endRun(turn, phase, message.exit, cause);
  if (isForNew && turn.worker.phase.name === 'blocked')
    turn.act({ kind: 'control', run: turn.worker.run, action: 'restart' });
}

const unasked = ignore('there is a process already, or none is wanted');

/** The behaviour of a unit whose process somebody else starts, where it differs. */
export const UNMANAGED_TABLE: Table = {
  ...TABLE,
  stopped: {
    ...TABLE.stopped,
    appeared: unasked,
    'control-failed': late,
    recalled: (turn, _phase, { memo, desired }) => {
      // The process is looked for anew: no record of it says more than the table of processes does.
      turn.set({ desired, run: memo.run, restarts: memo.restarts, lastEnd: memo.lastEnd });
      if (desired === 'up') startOrWait(turn);
    },
  },
  failed: { ...TABLE.failed, appeared: unasked, 'control-failed': late },
  blocked: {
    ...TABLE.blocked,
    appeared,
    restart: (turn, phase, message) => {
      const failure = restartRefusal(turn);
      if (failure !== null) {
        turn.settle(message.ticket, { kind: 'failed', failure });
        return;
      }
      TABLE.blocked.restart(turn, phase, message);
      turn.act({ kind: 'control', run: turn.worker.run, action: 'restart' });
    },
    'control-failed': (turn, _phase, { action, reason }) => {
      turn.publish('worker.control-failed', { action, reason });
      const message = `worker "${turn.worker.id}": ${reason}`;
      turn.settleAll('running', { kind: 'failed', failure: { code: 'E_UNMANAGED', message } });
    },
  },
  backoff: { ...TABLE.backoff, appeared: unasked, 'control-failed': late },
  starting: { ...TABLE.starting, appeared: unexpected },
  running: {
    ...TABLE.running,
    appeared: unasked,
    'control-failed': late,
    stop: end,
    kill: end,
    restart,
    'spec-changed': lookAnew,
    exited: endAndWait,
    dependencies: (turn, phase, message) => {
      remember(turn, phase, message);
      if (message.lost !== null)
        restartIfAllowed(turn, phase, 'dependency', `its dependency "${message.lost}" ended`);
    },
    'became-unhealthy': (turn, phase, message) =>
      restartIfAllowed(turn, phase, message.probe, message.reason),
    'limit-exceeded': exceeded,
  },
  stopping: {
    ...TABLE.stopping,
    appeared: unasked,
    'control-failed': (turn, phase, { action, reason }) => {
      // Whoever was asked for something else before says that it was not to be.
      if (action === askedFor(phase)) goOn(turn, phase, reason);
    },
    start: startMeanwhile,
    restart: restartMeanwhile,
    stop: stopMeanwhile,
    kill: (turn, phase, message) => {
      if (message.cause !== 'operator') {
        letGo(turn, phase, message);
        return;
      }
      const failure = killRefusal(turn);
      if (failure === null) TABLE.stopping.kill(turn, { ...phase, restartAfter: false }, message);
      else turn.settle(message.ticket, { kind: 'failed', failure });
    },
    'spec-changed': lookAnew,
    exited: endAndWait,
    timer: (turn, phase, message) => {
      if (message.timer === 'grace' && phase.step === 'asking') graceIsOver(turn, phase);
      else TABLE.stopping.timer(turn, phase, message);
    },
  },
};
