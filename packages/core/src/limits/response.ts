import { familyOf, type LimitName } from './names.ts';
import type { EscalationStep, LimitPolicy, LimitResponse, LimitsSpec } from './spec.ts';

const TELLING: ReadonlySet<LimitPolicy> = new Set(['none', 'log', 'alert']);

/**
 * How an excess of this limit is judged and answered: as its family is. Above `memory.high` the kernel slows the tree down and takes
 * memory back, which is what that limit is for: passing it is news, perhaps an alert, and never a reason to throttle or end a run.
 */
export function responseTo({ responses }: LimitsSpec, limit: LimitName): LimitResponse {
  const response = responses[familyOf(limit)];
  return limit === 'memory.high' ? { ...response, steps: response.steps.map(told) } : response;
}

const TOLD: readonly EscalationStep[] = [{ policy: 'log', after: 0 }];

/** The same for a budget, which the kernel holds: where nothing is written its excess is told. */
export function responseToQuota(limits: LimitsSpec, limit: LimitName): LimitResponse {
  const response = responseTo(limits, limit);
  return response.steps.length === 0 ? { ...response, steps: TOLD } : response;
}

/** Whether nothing is even said of an excess. */
export function isSilent({ steps }: LimitResponse): boolean {
  return steps.every(({ policy }) => policy === 'none');
}

function told(step: EscalationStep): EscalationStep {
  return TELLING.has(step.policy) ? step : { ...step, policy: 'log' };
}
