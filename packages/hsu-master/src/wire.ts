import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedConfig } from '@hsu-master/config';
import {
  type Clock,
  type EventDraft,
  EventStream,
  type Host,
  isSame,
  type Milliseconds,
  type ProcessIdentity,
} from '@hsu-master/core';
import { healthHook } from '@hsu-master/health';
import {
  type ChannelStore,
  type FileCollector,
  type FileCollectorOptions,
  fileCollector,
  type Housekeeping,
  type LogStream,
  logFiles,
  type PumpCollector,
  pumpCollector,
  systemdStore,
  withExternalLogs,
} from '@hsu-master/logcollect';
import { loadNative, type Native } from '@hsu-master/native';
import {
  createNativeHost,
  createNodeHost,
  createWindowsHost,
  type FileJournal,
  integratedHook,
  type LimitWatch,
  mainProcessHook,
  makeDirectory,
  type NativeHost,
  type NativeHostOptions,
  type NewProgram,
  openJournal,
  realClock,
  type ShutdownResult,
  Supervisor,
  type TransitionResult,
  watchLimits,
} from '@hsu-master/workers';
import { type ContainmentMode, containmentOf } from './containment.ts';
import { finderOf } from './foreign.ts';
import type { StateLock } from './lock.ts';
import { externalLogs, keepLogs, type Logs, openLogs, settingsOf } from './logs.ts';
import { instanceOf, type Places } from './places.ts';
import { openUnits, type Units } from './units.ts';

export interface Wiring {
  readonly config: LoadedConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly places: Places;
  readonly reapOrphans: boolean;
  readonly containment: ContainmentMode;
  readonly oomScoreAdj: number | undefined;
  readonly masterId: string;
  readonly keepChannels: boolean;
  /** An earlier program of this very process was the master. */
  readonly isSuccessor: boolean;
  /** Called before anything is touched; throws where the master must not begin. What it returns is released after everything. */
  prepare(native: Native | null): StateLock;
}

/** How many of the latest events are remembered for late readers. */
const REMEMBERED_EVENTS = 2000;

/** What the end of a master came to. */
export interface EndResult extends ShutdownResult {
  /** Living processes that workers had left to the master and that could not be ended either. */
  readonly strays: readonly ProcessIdentity[];
}

/** Between asking and killing the processes that no worker claims. */
const STRAY_GRACE: Milliseconds = 2000;

/**
 * How long the last output of workers is awaited that have ended: their pipes are read, and the disk may be slow; so may be targets,
 * where somebody hears it.
 */
const LAST_WORDS = { written: 2000, heard: 5000 } as const;

/** What targets get at the end to take what waits: what is left of the deadline, but no more and no less than this. */
const LAST_LINES = { least: 500, most: 5000 } as const;

export interface Wired {
  readonly supervisor: Supervisor;
  readonly host: Host;
  /** Why the addon could not be loaded; null where it was. */
  readonly lacksAddon: string | null;
  readonly collector: FileCollector;
  readonly lines: LogStream;
  readonly limits: LimitWatch;
  /** Turns what there is into what another configuration says. @throws HsuError E_SHUTTING_DOWN */
  carry(config: LoadedConfig): Promise<TransitionResult>;
  /** Starts the enabled workers; what an earlier master left in groups that none of them claims is ended. */
  start(): Promise<void>;
  /** During `end`: kills what is left at once, and gives targets only a moment. */
  force(): void;
  /** Ends the workers, then everything that served them. A second call returns the first one’s promise, whatever that does. */
  end(reason: string, deadline: Milliseconds): Promise<EndResult>;
  /** Ends everything but the workers, of which the next master takes charge. */
  leave(reason: string): Promise<EndResult>;
  /**
   * The same, but this process goes on as another program: `next` names it, first with null, then, where one cannot be run, with why;
   * null: there is none. `lock` is the descriptor that stays open for it. Resolves only where none could be run, with why.
   */
  handOver(
    reason: string,
    next: (why: string | null, lock: number | null) => NewProgram | null,
  ): Promise<string>;
}

