import { MASK, maskText, maskValue, maskWords } from '../control/secrets.ts';
import type { WorkerId, WorkerSpec } from '../worker/spec.ts';
import { startOrder } from './order.ts';

/**
 * How a change comes into effect. live: at once, the process runs on. next-run: with the next process of the worker, which is not
 * replaced for it. restart: the process is replaced; what others have started is let go and looked for anew.
 */
export type Effective = 'live' | 'next-run' | 'restart';

/** One part of a spec that is another one. */
export interface PartChange {
  /** As a configuration calls it, with dots: `env.PORT`, `restart.exit.delay`, `command`. */
  readonly path: string;
  /** As JSON, secrets masked; null: it is not there. */
  readonly before: string | null;
  readonly after: string | null;
  readonly effective: Effective;
}

/** What is to be done with a worker. `keep`: its process, if there is one, is not touched. */
export type ChangeAction = 'start' | 'stop' | 'restart' | 'keep';

/** One worker that is not as it was. */
export interface WorkerChange {
  readonly id: WorkerId;
  /** follows: it is described as before, and restarts since a dependency does from which it says `restart: true`. */
  readonly kind: 'added' | 'removed' | 'changed' | 'follows';
  /** Where it runs, or is wanted to: nobody starts what an operator has stopped. */
  readonly action: ChangeAction;
  /** Only of a changed one. */
  readonly parts: readonly PartChange[];
}

/** The way from some specs to others. */
export interface Plan {
  /** Removed ones first, dependents before what they depend on; then all others, dependencies first. */
  readonly workers: readonly WorkerChange[];
  readonly unchanged: readonly WorkerId[];
}

/** Specs by what people call their parts, where that is another word. */
const CALLED: Readonly<Record<string, string>> = {
  dependsOn: 'depends_on',
  mainProcess: 'main_process',
  onDaemonize: 'on_daemonize',
  processFile: 'process_file',
  group: 'worker_group',
  'command.argv': 'command',
  'command.cwd': 'cwd',
  'command.env': 'env',
  'command.umask': 'umask',
  'command.user': 'user',
  'command.group': 'group',
  'command.groups': 'groups',
  'stop.signal': 'stop_signal',
  'stop.grace': 'stop_timeout',
};

/** Parts that a process is made with. */
const AT_START = [
  'command',
  'listen',
  'mainProcess',
  'log.captureStdout',
  'log.captureStderr',
  'log.stdoutFile',
  'log.stderrFile',
  'log.files.channel',
  'log.files.forms',
  'unmanaged',
] as const;

/** Parts that are read when a process begins, and for which none is replaced. */
const WITH_NEXT_RUN = [
  'log.maxSize',
  'log.maxFiles',
  'log.files',
  'log.pipeline',
  'limits.required',
] as const;

/** Whether two values are written alike. Cheap for values that are one and the same. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(other, key) &&
      isSame((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
  );
}

/** Whether a process that was started by the one spec has to give way to one of the other. */
export function needsRestart(before: WorkerSpec, after: WorkerSpec): boolean {
  if (before === after) return false;
  return (
    AT_START.some((part) => !isSame(partOf(before, part), partOf(after, part))) ||
    !isSame(before.quotas.map(nameOf), after.quotas.map(nameOf))
  );
}

/** What is to be done with a worker to make it as `after` says. */
export function actionFor(before: WorkerSpec, after: WorkerSpec): ChangeAction {
  if (before.enabled !== after.enabled) return after.enabled ? 'start' : 'stop';
  return needsRestart(before, after) ? 'restart' : 'keep';
}

