import { isAbsolute } from 'node:path';
import { HsuError, LIMITS, type LimitName, type LimitsSpec, type LimitUnit } from '@hsu-master/core';

/** What may be 0; for all others the absence of the limit is what says that there is none. */
const MAY_BE_ZERO: ReadonlySet<LimitName> = new Set([
  'memory.max_swap',
  'memory.max_locked',
  'process.max_core_size',
]);
const LEVELS: Partial<Readonly<Record<LimitName, readonly [from: number, to: number]>>> = {
  'cpu.nice': [-20, 19],
  'cpu.scheduler': [0, 99],
  'process.oom_score_adj': [-1000, 1000],
};
const FRACTIONS: ReadonlySet<LimitUnit> = new Set(['percent-of-core', 'cores']);
const FAMILIES = ['memory', 'cpu', 'io', 'process', 'network', 'storage'] as const;
const POLICIES: ReadonlySet<unknown> = new Set([
  'none',
  'log',
  'alert',
  'throttle',
  'graceful_shutdown',
  'immediate_kill',
  'restart',
  'restart_adjusted',
]);
const SCHEDULERS: ReadonlySet<unknown> = new Set(['other', 'batch', 'idle', 'fifo', 'round-robin']);
/** As in a configuration. */
const SHORTEST_INTERVAL = 100;

/** The first thing that is wrong. */
class Wrong extends Error {
  readonly at: string;
  constructor(at: string, message: string) {
    super(message);
    this.at = at;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Holds what a program gives as limits against what a configuration can come to.
 * @throws HsuError E_USAGE naming the first thing that is wrong
 */
export function checkGivenLimits(given: unknown, call = 'setLimits'): asserts given is LimitsSpec {
  const wrong = wrongIn(given);
  if (wrong !== null) throw new HsuError('E_USAGE', `${call}: ${wrong.message}`, { at: wrong.at });
}

function wrongIn(given: unknown): Wrong | null {
  try {
    checkAll(given);
    return null;
  } catch (error) {
    if (error instanceof Wrong) return error;
    throw error;
  }
}

function checkAll(given: unknown): void {
  const { values, affinity, scheduler, ioPaths, tempDirectory, required, ...more } = fields(given, 'limits');
  for (const [name, value] of Object.entries(fields(values, 'values'))) checkValue(name, value);
  checkAffinity(affinity);
  checkScheduler(scheduler);
  if (!Array.isArray(ioPaths) || !ioPaths.every(isPath)) refuse('ioPaths', 'absolute paths');
  if (tempDirectory !== null && !isPath(tempDirectory)) refuse('tempDirectory', 'an absolute path or null');
  flag(required, 'required');
  const { throttlePercent, monitoring, alerts } = more;
  if (throttlePercent !== null) number(throttlePercent, 'throttlePercent', Number.MIN_VALUE);
  const responses = fields(more.responses, 'responses');
  for (const family of FAMILIES) checkResponse(responses[family], `responses.${family}`);
  const { enabled, interval, retention } = fields(monitoring, 'monitoring');
  flag(enabled, 'monitoring.enabled');
  number(interval, 'monitoring.interval', SHORTEST_INTERVAL);
  number(retention, 'monitoring.retention', 0);
  if (alerts !== null) checkAlerts(fields(alerts, 'alerts'));
}

function checkValue(name: string, value: unknown): void {
  const at = `values["${name}"]`;
  if (!Object.hasOwn(LIMITS, name)) refuse(at, 'the name of a limit');
  const limit = name as LimitName;
  const { unit } = LIMITS[limit];
  const most = unit === 'weight' ? 10_000 : unit === 'flag' ? 1 : Number.MAX_SAFE_INTEGER;
  const isZero = unit === 'flag' || MAY_BE_ZERO.has(limit);
  const least = isZero ? 0 : FRACTIONS.has(unit) ? Number.MIN_VALUE : 1;
  const [from, to] = LEVELS[limit] ?? [least, most];
  number(value, at, from, to);
  if (!FRACTIONS.has(unit) && !Number.isInteger(value)) refuse(at, 'a whole number');
}

function checkAffinity(given: unknown): void {
  const isCpu = (cpu: unknown): boolean => Number.isInteger(cpu) && (cpu as number) >= 0;
  if (given !== null && !(Array.isArray(given) && given.length > 0 && given.every(isCpu)))
    refuse('affinity', 'numbers of CPUs, at least one, or null');
}

function checkScheduler(given: unknown): void {
  if (given === null) return;
  const { policy, priority } = fields(given, 'scheduler');
  if (!SCHEDULERS.has(policy)) refuse('scheduler.policy', `one of ${[...SCHEDULERS].join(', ')}`);
  const isRealTime = policy === 'fifo' || policy === 'round-robin';
  number(priority, 'scheduler.priority', isRealTime ? 1 : 0, isRealTime ? 99 : 0);
}

function checkResponse(given: unknown, at: string): void {
  const { warning, spikeTolerance, sustained, steps, adjust } = fields(given, at);
  if (warning !== null) number(warning, `${at}.warning`, 0, 1);
  number(spikeTolerance, `${at}.spikeTolerance`, 0);
  number(sustained, `${at}.sustained`, 0);
  if (!Array.isArray(steps)) refuse(`${at}.steps`, 'a list');
  for (const [index, step] of (steps as readonly unknown[]).entries()) {
    const { policy, after } = fields(step, `${at}.steps[${index}]`);
    if (!POLICIES.has(policy)) refuse(`${at}.steps[${index}].policy`, `one of ${[...POLICIES].join(', ')}`);
    number(after, `${at}.steps[${index}].after`, 0);
  }
  const { factor, cap } = fields(adjust, `${at}.adjust`);
  number(factor, `${at}.adjust.factor`, 1);
  number(cap, `${at}.adjust.cap`, 1);
}

function checkAlerts({ exec, webhook, timeout, every }: Fields): void {
  const isText = (word: unknown): boolean => typeof word === 'string';
  if (exec !== null && !(Array.isArray(exec) && exec.length > 0 && exec.every(isText)))
    refuse('alerts.exec', 'program and arguments, or null');
  if (webhook !== null && !isText(webhook)) refuse('alerts.webhook', 'an address or null');
  number(timeout, 'alerts.timeout', 1);
  number(every, 'alerts.every', 0);
}

function fields(given: unknown, at: string): Fields {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) refuse(at, 'an object');
  return given as Fields;
}

function flag(given: unknown, at: string): void {
  if (typeof given !== 'boolean') refuse(at, 'true or false');
}

function number(given: unknown, at: string, from: number, to = Number.MAX_SAFE_INTEGER): void {
  const isWithin = typeof given === 'number' && given >= from && given <= to;
  if (isWithin) return;
  const least = from === Number.MIN_VALUE ? 'a number above 0' : `a number of at least ${from}`;
  refuse(at, to === Number.MAX_SAFE_INTEGER ? least : `a number from ${from} to ${to}`);
}

function isPath(path: unknown): boolean {
  return typeof path === 'string' && isAbsolute(path);
}

function refuse(at: string, takes: string): never {
  throw new Wrong(at, `${at} takes ${takes}`);
}