/** Where everything meets. */
export function wire(wiring: Wiring): Wired {
  const loaded = loadNative();
  const native = loaded.ok ? loaded.native : null;
  const lock = wiring.prepare(native);
  const clock = realClock();
  const { environment } = wiring;
  const events = new EventStream(REMEMBERED_EVENTS);
  const onStray = (process: ProcessIdentity): void => {
    events.publish({ type: 'supervisor.stray-found', payload: { process } }, clock.wallNow(), null, null);
  };
  const windows = loaded.ok ? loaded.windows : null;
  const nativeHost =
    native === null || windows !== null ? null : openNativeHost(native, wiring, { clock, onStray });
  const windowsHost =
    native === null || windows === null ? null : createWindowsHost(native, windows, { environment, clock });
  const host = nativeHost ?? windowsHost ?? createNodeHost({ environment, clock });
  try {
    const bootId = native === null ? bootIdOfSystem() : native.bootId();
    const { supervisor, collector, journal, limits, logs, units, carry } = supervise(
      wiring,
      { host, clock, events, native },
      bootId,
    );
    let isForced = false;
    let keeping: Housekeeping | null = null;
    const end = async (reason: string, deadline: Milliseconds): Promise<EndResult> => {
      const until = clock.now() + deadline;
      const result = await supervisor.shutdown(reason, deadline);
      limits.close();
      units.close();
      const strays = (await nativeHost?.endStrays(STRAY_GRACE)) ?? [];
      await journal.close();
      await collector.drained(collector.heardStreams > 0 ? LAST_WORDS.heard : LAST_WORDS.written);
      await collector.close();
      await keeping?.close();
      const left = isForced ? 0 : until - clock.now();
      await logs.close(Math.min(LAST_LINES.most, Math.max(LAST_LINES.least, left)));
      host.close();
      lock.release();
      return { ...result, strays };
    };
    const letGo = async (reason: string): Promise<void> => {
      supervisor.leave(reason);
      limits.close();
      units.close();
      await journal.close();
      await collector.close();
      await keeping?.close();
      await logs.close(isForced ? 0 : LAST_LINES.most);
    };
    const leave = async (reason: string): Promise<EndResult> => {
      await letGo(reason);
      host.close();
      lock.release();
      return { survivors: [], strays: [], forced: false };
    };
    let ended: Promise<EndResult> | null = null;
    return {
      supervisor,
      host,
      collector,
      lines: logs.stream,
      limits,
      lacksAddon: loaded.ok ? null : loaded.reason,
      carry,
      async start() {
        keeping ??= keep(() => logs.config, wiring.places, events, clock);
        await supervisor.startAll();
        nativeHost?.endForgotten();
      },
      force() {
        isForced = true;
        supervisor.force();
      },
      end: (reason, deadline) => (ended ??= end(reason, deadline)),
      leave: (reason) => (ended ??= leave(reason)),
      async handOver(reason, next) {
        if (nativeHost === null || ended !== null) return 'this takes the addon';
        nativeHost.rest();
        await newsDelivered();
        await letGo(reason);
        let why: string | null = null;
        for (;;) {
          const program = next(why, lock.descriptor);
          if (program === null) return why ?? 'there is no program';
          why = nativeHost.becomeProgram(program, lock.descriptor === null ? [] : [lock.descriptor]);
        }
      },
    };
  } catch (error) {
    host.close();
    lock.release();
    throw error;
  }
}

