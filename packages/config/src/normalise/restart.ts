import type { RestartMode, RestartPolicy, RestartRule } from '@hsu-master/core';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import type { Written } from '../schema/fields.ts';
import type { contextAwareRestart, ruleKeys } from '../schema/restart.ts';
import type { WrittenShortWorker } from '../schema/worker.ts';

type WrittenRule = { readonly [K in keyof typeof ruleKeys]?: Written<(typeof ruleKeys)[K]> };
type WrittenRestart = Written<typeof contextAwareRestart>;

const MINUTE = 60_000;
const STARTUP_GRACE = 2 * MINUTE;

/** The three keys of the original with its defaults. */
interface Base {
  readonly maxRetries: number;
  readonly delay: number;
  readonly factor: number;
  readonly window: number;
}
const ORIGINAL: Base = { maxRetries: 3, delay: 5000, factor: 1.5, window: 10 * MINUTE };
const SHORT: Base = { maxRetries: 5, delay: 1000, factor: 2, window: MINUTE };

const PROFILE_FACTORS: Readonly<Record<string, number>> = {
  batch: 3,
  web: 1,
  database: 5,
  worker: 2,
  scheduler: 2.5,
  default: 1,
};

function fill(written: WrittenRule, base: Base, multiplier: number): RestartRule {
  const retries = written.max_retries ?? base.maxRetries;
  const delay = (written.retry_delay ?? base.delay) * multiplier;
  const coolDown = written.cool_down ?? MINUTE;
  return {
    maxRetries: retries === 0 ? 0 : Math.max(1, Math.trunc(retries * multiplier)),
    window: written.window ?? base.window,
    delay,
    factor: Math.max(1, written.backoff_rate ?? base.factor),
    maxDelay: written.max_delay ?? Math.max(5 * MINUTE, delay),
    jitter: written.jitter ?? 0.1,
    resetAfter: written.reset_after ?? MINUTE,
    coolDown,
    maxCoolDown: written.max_cool_down ?? Math.max(30 * MINUTE, coolDown),
    giveUp: written.give_up ?? false,
  };
}

const SHORT_RULE: RestartRule = Object.freeze(fill({}, SHORT, 1));

function checkRule(written: WrittenRule, at: Path, findings: Findings, factorKey = 'backoff_rate'): void {
  if (written.backoff_rate !== undefined && written.backoff_rate < 1) {
    findings.noticeAt('backoff_rate below 1', [...at, factorKey], () => ({
      message: 'a factor below 1 would shorten the delay with each failure; taken as 1',
    }));
  }
  const {
    max_delay: maxDelay,
    retry_delay: delay,
    cool_down: coolDown,
    max_cool_down: maxCoolDown,
  } = written;
  if (maxDelay !== undefined && delay !== undefined && maxDelay < delay) {
    findings.errorAt([...at, 'max_delay'], { message: 'max_delay is shorter than retry_delay' });
  }
  if (coolDown !== undefined && maxCoolDown !== undefined && maxCoolDown < coolDown) {
    findings.errorAt([...at, 'max_cool_down'], { message: 'max_cool_down is shorter than cool_down' });
  }
}

interface Common {
  readonly success_exit_codes?: readonly number[];
  readonly retry_failed_start?: boolean;
}

function policy(
  mode: RestartMode | '' | undefined,
  common: Common,
  rules: Pick<RestartPolicy, 'exit' | 'health' | 'resource' | 'startupGrace'>,
): RestartPolicy {
  return {
    mode: mode === undefined || mode === '' ? 'on-failure' : mode,
    successCodes: common.success_exit_codes ?? [0],
    retryFailedStart: common.retry_failed_start ?? false,
    ...rules,
  };
}

function own(factors: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(factors, name) ? factors[name] : undefined;
}

/** Where a policy stands in the document, and what its multipliers depend on. */
export interface LongRestart extends Common {
  readonly restart_policy?: RestartMode | '';
  readonly context_aware_restart?: WrittenRestart;
}

/** The original’s policy; its multipliers by profile and severity are applied to retries and delay. */
export function longRestart(
  control: LongRestart,
  profile: string,
  at: Path,
  findings: Findings,
): RestartPolicy {
  const written = control.context_aware_restart ?? {};
  const base = written.default ?? {};
  const health = written.health_failures ?? {};
  const where = [...at, 'context_aware_restart'];
  checkRule(base, [...where, 'default'], findings);
  checkRule(health, [...where, 'health_failures'], findings);
  checkRule(written.resource_violations ?? {}, [...where, 'resource_violations'], findings);
  const severities = written.severity_multipliers ?? {};
  const profiles = written.worker_profile_multipliers ?? {};
  const ofProfile = own(profiles, profile) ?? own(PROFILE_FACTORS, profile) ?? 1;
  const multiplier = ofProfile * (own(severities, 'critical') ?? 1);
  // In the original 0 means its default in `default`, and no bound in the others.
  const exit: WrittenRule = { ...base, max_retries: base.max_retries || ORIGINAL.maxRetries };
  const exitRule = fill(exit, ORIGINAL, multiplier);
  return policy(control.restart_policy, control, {
    exit: exitRule,
    health:
      written.health_failures === undefined ? exitRule : fill({ ...exit, ...health }, ORIGINAL, multiplier),
    resource: fill(
      { ...exit, ...(written.resource_violations ?? afterViolation(exit)) },
      ORIGINAL,
      multiplier,
    ),
    startupGrace: written.startup_grace_period ?? STARTUP_GRACE,
  });
}

/** The original’s rule for exceeded limits, where none is written. */
function afterViolation(exit: WrittenRule): WrittenRule {
  return {
    max_retries: (exit.max_retries ?? ORIGINAL.maxRetries) + 2,
    retry_delay: (exit.retry_delay ?? ORIGINAL.delay) * 2,
    backoff_rate: 1.5,
  };
}

/** The short form: a policy, or a map with the policy and one rule for everything. */
export function shortRestart(worker: WrittenShortWorker, at: Path, findings: Findings): RestartPolicy {
  const { restart } = worker;
  const startupGrace = worker.startup_grace_period ?? STARTUP_GRACE;
  if (typeof restart !== 'object') {
    return policy(restart, worker, {
      exit: SHORT_RULE,
      health: SHORT_RULE,
      resource: SHORT_RULE,
      startupGrace,
    });
  }
  const { policy: mode, delay, factor, ...keys } = restart;
  const where = [...at, 'restart'];
  for (const [name, other] of [
    ['delay', 'retry_delay'],
    ['factor', 'backoff_rate'],
  ] as const) {
    if (restart[name] === undefined || restart[other] === undefined) continue;
    findings.errorAt([...where, name], {
      message: `${name} and ${other} are two names of one thing`,
      hint: 'keep one',
    });
  }
  const written: WrittenRule = {
    ...keys,
    ...(delay === undefined ? {} : { retry_delay: delay }),
    ...(factor === undefined ? {} : { backoff_rate: factor }),
  };
  checkRule(written, where, findings, factor === undefined ? 'backoff_rate' : 'factor');
  const rule = fill(written, SHORT, 1);
  return policy(mode, worker, { exit: rule, health: rule, resource: rule, startupGrace });
}
