import { noFailures } from '../restart/breaker.ts';
import type { PhaseOf } from './cells.ts';
import { beginStop, startOrWait } from './course.ts';
import type { SpecMessage } from './messages.ts';
import { hasReadiness } from './spec.ts';
import type { Turn } from './turn.ts';

// What another spec means in each phase. What only counts when it is looked at the next time needs nothing.

export const CHANGED = 'its configuration changed';

/** It failed, completed or waits by a spec that is gone: its failures are none of the new one’s. */
export function tryAnother(
  turn: Turn,
  _phase: PhaseOf<'stopped' | 'failed' | 'backoff'>,
  { restart }: SpecMessage,
): void {
  const { worker } = turn;
  const hasEnded = worker.phase.name !== 'stopped' || worker.phase.completed;
  if (!restart || worker.desired === 'down' || !hasEnded) return;
  turn.act({ kind: 'clear-timer', timer: 'backoff' });
  turn.set({ history: noFailures });
  startOrWait(turn);
}

export function endAfterStart(turn: Turn, phase: PhaseOf<'starting'>, { restart }: SpecMessage): void {
  if (restart) turn.become({ ...phase, end: phase.end ?? 'restart', replaced: true });
}

export function giveWay(turn: Turn, phase: PhaseOf<'running'>, { restart, probes }: SpecMessage): void {
  if (restart) {
    turn.set({ history: noFailures });
    beginStop(turn, phase, 'restart', CHANGED, null);
  } else if (probes) askOtherwise(turn, phase);
}

/** What was said by the former probes holds until the new ones say something else. */
export function askOtherwise(turn: Turn, phase: PhaseOf<'running'>): void {
  turn.act({ kind: 'renew-hooks', run: turn.worker.run, process: phase.process });
  if (phase.ready || hasReadiness(turn.in.spec)) return;
  turn.become({ ...phase, ready: true, unreadyReason: '' });
  if (phase.mainKnown) turn.publish('worker.ready', {});
}

export function startAfterEnd(turn: Turn, phase: PhaseOf<'stopping'>, { restart }: SpecMessage): void {
  if (!restart || turn.worker.desired === 'down') return;
  turn.become({ ...phase, cause: 'restart' });
  turn.set({ history: noFailures });
}