/** What threads of the addon have told by now comes in the next turn of the event loop, and what that leads to right after. */
async function newsDelivered(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** Looks after old files from now on, and soon after a file was rotated. */
function keep(config: () => LoadedConfig, places: Places, events: EventStream, clock: Clock): Housekeeping {
  const keeping = keepLogs({
    config,
    places,
    clock,
    publish: (event) => events.publish(event, clock.wallNow(), null, null),
  });
  events.subscribe(({ type }) => {
    if (type === 'log.rotated') keeping.nudge();
  });
  return keeping;
}

function openNativeHost(
  native: Native,
  { environment, reapOrphans, oomScoreAdj, containment: mode, places, isSuccessor }: Wiring,
  parts: Pick<NativeHostOptions, 'clock' | 'onStray'>,
): NativeHost {
  // Before the host: afterwards whatever this process starts would be reaped by the addon.
  const containment = containmentOf(mode, instanceOf(places.stateDirectory));
  const options = {
    environment,
    reapOrphans,
    isSuccessor,
    ...parts,
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
  };
  return createNativeHost(native, containment === undefined ? options : { ...options, containment });
}

interface Surroundings {
  readonly host: Host;
  readonly clock: Clock;
  readonly events: EventStream;
  readonly native: Native | null;
}

interface Supervision {
  readonly supervisor: Supervisor;
  readonly collector: FileCollector;
  readonly journal: FileJournal;
  readonly limits: LimitWatch;
  readonly logs: Logs;
  readonly units: Units;
  carry(config: LoadedConfig): Promise<TransitionResult>;
}

function supervise(
  wiring: Wiring,
  { host, clock, events, native }: Surroundings,
  bootId: string,
): Supervision {
  const { config, places, masterId } = wiring;
  const publish = (event: EventDraft, workerId: string | null, run: number | null): void => {
    events.publish(event, clock.wallNow(), workerId, run);
  };
  const journal = openJournal({
    runDirectory: places.runDirectory,
    stateDirectory: places.stateDirectory,
    bootId,
    failed: (error) => {
      const reason = error instanceof Error ? error.message : String(error);
      publish({ type: 'supervisor.unrecorded', payload: { reason } }, null, null);
    },
  });
  const limits = watchLimits({
    host,
    clock,
    logFiles: ({ log }) => logFiles(log),
    defect: (error) => {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      publish({ type: 'supervisor.defect', payload: { message } }, null, null);
    },
  });
  const units = openUnits({ host, clock, bootId, places, publish });
  const { grpc, ports, pidFiles } = units;
  pidFiles.sweep(config.workers);
  const hooks = [healthHook(undefined, grpc), integratedHook(grpc), mainProcessHook(), limits.hook];
  const store = native !== null && wiring.keepChannels ? storeOf(native, wiring, clock, publish) : null;
  const own = collect(native, places.runDirectory, { clock, publish }, store);
  const collector = withExternalLogs(own, {
    clock,
    logs: externalLogs(config.workers),
    positions: join(places.stateDirectory, 'positions.json'),
    trouble: (reason) =>
      publish(
        { type: 'log.dropped', payload: { bytes: 0, reason: `cannot be read: ${reason}` } },
        null,
        null,
      ),
  });
  const logs = openLogs({ config, places, masterId, clock, host, native, publish });
  logs.attach(collector);
  if (isPumped(own)) own.adopt(config.workers);
  const finder = finderOf(native, { host, clock, mark: masterId });
  const supervisor = new Supervisor({
    host,
    clock,
    hooks,
    collector,
    journal,
    instance: instanceOf(places.stateDirectory),
    masterId,
    events,
    ports,
    pidFiles,
    finder,
  });
  supervisor.add(config.workers);
  events.subscribe(({ type, workerId }) => {
    if (type !== 'worker.removed' || workerId === null) return;
    logs.stream.forget(workerId);
    limits.forget(workerId);
  });
  const carry = (next: LoadedConfig): Promise<TransitionResult> => {
    const before = new Map(supervisor.specs().map((spec) => [spec.id, spec]));
    // Before anything new begins: its first line is heard.
    logs.change(next);
    collector.change(externalLogs(next.workers));
    const carried = supervisor.apply(next.workers);
    for (const { id, limits: now } of next.workers) {
      const was = before.get(id);
      if (was !== undefined && !isSame(was.limits, now)) limits.renew(id);
    }
    return carried;
  };
  return { supervisor, collector, journal, limits, logs, units, carry };
}

/** The addon carries the output where there is one. */
function collect(
  native: Native | null,
  runDirectory: string,
  options: FileCollectorOptions,
  store: ChannelStore | null,
): FileCollector | PumpCollector {
  if (native === null) return fileCollector(options);
  makeDirectory(runDirectory, 0o700);
  return pumpCollector({ ...options, native, runDirectory, settingsOf, store });
}

/** Where channels are kept while no master runs. */
function storeOf(
  native: Native,
  { environment }: Wiring,
  clock: Clock,
  publish: (event: EventDraft, workerId: null, run: null) => void,
): ChannelStore | null {
  return systemdStore({
    environment,
    pid: process.pid,
    clock,
    send: (socket, message, file) => native.sendDatagram(socket, message, file),
    trouble: (reason) => publish({ type: 'log.dropped', payload: { bytes: 0, reason } }, null, null),
  });
}

/** Whether there may be runs of an earlier master that still write. */
function isPumped(collector: FileCollector | PumpCollector): collector is PumpCollector {
  return 'adopt' in collector;
}

/** What the addon would say; without either, records of an earlier boot cannot be told from this one’s and are void. */
function bootIdOfSystem(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return process.getBuiltinModule('node:crypto').randomUUID();
  }
}
