import { noFailures } from '../restart/breaker.ts';
import { rest, startOrWait } from './course.ts';
import type { Message, MessageKind } from './messages.ts';
import type { Phase, PhaseName } from './state.ts';
import type { Turn } from './turn.ts';

export type PhaseOf<N extends PhaseName> = Extract<Phase, { name: N }>;
type MessageOf<K extends MessageKind> = Extract<Message, { kind: K }>;

/** What one message does in one phase. */
export type Cell<N extends PhaseName = PhaseName, K extends MessageKind = MessageKind> = (
  turn: Turn,
  phase: PhaseOf<N>,
  message: MessageOf<K>,
) => void;

/** Nothing is to be done, for the reason given. */
export function ignore(_why: string): () => void {
  return () => {};
}

/** Cannot happen if host, hooks and actor keep their word; changes nothing and says so. */
export function unexpected(turn: Turn, phase: Phase, message: Message): void {
  turn.publish('supervisor.defect', {
    message: `worker "${turn.worker.id}": "${message.kind}" arrived in phase "${phase.name}" of run ${turn.worker.run}`,
  });
}

export function want(turn: Turn, desired: 'up' | 'down', record: boolean): void {
  turn.set({ desired });
  // Also when nothing changes: a worker that was never started is down, and nobody has said yet that it shall stay so.
  if (record) turn.act({ kind: 'record-desired', desired });
  turn.settleAll(desired === 'up' ? 'rest' : 'running', { kind: 'superseded' });
}

export const done = { kind: 'done', already: false } as const;
export const already = { kind: 'done', already: true } as const;

/** start and restart where nothing is alive: begin anew, all failures forgiven. */
export function startAnew(turn: Turn, _phase: Phase, message: { readonly ticket: number | null }): void {
  want(turn, 'up', true);
  turn.act({ kind: 'clear-timer', timer: 'backoff' });
  turn.set({ history: noFailures });
  turn.hold(message.ticket, 'running');
  startOrWait(turn);
}

/** start where one is under way or waits already, and nothing else comes of it. */
export function joinStart(turn: Turn, _phase: Phase, message: { readonly ticket: number | null }): void {
  want(turn, 'up', true);
  turn.hold(message.ticket, 'running', true);
}

/** start and restart where something else is under way that ends in a start: one more who waits for it. */
export function join(turn: Turn, _phase: Phase, message: { readonly ticket: number | null }): void {
  want(turn, 'up', true);
  turn.hold(message.ticket, 'running');
}

/** stop and kill where nothing is alive, but something would start by itself. */
export function cancel(turn: Turn, _phase: Phase, message: MessageOf<'stop'> | MessageOf<'kill'>): void {
  want(turn, 'down', message.cause === 'operator');
  turn.act({ kind: 'clear-timer', timer: 'backoff' });
  turn.settle(message.ticket, done);
  rest(turn);
}

/** stop and kill at rest: only the wish is new, and the end of the master is nobody’s wish. */
export function wantDown(turn: Turn, phase: Phase, message: MessageOf<'stop'> | MessageOf<'kill'>): void {
  if (message.cause !== 'shutdown') {
    want(turn, 'down', message.cause === 'operator');
    if (phase.name !== 'stopped' || phase.completed) {
      turn.become({ name: 'stopped', completed: false });
      turn.publish('worker.stopped', { completed: false });
    }
  }
  turn.settle(message.ticket, already);
}

export function remember(turn: Turn, _phase: Phase, message: MessageOf<'dependencies'>): void {
  turn.set({ waiting: message.waiting });
}

/** reset at rest because of a failure, or while a start waits. */
export function resetAnew(turn: Turn, phase: Phase, message: { readonly ticket: number | null }): void {
  turn.set({ limitFactors: {} });
  startAnew(turn, phase, message);
}

/** reset where nothing waits for it: failures are forgiven now, raised limits fall with the next run. */
export function forgive(turn: Turn, _phase: Phase, message: { readonly ticket: number | null }): void {
  turn.set({ history: noFailures, limitFactors: {} });
  turn.settle(message.ticket, already);
}

/** Other limits: what was raised of the former says nothing about them. */
export function renew(turn: Turn): void {
  turn.set({ limitFactors: {} });
}

export const late = ignore('the run that it tells of is over');
const noRun = unexpected;

/** The facts that belong to a run, for the phases that have none: the numbers were compared before, so they cannot arrive. */
export const withoutRun = {
  spawned: noRun,
  'spawn-failed': noRun,
  exited: ignore('a survey found the tree empty a moment before the host said so'),
  'tree-empty': late,
  surveyed: late,
  'became-ready': late,
  'became-unready': late,
  'became-unhealthy': late,
  'main-process-found': late,
  'main-process-missing': late,
  'limit-exceeded': late,
  'limit-cleared': late,
  'limits-set': late,
  'control-failed': late,
  appeared: unexpected,
} as const;
