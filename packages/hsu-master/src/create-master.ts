import { homedir } from 'node:os';
import { resolve } from 'node:path';
import {
  type ConfigSource,
  type LoadedConfig,
  type LoadResult,
  loadConfig,
  type OnMasterExit,
  readConfigFile,
} from '@hsu-master/config';
import {
  type Capability,
  type EventStream,
  type Host,
  HsuError,
  type LimitReport,
  type LimitsSpec,
  type Milliseconds,
  type OutputStream,
  type ProcessIdentity,
  type QuotaSpec,
  type TicketOutcome,
  type UsageDetail,
  type WallTime,
  type WorkerSpec,
} from '@hsu-master/core';
import type { LogStreamCounters, OutputListener, RecordListener } from '@hsu-master/logcollect';
import { realClock, type UsagePoint, type WorkerSnapshot, type WorkerUsage } from '@hsu-master/workers';
import { Configuration } from './configuration.ts';
import type { ContainmentMode } from './containment.ts';
import { checkGivenLimits } from './given-limits.ts';
import { lockStateDirectory } from './lock.ts';
import { checkTarget } from './logs.ts';
import { choosePlaces, instanceOf, isPrivileged, type Places } from './places.ts';
import { type EndResult, type Wired, wire } from './wire.ts';
import { isWritten, limitsOfQuota, limitsOfWorker, type WrittenLimits } from './written-limits.ts';

/** How to make a master. Exactly one of `configFile` and `config` is given. */
export interface MasterOptions {
  /** Path of a YAML file. */
  readonly configFile?: string;
  /** The same as a value or as YAML text. */
  readonly config?: string | object;
  /** For relative paths in `config`, and to tell masters without a file apart; the working directory where it is not given. */
  readonly directory?: string;
  /** Default: see docs/config.md, “Where files go”. */
  readonly stateDirectory?: string;
  readonly logDirectory?: string;
  /** The environment that workers inherit and `${VAR}` reads; default: the process’s own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /**
   * Become the parent of the workers’ orphans (Linux: child subreaper) and reap them. Only for a process that starts no other
   * children by itself; default false.
   */
  readonly reapOrphans?: boolean;
  /**
   * How workers are held where the system has cgroups. `in-place` (the default) uses what can be had without moving this process;
   * `auto` may move it into a cgroup of its own, also one that systemd is asked for; `off` uses process groups alone.
   */
  readonly containment?: ContainmentMode;
  /**
   * Linux: oom_score_adj of this process, where it may be set, so that the kernel takes workers first; they keep the value from before.
   * Only for a process that is nothing but a master.
   */
  readonly oomScoreAdj?: number;
  /**
   * Linux: the descriptor of the state directory’s lock that the program before this one, in the same process, has kept open for it.
   * Only for a process that was a master before.
   */
  readonly inheritedLock?: number;
  /**
   * Under systemd: have the service’s store of descriptors (FileDescriptorStoreMax=) keep what workers have written and nobody has read
   * while no master runs. Only for the main process of a service.
   */
  readonly keepChannels?: boolean;
}

