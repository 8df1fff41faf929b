import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { CheckTarget, LoadedConfig } from '@hsu-master/config';
import {
  type Clock,
  type EventDraft,
  type Host,
  type LogSpec,
  type Milliseconds,
  type OutputStream,
  type WorkerId,
} from '@hsu-master/core';
import {
  AlertDelivery,
  type ConsoleOut,
  consoleOut,
  type ExternalLog,
  type FileCollector,
  type FileSettings,
  type Housekeeping,
  housekeeping,
  type KeptLog,
  LogStream,
  leftSpills,
  type Outlet,
  readTarget,
  sinksFrom,
} from '@hsu-master/logcollect';
import type { Native } from '@hsu-master/native';
import type { Places } from './places.ts';

export interface LogSurroundings {
  readonly config: LoadedConfig;
  readonly places: Places;
  readonly masterId: string;
  readonly clock: Clock;
  readonly host: Host;
  readonly native: Native | null;
  publish(event: EventDraft, workerId: WorkerId | null, run: number | null): void;
}

/** The lines of workers on their way to targets, alerts and subscribers. */
export interface Logs {
  readonly stream: LogStream;
  /** By which lines go now. */
  readonly config: LoadedConfig;
  /** Of other workers, and otherwise. */
  change(config: LoadedConfig): void;
  attach(collector: FileCollector): void;
  /** Gives the targets so long to take what waits. */
  close(within: Milliseconds): Promise<void>;
}

/** Files that programs write which others have started, from what is written to them while there is a master. */
export function externalLogs(workers: LoadedConfig['workers']): readonly ExternalLog[] {
  return workers.flatMap(({ id, enabled, unmanaged }) =>
    (enabled ? (unmanaged?.logFiles ?? []) : []).map(
      (path): ExternalLog => ({ workerId: id, stream: 'stdout', path, begin: 'end' }),
    ),
  );
}

/** Which files of output go, and when. */
export function keepLogs({
  config,
  places,
  clock,
  publish,
}: Pick<LogSurroundings, 'places' | 'clock'> & {
  /** As it holds when there is a look. */
  config(): LoadedConfig;
  publish(event: EventDraft): void;
}): Housekeeping {
  const { goneAfter, maxTotal } = config().logs.keeping;
  let known: { readonly of: LoadedConfig; readonly logs: readonly KeptLog[] } | null = null;
  return housekeeping({
    clock,
    logs() {
      if (known?.of !== config()) known = { of: config(), logs: keptLogs(config()) };
      return known.logs;
    },
    goneAfter,
    maxTotal,
    known: join(places.stateDirectory, 'logs.json'),
    publish,
  });
}

function keptLogs({ workers, logs }: LoadedConfig): readonly KeptLog[] {
  const own = workers.flatMap(({ log }) => {
    const { maxFiles, files, captureStdout, captureStderr } = log;
    const paths = [...(captureStdout ? [log.stdoutFile] : []), ...(captureStderr ? [log.stderrFile] : [])];
    return paths.map((path): KeptLog => ({ path, maxFiles, maxAge: files.maxAge }));
  });
  const others = logs.targets.flatMap(({ name, written }): KeptLog[] => {
    const to = readTarget(written, { name, resolve: (path) => path, spillFolder: null }).spec?.to;
    return to?.kind === 'file' ? [{ path: to.path, maxFiles: to.maxFiles, maxAge: to.maxAge }] : [];
  });
  return [...new Map([...own, ...others].map((log) => [log.path, log])).values()];
}

/** The last alerts get this at the end. */
const LAST_ALERTS: Milliseconds = 2000;

/** What is wrong with a target as it was written. */
export const checkTarget: CheckTarget = (written) =>
  readTarget(written, { name: '', resolve: (path) => path, spillFolder: null }).issues;

/** How the pump writes the file of a stream. */
export function settingsOf({ files }: LogSpec, stream: OutputStream): FileSettings {
  const { format, prefix } = files.forms[stream];
  const { overflow, rotateEvery, compression } = files;
  return {
    format: format === 'plain' && prefix !== '' ? 'prefixed' : format,
    prefix,
    overflow,
    rotateEvery,
    compression,
  };
}

