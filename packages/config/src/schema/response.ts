import type { LimitPolicy } from '@hsu-master/core';
import { list, object, type Read, required, scalar, type Written } from './fields.ts';
import { percent } from './quantities.ts';
import { duration, number } from './scalars.ts';
import { suggest } from './suggest.ts';

/** The policies by their names; the original’s empty text is the default. */
const POLICIES: Readonly<Record<string, LimitPolicy>> = {
  none: 'none',
  log: 'log',
  alert: 'alert',
  throttle: 'throttle',
  graceful_shutdown: 'graceful_shutdown',
  immediate_kill: 'immediate_kill',
  restart: 'restart',
  restart_adjusted: 'restart_adjusted',
  warn: 'log',
  kill: 'immediate_kill',
  '': 'log',
};
const NAMES = Object.keys(POLICIES).filter((name) => name !== '');
const FIRST_NAMES = NAMES.slice(0, -2);

function readPolicy(text: string): Read<LimitPolicy> {
  if (Object.hasOwn(POLICIES, text)) return { value: POLICIES[text] as LimitPolicy };
  const near = suggest(text, NAMES);
  return {
    wrong: `${JSON.stringify(text.slice(0, 60))} is not a policy`,
    hint: near === null ? `write one of ${FIRST_NAMES.join(', ')}` : `did you mean "${near}"?`,
  };
}

const policy = (meaning: string, fallback: string | null = null) =>
  scalar(FIRST_NAMES.join(' | '), { enum: [...NAMES, ''] }, readPolicy, meaning, fallback);

const escalationStep = object(
  {
    policy: required(policy('What is done; `warn` is another name of log, `kill` of immediate_kill.')),
    after: duration(
      'How long the excess lasts after the step before; needed but in the first, where it counts from the moment the excess counts.',
      '0 in the first',
    ),
  },
  'One step of an escalation.',
  { name: 'EscalationStep' },
);
export type WrittenStep = Written<typeof escalationStep>;

const adjust = object(
  {
    factor: number({ min: 1, above: true }, 'Each time the limit is multiplied by this, more than 1.', '1.5'),
    max_factor: number(
      { min: 1, above: true },
      'The limit grows to at most this many times what was written.',
      '3',
    ),
  },
  'How policy restart_adjusted raises the limit.',
  { name: 'Adjust' },
);

/** How an excess is judged and answered, alike in every family. */
export const answerKeys = (spikeTolerance: string) => ({
  warning_threshold: percent('Share of the limit at which to warn; 0: no warning.', null, { max: 100 }),
  policy: policy('What an excess leads to.', 'log'),
  escalation: list(escalationStep, 'Steps one after the other, instead of `policy`.'),
  spike_tolerance: duration('An excess that ends within this is none.', spikeTolerance),
  sustained_time: duration(
    'How long an excess must last until it counts; at least spike_tolerance.',
    'spike_tolerance',
  ),
  adjust,
});
type AnswerKeys = ReturnType<typeof answerKeys>;
export type WrittenAnswer = { readonly [K in keyof AnswerKeys]?: Written<AnswerKeys[K]> };