/** Keeps the workers of one configuration. */
export interface Master {
  /** Unique for this master's life. */
  readonly id: string;
  /** As it holds now: it can be changed, see `configuration`. */
  readonly config: LoadedConfig;
  /** Compares, applies and reloads; `by` says in events who asked. */
  readonly configuration: Pick<
    Configuration,
    'view' | 'plan' | 'apply' | 'reload' | 'create' | 'replace' | 'remove'
  >;
  /** The workers as they are described now, also while they are being removed; limits that were set are in it. */
  specs(): readonly WorkerSpec[];
  /** null: there is none. */
  spec(id: string): WorkerSpec | null;
  readonly events: EventStream;
  readonly places: Places;
  /** Why the native addon could not be loaded and the master does with less; null where it was. */
  readonly lacksAddon: string | null;
  capabilities(): readonly Capability[];
  /** Starts the enabled workers in the order of their dependencies. Resolves when the orders are given. */
  start(): Promise<void>;
  workers(): readonly WorkerSnapshot[];
  /** @throws HsuError E_UNKNOWN_WORKER, as all that take an id */
  worker(id: string): WorkerSnapshot;
  startWorker(id: string): Promise<TicketOutcome>;
  /** Beyond this master’s life: the worker stays stopped until it is started again. */
  stopWorker(id: string): Promise<TicketOutcome>;
  restartWorker(id: string): Promise<TicketOutcome>;
  resetWorker(id: string): Promise<TicketOutcome>;
  /** Like `stopWorker`, without grace. */
  killWorker(id: string): Promise<TicketOutcome>;
  /** What runs processes for this master. */
  host(): Host;
  /** The living processes of the worker’s tree. */
  members(id: string): readonly ProcessIdentity[];
  /**
   * What the worker’s living tree uses, from a look at it now; pss and connections only if `detail` asks for them. Where nothing of it
   * runs the newest sample, null where there is none.
   */
  usage(id: string, detail?: Partial<UsageDetail>): WorkerUsage | null;
  /** What was sampled of a worker with limits, over restarts, the oldest first; `since` in milliseconds since 1970. */
  usageHistory(id: string, since?: WallTime): readonly UsagePoint[];
  /** What became of each limit of the worker’s present or last run; before the first, what would. */
  limits(id: string): readonly LimitReport[];
  /**
   * Replaces a worker’s limits, for the tree that lives and for the runs to come: as a configuration has them below `limits`, YAML text or a
   * value, or as it comes to, see `config.workers`. Returns what became of each and of those of its budgets; of a worker that does not
   * run, what became of those of its last run. The configuration file is not changed.
   * @throws HsuError E_USAGE or E_CONFIG for limits that no configuration could come to, before anything changes; E_UNKNOWN_WORKER
   */
  setLimits(id: string, limits: LimitsSpec | WrittenLimits): readonly LimitReport[];
  /**
   * Replaces the limits of a group or namespace, for all of its workers, now and later. Returns what became of each. The configuration
   * file is not changed.
   * @throws HsuError as `setLimits`; E_USAGE where no worker shares such limits
   */
  setQuota(kind: QuotaSpec['kind'], id: string, limits: LimitsSpec | WrittenLimits): readonly LimitReport[];
  /** The last lines that the worker’s latest run wrote, oldest first: at most `count`, 64 and 4 KiB. */
  lastLines(id: string, count: number, stream: OutputStream): readonly string[];
  /** The last line that a run wrote to stderr, as soon as that has ended, at the latest after `timeout`; null where it wrote none. */
  lastWords(id: string, run: number, timeout: Milliseconds): Promise<string | null>;
  /** Hears all output from now on, besides the files; the returned function ends that. */
  listen(listener: OutputListener): () => void;
  /**
   * Hears the lines of these workers, null: of all, from now on as they leave their pipelines; the returned function ends that. The
   * listener must not throw. Costs something only while it is there.
   */
  hearLines(ids: readonly string[] | null, hear: RecordListener): () => void;
  /** Lines, bytes, levels and losses of the workers whose lines somebody asks for, and how their targets are. */
  lineCounters(): LogStreamCounters;
  /**
   * Ends everything in order within `deadline` (default: master.force_shutdown_timeout) and lets go of all resources. `workers`
   * (default: master.on_master_exit): `leave` lets them run on, and the next master takes charge of them.
   */
  shutdown(options?: {
    readonly reason?: string;
    readonly deadline?: Milliseconds;
    readonly workers?: OnMasterExit;
  }): Promise<EndResult>;
  /** During a shutdown: kills what is left at once. */
  force(): void;
}

/**
 * Makes a master that is not started yet.
 * @throws HsuError E_USAGE for both or none of configFile and config and for a working directory that was removed, E_CONFIG with all
 *   issues in the message, E_CONFIG_READ, E_OTHER_MASTER, E_STATE
 */
export function createMaster(options: MasterOptions): Master {
  return openMaster(options).master;
}

/** The same with what only the launcher is to touch. */
export function openMaster(options: MasterOptions): { readonly master: Master; readonly parts: Wired } {
  const env = options.environment ?? process.env;
  checkWorkingDirectory();
  const source = sourceOf(options);
  const places = placesOf(source.file, env, options);
  const cwd = process.cwd();
  const configuration = new Configuration(
    {
      file: source.file,
      readText: () => sourceOf(options).text,
      stateDirectory: places.stateDirectory,
      clock: realClock(),
      load: (text) => load(text, env, places, cwd),
    },
    source.text,
  );
  const id = newMasterId(realClock().random());
  const parts = wire({
    config: configuration.config,
    environment: env,
    places,
    reapOrphans: options.reapOrphans ?? false,
    containment: options.containment ?? 'in-place',
    oomScoreAdj: options.oomScoreAdj,
    keepChannels: options.keepChannels ?? false,
    masterId: id,
    isSuccessor: options.inheritedLock !== undefined,
    prepare: (native) => lockStateDirectory(places.stateDirectory, native, options.inheritedLock),
  });
  configuration.attach({
    specs: () => parts.supervisor.specs(),
    carry: (config) => parts.carry(config),
    publish: (event) => parts.supervisor.events.publish(event, realClock().wallNow(), null, null),
  });
  return { master: faceOf(id, parts, configuration, places), parts };
}

/** Where the master of a configuration file keeps its files. */
export function placesOf(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  { stateDirectory, logDirectory }: Pick<MasterOptions, 'stateDirectory' | 'logDirectory'>,
): Places {
  return choosePlaces({
    env,
    home: homedir(),
    privileged: isPrivileged(process.env),
    stateDirectory: stateDirectory === undefined ? null : resolve(stateDirectory),
    logDirectory: logDirectory === undefined ? null : resolve(logDirectory),
    instance: instanceOf(file),
  });
}