/** Opens the targets, each with its queue; what earlier masters left in the spills is sent first. */
export function openLogs(surroundings: LogSurroundings): Logs {
  const { config, clock, masterId, host, publish } = surroundings;
  const delivery = new AlertDelivery({
    clock,
    host,
    cwd: dirname(config.file),
    mark: masterId,
    failed: ({ rule, workerId, run }, to, reason) =>
      publish({ type: 'log.alert-failed', payload: { rule: rule.name, to, reason } }, workerId, run),
  });
  const stream = new LogStream({
    clock,
    masterId,
    hostname: hostname(),
    workers: config.workers,
    rules: config.logs.alerts,
    publish,
    alert(alert) {
      const { kind, rule, workerId, run, lines, message } = alert;
      publish({ type: 'log.alerted', payload: { kind, rule: rule.name, lines, message } }, workerId, run);
      delivery.deliver(alert);
    },
  });
  const consoles = ownStreams(clock);
  const reported = reportLeftSpills(surroundings);
  const targets = new Targets(surroundings, stream, consoles);
  let holds = config;
  return {
    stream,
    get config() {
      return holds;
    },
    change(next) {
      holds = next;
      targets.change(next);
      const { alerts: rules } = next.logs;
      stream.change({ workers: next.workers, rules, outlets: targets.outlets() });
    },
    attach: (collector) => stream.attach(collector, targets.outlets()),
    async close(within) {
      await Promise.all([stream.close(within), targets.close(within), reported]);
      const { promise: tooLate, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(Math.min(within, LAST_ALERTS), resolve);
      await Promise.race([delivery.settled(), tooLate]);
      cancel();
      delivery.close();
      await consoles.close();
    },
  };
}

function spillFolderOf(places: Places): string {
  return join(places.stateDirectory, 'spill');
}

/** What waits for targets that are not configured any more is not sent, and not forgotten either. */
async function reportLeftSpills({ config, places, publish }: LogSurroundings): Promise<void> {
  const names = new Set(config.logs.targets.map(({ name }) => name));
  for (const { folder, target, bytes } of await leftSpills(spillFolderOf(places), names))
    publish({ type: 'log.sink-left', payload: { sink: target, folder, bytes } }, null, null);
}

type Target = LoadedConfig['logs']['targets'][number];
type Queue = ReturnType<typeof sinksFrom>[number];

/**
 * The queues of targets. One that is not configured any more sends what it has and is there for its coming back: two queues for one target
 * would write to one spill. Other settings of the same target count with the next start of the master.
 */
class Targets {
  readonly #in: LogSurroundings;
  readonly #stream: LogStream;
  readonly #streams: OwnStreams;
  readonly #queues = new Map<string, Queue | null>();
  #targets: readonly Target[] = [];

  constructor(surroundings: LogSurroundings, stream: LogStream, streams: OwnStreams) {
    this.#in = surroundings;
    this.#stream = stream;
    this.#streams = streams;
    this.change(surroundings.config);
  }

  outlets(): readonly Outlet[] {
    return this.#targets.flatMap(({ name, sources }) => {
      const queue = this.#queues.get(name) ?? null;
      if (queue === null) return [];
      return sources.map(({ workers, streams }) => ({
        workers: workers === null ? null : new Set(workers),
        streams,
        queue,
      }));
    });
  }

  change({ logs }: LoadedConfig): void {
    this.#targets = logs.targets;
    for (const target of logs.targets)
      if (!this.#queues.has(target.name)) this.#queues.set(target.name, this.#queueOf(target));
  }

  /** Those that lead nowhere now; the others are closed by the stream. */
  async close(within: Milliseconds): Promise<void> {
    const present = new Set(this.#targets.map(({ name }) => name));
    const former = [...this.#queues].flatMap(([name, queue]) => (present.has(name) ? [] : (queue ?? [])));
    await Promise.all(former.map((queue) => queue.close(within)));
  }

  #queueOf({ name, written }: Target): Queue | null {
    const { places, clock, masterId, native } = this.#in;
    const spillFolder = spillFolderOf(places);
    const { spec } = readTarget(written, { name, resolve: (path) => path, spillFolder });
    // Loading has refused what cannot be used.
    if (spec === null) return null;
    const { stdout, stderr } = this.#streams;
    const [queue] = sinksFrom([spec], {
      clock,
      masterId,
      hostname: hostname(),
      stdout,
      stderr,
      unixDatagram: native === null ? null : (path, message) => native.sendDatagram(path, message),
      news: (news) => this.#stream.hearOfSink(news),
    });
    return queue ?? null;
  }
}

interface OwnStreams {
  readonly stdout: ConsoleOut;
  readonly stderr: ConsoleOut;
  close(): Promise<void>;
}

/** The master’s own streams, opened when the first line is written to them. */
function ownStreams(clock: Clock): OwnStreams {
  const opened = new Map<number, ReturnType<typeof consoleOut>>();
  const write = (fd: number): ConsoleOut => {
    return (text) => {
      let out = opened.get(fd);
      if (out === undefined) {
        out = consoleOut(fd, clock);
        opened.set(fd, out);
      }
      return out(text);
    };
  };
  return {
    stdout: write(1),
    stderr: write(2),
    async close() {
      await Promise.all([...opened.values()].map((out) => out.close()));
    },
  };
}