/** The way from the specs that hold to those that are wanted. Pure; the ids of each are unique. */
export function planOf(current: readonly WorkerSpec[], wanted: readonly WorkerSpec[]): Plan {
  const known = new Map(current.map((spec) => [spec.id, spec]));
  const kept = new Set(wanted.map(({ id }) => id));
  const gone = [...startOrder(current)].reverse().filter((id) => !kept.has(id));
  const workers: WorkerChange[] = gone.map((id) => ({ id, kind: 'removed', action: 'stop', parts: [] }));
  const unchanged: WorkerId[] = [];
  const byId = new Map(wanted.map((spec) => [spec.id, spec]));
  /** Whose processes end; what follows them comes after them. */
  const ending = new Set<WorkerId>();
  for (const id of startOrder(wanted)) {
    const after = byId.get(id) as WorkerSpec;
    const change = changeOf(known.get(id) ?? null, after, ending);
    if (change === null) unchanged.push(id);
    else {
      workers.push(change);
      if (change.action === 'restart' || change.action === 'stop') ending.add(id);
    }
  }
  return { workers, unchanged };
}

/** null: nothing of it changes. */
function changeOf(
  before: WorkerSpec | null,
  after: WorkerSpec,
  ending: ReadonlySet<WorkerId>,
): WorkerChange | null {
  const { id, enabled } = after;
  if (before === null) return { id, kind: 'added', action: enabled ? 'start' : 'keep', parts: [] };
  const isFollowing = enabled && after.dependsOn.some((needed) => needed.restart && ending.has(needed.id));
  if (isSame(before, after))
    return isFollowing ? { id, kind: 'follows', action: 'restart', parts: [] } : null;
  const action = actionFor(before, after);
  const parts = partsOf(before, after);
  return { id, kind: 'changed', action: isFollowing && action === 'keep' ? 'restart' : action, parts };
}

function nameOf({ kind, id }: WorkerSpec['quotas'][number]): string {
  return `${kind} ${id}`;
}

/** Also of parts that are further down than the value reaches, which are not there then. */
function partOf(spec: WorkerSpec, part: string): unknown {
  let value: unknown = spec;
  for (const step of part.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function partsOf(before: WorkerSpec, after: WorkerSpec): readonly PartChange[] {
  const parts: PartChange[] = [];
  compare([], before, after, parts);
  return parts;
}

/** Down to what is no map, or is one on one side only. */
function compare(path: readonly string[], before: unknown, after: unknown, parts: PartChange[]): void {
  if (isSame(before, after)) return;
  if (isMap(before) && isMap(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare([...path, key], before[key], after[key], parts);
    return;
  }
  const effective = effectiveOf(path, before, after);
  parts.push({ path: called(path), before: told(path, before), after: told(path, after), effective });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function effectiveOf(path: readonly string[], before: unknown, after: unknown): Effective {
  const part = path.join('.');
  const isIn = (parts: readonly string[]): boolean =>
    parts.some((one) => part === one || part.startsWith(`${one}.`));
  if (isIn(AT_START)) return 'restart';
  if (part === 'quotas') {
    const names = (value: unknown) => (value as WorkerSpec['quotas']).map(nameOf);
    return isSame(names(before), names(after)) ? 'live' : 'restart';
  }
  return isIn(WITH_NEXT_RUN) ? 'next-run' : 'live';
}

function called(path: readonly string[]): string {
  const [first = '', second = '', ...rest] = path;
  const pair = CALLED[`${first}.${second}`];
  if (pair !== undefined) return [pair, ...rest].join('.');
  return [CALLED[first] ?? first, ...path.slice(1)].join('.');
}

function told(path: readonly string[], value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(masked(path, value));
}

/** Keys below which every value may be secret, whatever it is called. */
const SECRET_BELOW: ReadonlySet<string> = new Set(['env', 'headers']);

/** A part of a spec without its secrets: values of the environment and of headers, and what looks like one elsewhere. */
export function masked(path: readonly string[], value: unknown): unknown {
  const key = path.at(-1) ?? '';
  if (Array.isArray(value)) {
    const isWords = (key === 'argv' || key === 'exec') && value.every((word) => typeof word === 'string');
    return isWords ? maskWords(value) : value.map((item) => masked(path, item));
  }
  if (isMap(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, masked([...path, name], part)]),
    );
  if (path.slice(0, -1).some((step) => SECRET_BELOW.has(step))) return MASK;
  return typeof value === 'string' ? maskValue(key, maskText(value)) : value;
}
