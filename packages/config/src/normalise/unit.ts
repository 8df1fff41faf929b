import type { LimitsSpec, ListenSpec, MainProcessSpec, SignalName } from '@hsu-master/core';
import type { DependencyConfig, Execution, LogConfig, ManagedUnit, Program } from '../config.ts';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import type { WrittenManaged } from '../schema/units.ts';
import type { WrittenLongWorker, WrittenShortWorker } from '../schema/worker.ts';
import type { WrittenWorker } from '../written.ts';
import { normaliseLimits } from './limits.ts';
import { longLog, shortLog } from './logs.ts';
import { normaliseProbes } from './probes.ts';
import { processFile } from './process-file.ts';
import type { AnswerDefaults } from './responses.ts';
import { longRestart, shortRestart } from './restart.ts';

// Shared and frozen: most workers have none.
const NO_DEPENDENCIES: readonly DependencyConfig[] = Object.freeze([]);
const NO_VARIABLES: Readonly<Record<string, string>> = Object.freeze({});

const NO_DEFAULTS: AnswerDefaults = Object.freeze({ sustained: null, spikeTolerance: null });

/** Keys that tell of a worker’s health. */
const HEALTH = ['ready', 'probes', 'health_check'] as const;

const GRACE = 20_000;
const MAIN_PROCESS_TIMEOUT = 30_000;

/** A unit in the long form that the master starts. `block` is what stands below `unit`. */
export function longUnit(
  worker: WrittenLongWorker,
  managed: Pick<WrittenManaged, 'metadata' | 'control' | 'probes' | 'health_check'>,
  place: { readonly at: Path; readonly log: LogConfig; readonly block: 'managed' | 'integrated' },
  findings: Findings,
): ManagedUnit {
  const { control } = managed;
  const at = [...place.at, 'unit', place.block];
  const { execution } = control;
  const env = variables(execution.environment, [...at, 'control', 'execution', 'environment'], findings);
  return {
    form: 'long',
    ...commonOf(worker, place.at),
    name: managed.metadata?.name || worker.id,
    description: managed.metadata?.description ?? '',
    execution: {
      program: execution.shell
        ? { kind: 'shell', line: execution.executable_path, args: execution.args ?? [] }
        : { kind: 'words', words: [execution.executable_path, ...(execution.args ?? [])] },
      cwd: execution.working_directory ?? null,
      env,
      ...identityOf(execution),
    },
    restart: longRestart(control, worker.profile_type || 'default', [...at, 'control'], findings),
    grace: control.graceful_timeout || GRACE,
    probes: normaliseProbes(managed, at, findings),
    log: longLog(control.log_collection, place.log, [...at, 'control', 'log_collection'], findings),
    limits: longLimits(control, [...at, 'control', 'limits'], env, findings),
    listen: null,
    unmanaged: null,
    processFile: control.process_file === undefined ? null : processFile(control.process_file),
    ...ending(control),
  };
}

/** A worker in the short form, as the managed unit it stands for; null where its command is no command. */
export function shortUnit(
  worker: WrittenShortWorker,
  place: { readonly at: Path; readonly log: LogConfig },
  findings: Findings,
): ManagedUnit | null {
  const { at } = place;
  const program = shortProgram(worker, [...at, 'command'], findings);
  const probes = normaliseProbes(worker, at, findings);
  const restart = shortRestart(worker, at, findings);
  const env = variables(worker.env, [...at, 'env'], findings);
  const limits = shortLimits(worker, at, env, findings);
  if (program === null) return null;
  return {
    form: 'short',
    ...commonOf(worker, at),
    name: worker.name || worker.id,
    description: worker.description ?? '',
    execution: { program, cwd: worker.cwd ?? null, env, ...identityOf(worker) },
    restart,
    grace: worker.stop_timeout ?? GRACE,
    probes,
    log: shortLog(worker.log, place.log, [...at, 'log'], findings),
    limits,
    listen: shortListen(worker),
    unmanaged: null,
    processFile: null,
    ...ending(worker),
  };
}

/** It is told by its environment alone, and need not be a unit that answers there. */
function shortListen({ port }: WrittenShortWorker): ListenSpec | null {
  return port === undefined ? null : { range: port, argument: null, handOver: 'reserve', isUnit: false };
}

/** Of a worker with mistakes the parts that were read without: what is wrong between their keys is told with the rest. */
export function checkSoundParts(written: WrittenWorker, findings: Findings): void {
  const sound = (at: Path, keys: readonly string[]) =>
    keys.every((key) => !findings.hasErrorBelow([...at, key]));
  if (written.form === 'short') {
    const { worker, at } = written;
    const command: WrittenShortWorker['command'] | undefined = worker.command;
    if (command !== undefined && sound(at, ['command', 'shell']))
      shortProgram(worker, [...at, 'command'], findings);
    if (sound(at, HEALTH)) normaliseProbes(worker, at, findings);
    if (sound(at, ['restart'])) shortRestart(worker, at, findings);
    if (sound(at, ['limits', 'env'])) shortLimits(worker, at, mapOf(worker.env), findings);
    return;
  }
  const { unit }: Partial<WrittenLongWorker> = written.worker;
  const managed: Partial<WrittenManaged> | undefined = unit?.managed;
  if (managed === undefined) return;
  const at = [...written.at, 'unit', 'managed'];
  if (sound(at, HEALTH)) normaliseProbes(managed, at, findings);
  const where = [...at, 'control'];
  const control: Partial<WrittenManaged['control']> | undefined = managed.control;
  if (control === undefined || !sound(where, ['context_aware_restart'])) return;
  longRestart(control, 'default', where, findings);
  if (sound(where, ['limits', 'execution']))
    longLimits(control, [...where, 'limits'], mapOf(control.execution?.environment), findings);
}

