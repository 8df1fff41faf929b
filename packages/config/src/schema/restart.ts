import { as, map, object } from './fields.ts';
import { choice, duration, flag, integer, number } from './scalars.ts';

export const RESTART_MODES = ['never', 'on-failure', 'always', 'unless-stopped'] as const;

export const restartMode = (fallback: string) =>
  choice(
    [...RESTART_MODES, ''],
    'When to restart: never; on-failure (an exit that is no success, or a failed probe); always and unless-stopped (after every exit).',
    fallback,
    {
      no: 'never',
      false: 'never',
      none: 'never',
      yes: 'always',
      true: 'always',
      'on-abnormal': 'on-failure',
    },
  );

/** The original’s three keys, and those of the circuit breaker beside them. */
export const ruleKeys = {
  max_retries: integer(
    { min: 0 },
    'Restarts allowed within `window` before the breaker opens; 0 means no bound, except in `default`, where it means 3.',
    '3',
  ),
  retry_delay: duration('Delay before the first restart.', '5s'),
  backoff_rate: number(
    { min: 0, above: true },
    'Factor by which each further failure in a row multiplies the delay; less than 1 is taken as 1.',
    '1.5',
  ),
  max_delay: duration('Upper bound of the delay.', '5m'),
  window: duration('Span in which restarts are counted.', '10m', { positive: true }),
  cool_down: duration(
    'How long an open breaker waits before one trial; doubles with each failed trial.',
    '1m',
    { positive: true },
  ),
  max_cool_down: duration('Upper bound of the cool-down.', '30m', { positive: true }),
  reset_after: duration('A run that lived this long forgives all earlier failures.', '1m'),
  jitter: number({ min: 0, max: 1 }, 'Share of the delay that is random, 0 to 1.', '0.1'),
  give_up: flag('true: an open breaker is final until a command resets it.', 'false'),
};

const rule = (meaning: string) => object(ruleKeys, meaning, { name: 'RestartConfig' });

const multiplier = number({ min: 0, above: true }, '');

export const startupGrace = duration(
  'From the start of a process: no probe restarts it within this time. Exits are not affected.',
  '2m',
);

export const contextAwareRestart = object(
  {
    default: rule('Rule for exits and failed starts.'),
    health_failures: rule(
      'Rule for restarts that a probe asks for; what it leaves out is taken from `default`.',
    ),
    resource_violations: rule(
      'Rule for restarts that an exceeded limit asks for. Without it: that of `default` with two more retries, twice the delay and a factor of 1.5; what it leaves out is taken from `default`.',
    ),
    severity_multipliers: as(
      map(multiplier, ''),
      'Factors for max_retries and retry_delay by severity. Exits, probes and exceeded limits are `critical`; the other severities restart nothing.',
      'warning 0.5, critical 1, emergency 2',
    ),
    worker_profile_multipliers: as(
      map(multiplier, ''),
      'Factors for max_retries and retry_delay by profile_type.',
      'batch 3, web 1, database 5, worker 2, scheduler 2.5, default 1',
    ),
    startup_grace_period: startupGrace,
    sustained_violation_time: duration(
      'What `sustained_time` is in every family of limits that does not say otherwise.',
    ),
    spike_tolerance_time: duration(
      'What `spike_tolerance` is in every family of limits that does not say otherwise.',
    ),
  },
  'How often and how soon to restart.',
  { name: 'ContextAwareRestart' },
);
