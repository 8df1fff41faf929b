import { beginStop, kill } from './course.ts';
import type { FactMessage } from './messages.ts';
import type { Running } from './state.ts';
import { release, throttle } from './throttle.ts';
import type { Turn } from './turn.ts';

/** Answers an excess as its policy says. */
export function exceeded(
  turn: Turn,
  phase: Running,
  message: FactMessage & { readonly kind: 'limit-exceeded' },
): void {
  const { limit, policy, reason } = message;
  switch (policy) {
    case 'throttle':
      throttle(turn, phase, limit);
      return;
    case 'none':
    case 'log':
    case 'alert':
      // A later step than the throttling takes its place.
      release(turn, phase, limit, `the next step for ${limit} is ${policy}`);
      return;
    default: {
      const asked = beginStop(turn, phase, 'limit', reason, null);
      const stopping = { ...asked, answer: { limit, policy } };
      turn.become(stopping);
      if (policy === 'immediate_kill') kill(turn, stopping);
    }
  }
}