export function longLimits(
  control: Pick<Partial<WrittenManaged['control']>, 'limits' | 'context_aware_restart'>,
  at: Path,
  env: Readonly<Record<string, string>>,
  findings: Findings,
): LimitsSpec | null {
  if (control.limits === undefined) return null;
  const { sustained_violation_time: sustained = null, spike_tolerance_time: spikeTolerance = null } =
    control.context_aware_restart ?? {};
  const place = { at, temp: env['TMPDIR'] || null, defaults: { sustained, spikeTolerance } };
  return normaliseLimits(control.limits, place, findings);
}

function shortLimits(
  worker: WrittenShortWorker,
  at: Path,
  env: Readonly<Record<string, string>>,
  findings: Findings,
): LimitsSpec | null {
  const place = { at: [...at, 'limits'], temp: env['TMPDIR'] || null, defaults: NO_DEFAULTS };
  return normaliseLimits(worker.limits, place, findings);
}

export function commonOf(worker: WrittenLongWorker | WrittenShortWorker, at: Path) {
  return {
    at,
    id: worker.id,
    enabled: worker.enabled ?? true,
    dependsOn: dependencies(worker.depends_on),
    restartDependents: worker.restart_dependents ?? false,
    namespace: worker.namespace ?? null,
    group: worker.worker_group ?? null,
  };
}

/** The worker’s dependencies in one shape. */
export function dependencies(written: WrittenLongWorker['depends_on']): readonly DependencyConfig[] {
  if (written === undefined) return NO_DEPENDENCIES;
  const items = isList(written) ? written : [written];
  return items.map((item) => {
    if (typeof item === 'string') return { id: item, condition: null, restart: false };
    return { id: item.id, condition: item.condition ?? null, restart: item.restart ?? false };
  });
}

function identityOf(
  written: Pick<WrittenShortWorker, 'user' | 'group' | 'groups' | 'umask'>,
): Pick<Execution, 'user' | 'group' | 'groups' | 'umask'> {
  return {
    user: written.user ?? null,
    group: written.group ?? null,
    groups: written.groups ?? null,
    umask: written.umask ?? null,
  };
}

interface WrittenEnding {
  readonly stop_signal?: SignalName;
  readonly main_process?: { readonly pid_file: string; readonly timeout?: number };
  readonly on_daemonize?: 'kill' | 'adopt';
}

function ending(written: WrittenEnding): Pick<ManagedUnit, 'stopSignal' | 'mainProcess' | 'onDaemonize'> {
  const main: MainProcessSpec | null =
    written.main_process === undefined
      ? null
      : {
          pidFile: written.main_process.pid_file,
          timeout: written.main_process.timeout ?? MAIN_PROCESS_TIMEOUT,
        };
  return {
    stopSignal: written.stop_signal ?? 'SIGTERM',
    mainProcess: main,
    onDaemonize: written.on_daemonize ?? 'kill',
  };
}

function variables(
  written: WrittenShortWorker['env'],
  at: Path,
  findings: Findings,
): Readonly<Record<string, string>> {
  if (written === undefined) return NO_VARIABLES;
  if (!isList(written)) return written;
  const env = mapOf(written);
  if (Object.keys(env).length === written.length) return env;
  const seen = new Set<string>();
  for (const [name] of written) {
    if (seen.has(name)) {
      findings.noticeAt(`env ${name} twice`, at, () => ({
        message: `the variable ${name} is set twice; the last one counts`,
      }));
    }
    seen.add(name);
  }
  return env;
}

/** Variables as a map; of those set twice the last one counts. */
function mapOf(written: WrittenShortWorker['env']): Readonly<Record<string, string>> {
  if (written === undefined) return NO_VARIABLES;
  return isList(written) ? Object.fromEntries(written) : written;
}

function isList<T>(value: readonly T[] | object | string): value is readonly T[] {
  return Array.isArray(value);
}

function shortProgram(worker: WrittenShortWorker, at: Path, findings: Findings): Program | null {
  const { command } = worker;
  const refuse = (message: string, hint?: string): null => {
    findings.errorAt(at, { message, hint: hint ?? null });
    return null;
  };
  if (worker.shell === true) {
    if ('line' in command) return { kind: 'shell', line: command.line, args: [] };
    return refuse(
      'with shell: true the command is one line, not a list',
      'write it as text, or leave out shell',
    );
  }
  const words = 'line' in command ? command.split : command;
  if ('wrong' in words) return refuse(words.wrong, words.hint);
  const [program, ...args] = words;
  if (program === undefined) return refuse('is empty; it takes a program and its arguments');
  if (program === '') return refuse('names no program: its first word is empty');
  return { kind: 'words', words: [program, ...args] };
}
