import { noFailures } from '../restart/breaker.ts';
import {
  already,
  type Cell,
  cancel,
  done,
  forgive,
  ignore,
  join,
  joinStart,
  late,
  remember,
  renew,
  resetAnew,
  startAnew,
  unexpected,
  want,
  wantDown,
  withoutRun,
} from './cells.ts';
import {
  beginKill,
  beginRunning,
  beginStop,
  changeMain,
  endRun,
  KILL_WAIT,
  kill,
  noteLimits,
  publishExit,
  rest,
  retry,
  setLimits,
  startOrWait,
  tryAgain,
} from './course.ts';
import { exceeded } from './excess.ts';
import { isSuccess, isUnknown, type ProcessIdentity } from './exit.ts';
import type { MessageKind } from './messages.ts';
import { recall } from './recall.ts';
import { endAfterStart, giveWay, startAfterEnd, tryAnother } from './respec.ts';
import type { PhaseName } from './state.ts';
import { release } from './throttle.ts';
import type { Turn } from './turn.ts';

export type Table = { readonly [N in PhaseName]: { readonly [K in MessageKind]: Cell<N, K> } };

/** The whole behaviour of a worker: phase × message. A missing cell does not compile. */
export const TABLE: Table = {
  stopped: {
    start: startAnew,
    restart: startAnew,
    stop: wantDown,
    kill: wantDown,
    reset: forgive,
    dependencies: remember,
    timer: late,
    'spec-changed': tryAnother,
    'limits-changed': renew,
    recalled: recall,
    ...withoutRun,
  },
  failed: {
    start: startAnew,
    restart: startAnew,
    reset: resetAnew,
    stop: wantDown,
    kill: wantDown,
    dependencies: remember,
    timer: late,
    'spec-changed': tryAnother,
    'limits-changed': renew,
    recalled: unexpected,
    ...withoutRun,
  },
  blocked: {
    start: joinStart,
    restart: join,
    stop: cancel,
    kill: cancel,
    reset: forgive,
    dependencies: (turn, _phase, message) => {
      turn.set({ waiting: message.waiting });
      if (message.waiting.length === 0) startOrWait(turn);
    },
    timer: late,
    'spec-changed': ignore('it is looked at when it begins'),
    'limits-changed': renew,
    recalled: unexpected,
    ...withoutRun,
  },
  backoff: {
    start: startAnew,
    restart: startAnew,
    reset: resetAnew,
    stop: cancel,
    kill: cancel,
    dependencies: remember,
    timer: (turn, _phase, message) => {
      if (message.timer === 'backoff') retry(turn);
    },
    'spec-changed': tryAnother,
    'limits-changed': renew,
    recalled: unexpected,
    ...withoutRun,
  },
  starting: {
    start: (turn, phase, message) => {
      turn.become({ ...phase, end: phase.end === 'restart' || phase.replaced ? 'restart' : null });
      (phase.end === null && !phase.replaced ? joinStart : join)(turn, phase, message);
    },
    restart: (turn, phase, message) => {
      turn.become({ ...phase, end: phase.end === null ? null : 'restart' });
      join(turn, phase, message);
    },
    stop: (turn, phase, message) => {
      want(turn, 'down', message.cause === 'operator');
      turn.become({ ...phase, end: phase.end === 'kill' ? 'kill' : 'stop' });
      turn.hold(message.ticket, 'rest');
    },
    kill: (turn, phase, message) => {
      want(turn, 'down', message.cause === 'operator');
      turn.become({ ...phase, end: 'kill' });
      turn.hold(message.ticket, 'rest');
    },
    reset: forgive,
    dependencies: (turn, phase, message) => {
      turn.set({ waiting: message.waiting });
      if (message.lost !== null && phase.end === null) turn.become({ ...phase, end: 'restart' });
    },
    'spec-changed': endAfterStart,
    'limits-changed': (turn, phase) => {
      renew(turn);
      turn.become({ ...phase, outdated: true });
    },
    spawned: (turn, phase, message) => {
      const { end, outdated } = phase;
      const running = beginRunning(turn, message);
      if (outdated) setLimits(turn);
      if (end === null) {
        if (running.mainKnown) turn.settleAll('running', done);
        return;
      }
      const cause = end === 'restart' ? 'restart' : 'operator';
      const detail = 'asked for while it was starting';
      if (end === 'kill') beginKill(turn, running, cause, detail);
      else beginStop(turn, running, cause, detail, null);
    },
    'spawn-failed': (turn, phase, message) => {
      turn.publish('worker.spawn-failed', { failure: message.failure });
      turn.act({ kind: 'close-run', run: message.run });
      if (turn.worker.desired === 'down') {
        rest(turn);
        return;
      }
      // Another start was asked for already, maybe by a description with which it succeeds.
      if (message.failure.code === 'E_SUPERSEDED' || phase.end === 'restart') {
        startOrWait(turn);
        return;
      }
      turn.settleAll('running', { kind: 'failed', failure: message.failure });
      const question = { cause: 'spawn', success: false, lasting: !message.transient, uptime: 0 } as const;
      tryAgain(turn, question, message.failure, 'the start failed');
    },
    exited: unexpected,
    'tree-empty': unexpected,
    surveyed: unexpected,
    'became-ready': unexpected,
    'became-unready': unexpected,
    'became-unhealthy': unexpected,
    'main-process-found': unexpected,
    'main-process-missing': unexpected,
    'limit-exceeded': unexpected,
    'limit-cleared': unexpected,
    'limits-set': unexpected,
    'control-failed': unexpected,
    appeared: unexpected,
    timer: ignore('a timer of the run before'),
    recalled: unexpected,
  },
  running: {
    start: (turn, phase, message) => {
      want(turn, 'up', true);
      if (phase.mainKnown) turn.settle(message.ticket, already);
      else turn.hold(message.ticket, 'running');
    },
    restart: (turn, phase, message) => {
      want(turn, 'up', true);
      turn.set({ history: noFailures });
      turn.hold(message.ticket, 'running');
      beginStop(turn, phase, 'restart', 'restart was asked for', null);
    },
    stop: (turn, phase, message) => {
      want(turn, 'down', message.cause === 'operator');
      turn.hold(message.ticket, 'rest');
      beginStop(turn, phase, message.cause, '', null);
    },
    kill: (turn, phase, message) => {
      want(turn, 'down', message.cause === 'operator');
      turn.hold(message.ticket, 'rest');
      beginKill(turn, phase, message.cause, 'without grace');
    },
    reset: forgive,
    dependencies: (turn, phase, message) => {
      turn.set({ waiting: message.waiting });
      if (message.lost !== null)
        beginStop(turn, phase, 'dependency', `its dependency "${message.lost}" ended`, null);
    },
    exited: (turn, phase, message) => {
      const { exit, remaining } = message;
      const { spec } = turn.in;
      const success = isSuccess(exit, spec.restart.successCodes);
      // What went into the background while no master looked may have done so as it should.
      if (remaining.length > 0 && !phase.mainKnown && isUnknown(exit)) return;
      if (remaining.length > 0 && success) {
        if (!phase.mainKnown) return;
        if (spec.onDaemonize === 'adopt' && spec.mainProcess === null) {
          changeMain(turn, phase, oldest(remaining), false);
          return;
        }
      }
      publishExit(turn, phase.since, exit, remaining, false);
      if (remaining.length === 0) {
        // A program that was to go into the background and left nobody there has not done its work.
        endRun(turn, phase, exit, success && !phase.mainKnown ? 'main-process' : null);
        return;
      }
      beginStop(turn, phase, 'left-behind', leftBehind(success, remaining.length), exit);
    },
    'tree-empty': (turn, phase) => {
      if (phase.mainKnown) {
        unexpected(turn, phase, { kind: 'tree-empty', run: turn.worker.run });
        return;
      }
      const exit = { code: null, signal: null, coreDumped: false, usage: null };
      publishExit(turn, phase.since, exit, [], false);
      endRun(turn, phase, exit, 'main-process');
    },
    'became-ready': (turn, phase) => {
      if (phase.ready) return;
      turn.become({ ...phase, ready: true, unreadyReason: '' });
      if (phase.mainKnown) turn.publish('worker.ready', {});
    },
    'became-unready': (turn, phase, message) => {
      turn.become({ ...phase, ready: false, unreadyReason: message.reason });
      if (phase.ready && phase.mainKnown) turn.publish('worker.unready', { reason: message.reason });
    },
    'became-unhealthy': (turn, phase, message) => {
      if (turn.in.spec.restart.mode === 'never') return;
      beginStop(turn, phase, message.probe, message.reason, null);
    },
    'main-process-found': (turn, phase, message) => {
      if (!phase.mainKnown) changeMain(turn, phase, message.process, true);
    },
    'main-process-missing': (turn, phase, message) => {
      if (!phase.mainKnown) beginStop(turn, phase, 'main-process', message.reason, null);
    },
    'spec-changed': giveWay,
    'limits-changed': (turn, _phase, { lifted }) => {
      renew(turn);
      setLimits(turn, lifted);
    },
    'limits-set': (turn, _phase, message) => noteLimits(turn, message.limits),
    'limit-exceeded': exceeded,
    'limit-cleared': (turn, phase, message) => {
      release(turn, phase, message.limit, `the excess of ${message.limit} has ended`);
    },
    timer: (turn, _phase, message) => {
      if (message.timer === 'reset') turn.set({ history: noFailures });
    },
    surveyed: ignore('nobody asks while it runs'),
    'control-failed': unexpected,
    appeared: unexpected,
    recalled: unexpected,
    spawned: unexpected,
    'spawn-failed': unexpected,
  },
  stopping: {
    start: (turn, phase, message) => {
      turn.become({ ...phase, cause: 'operator' });
      turn.set({ history: noFailures });
      join(turn, phase, message);
    },
    restart: (turn, phase, message) => {
      turn.become({ ...phase, cause: 'restart' });
      turn.set({ history: noFailures });
      join(turn, phase, message);
    },
    stop: (turn, _phase, message) => {
      want(turn, 'down', message.cause === 'operator');
      turn.hold(message.ticket, 'rest');
    },
    kill: (turn, phase, message) => {
      want(turn, 'down', message.cause === 'operator');
      turn.hold(message.ticket, 'rest');
      if (phase.step === 'asking') kill(turn, phase);
    },
    reset: forgive,
    dependencies: remember,
    exited: (turn, phase, message) => {
      // What was left behind had not been asked; then its exit is known already, unless an earlier master saw it.
      const asked = phase.cause !== 'left-behind';
      if (phase.exit === null) publishExit(turn, phase.since, message.exit, message.remaining, asked);
      const exit = phase.exit ?? message.exit;
      if (message.remaining.length === 0) endRun(turn, phase, exit, phase.cause);
      else turn.become({ ...phase, exit });
    },
    'tree-empty': (turn, phase) => {
      const exit = phase.exit ?? { code: null, signal: null, coreDumped: false, usage: null };
      if (phase.exit === null) publishExit(turn, phase.since, exit, [], true);
      endRun(turn, phase, exit, phase.cause);
    },
    surveyed: (turn, phase, message) => {
      if (message.members.length === 0) {
        TABLE.stopping['tree-empty'](turn, phase, { kind: 'tree-empty', run: message.run });
        return;
      }
      const failure = { code: 'E_SURVIVORS', message: survivorsMessage(turn, message.members) } as const;
      turn.settleAll('rest', { kind: 'failed', failure });
      turn.settleAll('running', { kind: 'failed', failure });
      if (phase.survivors.length === 0) turn.publish('worker.survivors', { survivors: message.members });
      turn.become({ ...phase, survivors: message.members });
      turn.act({ kind: 'signal-tree', run: message.run, signal: 'SIGKILL', grace: null });
      turn.act({ kind: 'set-timer', run: message.run, timer: 'verify', delay: KILL_WAIT });
    },
    timer: (turn, phase, message) => {
      if (message.timer === 'grace' && phase.step === 'asking') kill(turn, phase);
      if (message.timer === 'verify') turn.act({ kind: 'survey', run: message.run });
    },
    'became-ready': late,
    'became-unready': late,
    'became-unhealthy': late,
    'main-process-found': late,
    'main-process-missing': late,
    'limit-exceeded': late,
    'limit-cleared': late,
    'spec-changed': startAfterEnd,
    'limits-changed': renew,
    'limits-set': late,
    'control-failed': unexpected,
    appeared: unexpected,
    recalled: unexpected,
    spawned: unexpected,
    'spawn-failed': unexpected,
  },
};

function leftBehind(success: boolean, count: number): string {
  const left = `${count} process${count === 1 ? '' : 'es'} of its tree`;
  return success
    ? `daemonized unexpectedly: it exited and left ${left}; control.on_daemonize: adopt or control.main_process would keep them`
    : `its main process ended and left ${left}`;
}

function survivorsMessage(turn: Turn, members: readonly ProcessIdentity[]): string {
  const pids = members.map((member) => member.pid).join(', ');
  return `worker "${turn.worker.id}": still alive after SIGKILL: pid ${pids}. They may wait for a device (state D) or belong to another user.`;
}

function oldest(processes: readonly ProcessIdentity[]): ProcessIdentity {
  return processes.reduce((first, next) => (Number(next.startedAt) < Number(first.startedAt) ? next : first));
}
