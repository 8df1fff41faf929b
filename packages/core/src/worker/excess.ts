import { beginKill, beginStop } from './course.ts';
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
      const stopping =
        policy === 'immediate_kill'
          ? beginKill(turn, phase, 'limit', reason)
          : beginStop(turn, phase, 'limit', reason, null);
      turn.become({ ...stopping, answer: { limit, policy } });
    }
  }
}