function faceOf(id: string, parts: Wired, configuration: Configuration, places: Places): Master {
  const { supervisor } = parts;
  return {
    id,
    get config() {
      return configuration.config;
    },
    configuration,
    specs: () => supervisor.present(),
    spec: (id) => supervisor.spec(id),
    places,
    events: supervisor.events,
    lacksAddon: parts.lacksAddon,
    capabilities: () => parts.host.capabilities(),
    start: () => parts.start(),
    workers: () => supervisor.snapshots(),
    worker: (id) => supervisor.snapshot(id),
    startWorker: (id) => supervisor.start(id),
    stopWorker: (id) => supervisor.stop(id),
    restartWorker: (id) => supervisor.restart(id),
    resetWorker: (id) => supervisor.reset(id),
    killWorker: (id) => supervisor.kill(id),
    host: () => parts.host,
    members: (id) => supervisor.members(id),
    usage: (id, detail) => parts.limits.usage(supervisor.snapshot(id).id, detail),
    usageHistory: (id, since) => parts.limits.history(supervisor.snapshot(id).id, since),
    setLimits(id, given) {
      const { cwd } = supervisor.spec(id)?.command ?? { cwd: process.cwd() };
      const limits = isWritten(given)
        ? limitsOfWorker(given, { id: supervisor.snapshot(id).id, cwd })
        : given;
      checkGivenLimits(limits);
      const reports = supervisor.setLimits(id, limits);
      parts.limits.renew(id);
      return reports;
    },
    setQuota(kind, id, given) {
      const isIt = (quota: QuotaSpec): boolean => quota.kind === kind && quota.id === id;
      if (!supervisor.present().some(({ quotas }) => quotas.some(isIt)))
        throw new HsuError('E_USAGE', `setQuota: no worker shares limits of a ${kind} "${id}"`, { kind, id });
      const limits = isWritten(given) ? limitsOfQuota(given, kind, process.cwd()) : given;
      checkGivenLimits(limits, 'setQuota');
      return supervisor.setQuota({ kind, id, limits });
    },
    limits(id) {
      const { run, limits } = supervisor.snapshot(id);
      const { limits: written = null, quotas = [] } = supervisor.spec(id) ?? {};
      if (run > 0) return limits;
      const { host } = parts;
      const own = written === null ? [] : host.explainLimits(written, 'worker', quotas);
      return [...own, ...quotas.flatMap((quota) => explainQuota(host, quota, quotas))];
    },
    lastLines: (id, count, stream) => parts.collector.lastLines(id, count, stream),
    lastWords: (id, run, timeout) => parts.collector.lastWords(id, run, timeout),
    listen: (listener) => parts.collector.subscribe(listener),
    hearLines: (ids, hear) =>
      parts.lines.subscribe(ids === null ? null : new Set(ids.map((id) => supervisor.snapshot(id).id)), hear),
    lineCounters: () => parts.lines.counters(),
    async shutdown({ reason = 'asked for', deadline, workers } = {}) {
      const { forceShutdownTimeout, onExit } = configuration.config.master;
      const closed = configuration.close();
      const result = await ((workers ?? onExit) === 'leave'
        ? parts.leave(reason)
        : parts.end(reason, deadline ?? forceShutdownTimeout));
      await closed;
      return result;
    },
    force: () => parts.force(),
  };
}

/** What would become of the limits of a budget. */
function explainQuota(
  host: Host,
  { kind, id, limits }: QuotaSpec,
  quotas: readonly QuotaSpec[],
): LimitReport[] {
  const reports = host.explainLimits(limits, 'quota', quotas);
  return reports.map((report) => ({ ...report, quota: { kind, id } }));
}

/** Tells the processes of this master from another's: one of 2^32; `chance` from 0 to 1. */
function newMasterId(chance: number): string {
  return Math.floor(chance * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}

interface Source {
  readonly file: string;
  readonly text: string;
}

function sourceOf(options: MasterOptions): Source {
  if ((options.configFile === undefined) === (options.config === undefined)) {
    throw new HsuError('E_USAGE', 'createMaster takes one of configFile and config');
  }
  if (options.configFile !== undefined) {
    const read = readConfigFile(options.configFile);
    if (!read.ok) throw new HsuError(read.failure.code, read.failure.message, { file: options.configFile });
    return { file: resolve(options.configFile), text: read.text };
  }
  const config = options.config ?? '';
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  return { file: resolve(options.directory ?? '.', 'config (in memory)'), text };
}

/**
 * Everything relative is relative to the working directory.
 * @throws HsuError E_USAGE where it was removed
 */
export function checkWorkingDirectory(): void {
  try {
    process.cwd();
  } catch (error) {
    const message = 'the working directory was removed; change to one that exists (cd /) and try again';
    throw new HsuError('E_USAGE', message, {}, error);
  }
}

/** Reads a configuration as a master with these places would. */
export function load(
  source: ConfigSource,
  env: Readonly<Record<string, string | undefined>>,
  places: Pick<Places, 'logDirectory'>,
  cwd = process.cwd(),
): LoadResult {
  return loadConfig(source, { env, cwd, logDirectory: places.logDirectory, checkTarget });
}
