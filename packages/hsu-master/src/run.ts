import { formatIssue } from '@hsu-master/config';
import { formatDuration, HsuError, type Milliseconds, maskText } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { realClock } from '@hsu-master/workers';
import { containmentMode, PROTECTED, refuseContainment } from './containment.ts';
import { type Master, openMaster } from './create-master.ts';
import { type Door, openDoor } from './door.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { directoriesOf, type Flags } from './flags.ts';
import { openMasterLog } from './master-log.ts';
import { giveBackStartMemory } from './memory.ts';
import { reportReadiness, takeReadinessChannel } from './readiness.ts';
import { refused } from './refused.ts';
import { serviceManager } from './service/notify.ts';
import { type WindowsService, windowsService } from './service/windows-service.ts';
import { watchSession } from './session.ts';
import { type Succession, takeSuccession, withSuccession } from './succession.ts';
import { type Candidates, ownProgram, type Successor, watchSuccessors } from './successor.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { wantsColour } from './terminal-colour.ts';
import { writeAnswer } from './upgrade-files.ts';
import { ownVersion } from './version.ts';

/** When even a large set of workers has been started. */
const AFTER_START: Milliseconds = 3000;

/** `hsu-master run FILE`: the workers of a file in the foreground, until a signal or the run duration ends them. */
export async function run(file: string, flags: Flags): Promise<number> {
  const duration = runDuration(flags['run-duration']);
  if (duration === null) {
    const given = flags['run-duration'];
    process.stderr.write(`hsu-master: --run-duration takes a number of seconds, not "${given}"\n`);
    return EXIT_CODES.usage.code;
  }
  const containment = containmentMode(flags.containment);
  if (containment === null) return refuseContainment(flags.containment);
  const terminal = flags.background ? openMasterLog() : openTerminal(process.stdout, process.env);
  const service = flags.background ? windowsService(process.env) : null;
  const channel = takeReadinessChannel(process.env);
  // What its owner asks masters with is not for the workers.
  for (const name of ['HSU_TOKEN', 'HSU_TOKEN_FILE']) delete process.env[name];
  const succession = takeSuccession(process.env);
  let opened: Opened;
  try {
    opened = openMaster({
      configFile: file,
      reapOrphans: true,
      containment,
      oomScoreAdj: PROTECTED,
      ...directoriesOf(flags),
      ...(succession?.lock === undefined || succession.lock === null
        ? {}
        : { inheritedLock: succession.lock }),
      keepChannels: true,
    });
  } catch (error) {
    const code = refused(error);
    service?.ended(code);
    return code;
  }
  const { master } = opened;
  // These descriptors were for this start: who follows in this process must not take others for them.
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete process.env[name];
  if (flags['enable-log']) terminal.note('--enable-log has no effect: output is always collected');
  for (const warning of master.config.warnings) {
    process.stderr.write(`${formatIssue(warning, { colour: wantsColour(process.stderr, process.env) })}\n`);
  }
  const door = openDoor(master);
  const code = await hold({ ...opened, terminal, duration, succession, file, flags, door, channel, service });
  service?.ended(code);
  return code;
}

/** Seconds given on the command line as milliseconds; Infinity without; null where it is no number. */
function runDuration(text: string | undefined): number | null {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : null;
}

type Opened = ReturnType<typeof openMaster>;

/** Why the master ends, and whether that alone makes it a failure. */
interface End {
  readonly reason: string;
  readonly failed: boolean;
  /** What goes on in this process. */
  readonly successor?: Successor;
  /** Otherwise than the configuration says. */
  readonly workers?: 'leave' | 'stop';
  /** No longer than this is given. */
  readonly within?: Milliseconds;
}

interface Held extends Opened {
  readonly terminal: Terminal;
  readonly duration: Milliseconds;
  readonly succession: Succession | null;
  readonly file: string;
  readonly flags: Flags;
  readonly door: Door;
  /** Where `up` hears how far the workers are; null: nobody waits for that. */
  readonly channel: number | null;
  /** null: it is no service of Windows. */
  readonly service: WindowsService | null;
}

async function hold(held: Held): Promise<number> {
  const { master, parts, terminal, duration, succession, file, flags, door, channel, service } = held;
  const isBackground = flags.background === true;
  const neverStarted = watchStarts(master);
  const signals = watchSignals(master, terminal, isBackground);
  const session = watchSession();
  const told = [session.first, ...(service === null ? [] : [service.asked])];
  const over = Promise.race(told).then((end): End => {
    terminal.note(`${end.reason}: stopping all workers`);
    return { ...end, failed: false };
  });
  const defect = watchDefects(terminal);
  const until = realClock().now() + duration;
  const candidates: Candidates = {
    host: parts.host,
    places: master.places,
    file,
    flags,
    left: () => until - realClock().now(),
    note: (text) => terminal.note(text),
  };
  const successors = watchSuccessors(candidates);
  try {
    await door.open();
  } catch (error) {
    // Who goes on with what runs does so, even if nobody can ask it.
    if (succession === null) {
      await master.shutdown({ workers: 'leave' });
      await door.close(null);
      return refused(error);
    }
    terminal.note(error instanceof Error ? error.message : String(error));
  }
  // Before anything is said: who reads it may send a signal.
  terminal.begin(master);
  await master.start();
  if (channel !== null) reportReadiness(master, channel);
  if (succession !== null) tellSucceeded(held, succession);
  const manager =
    service ?? serviceManager({ env: process.env, pid: process.pid, clock: realClock(), send: sendDatagram });
  manager.ready(`${master.config.workers.length} workers`);
  const trim = setTimeout(giveBackStartMemory, AFTER_START);
  const time = timeIsUp(duration);
  const upgrade = successors.first.then(
    (successor): End => ({ reason: `upgrade to version ${successor.version}`, failed: true, successor }),
  );
  if (succession?.signal) process.kill(process.pid, succession.signal);
  // In the background it stays for those who ask it, also when all its workers rest.
  const rest = isBackground ? [] : [allAtRest(master)];
  const asked: Promise<End> = door.asked;
  const end = await Promise.race([signals.first, over, asked, time.up, defect.first, upgrade, ...rest]);
  time.cancel();
  if (end.successor !== undefined) {
    manager.close();
    return handOver(held, candidates, end.successor, signals.latest);
  }
  successors.close();
  manager.stopping();
  const result = await master.shutdown({
    reason: end.reason,
    ...(end.workers === undefined ? {} : { workers: end.workers }),
    ...(end.within === undefined
      ? {}
      : { deadline: Math.min(end.within, master.config.master.forceShutdownTimeout) }),
  });
  await door.close(result);
  const forced = signals.forced();
  clearTimeout(trim);
  await terminal.end();
  manager.close();
  signals.close();
  defect.close();
  session.done();
  if (forced) return EXIT_CODES.forced.code;
  const survived = result.survivors.length + result.strays.length > 0;
  return end.failed || survived || neverStarted().length > 0 ? EXIT_CODES.failed.code : EXIT_CODES.ok.code;
}

/** Without the addon nobody is told: Node has no datagrams for sockets of this machine. */
function sendDatagram(path: string, bytes: Uint8Array): void {
  const loaded = loadNative();
  if (loaded.ok) loaded.native.sendDatagram(path, bytes);
}

/** Says that this program has taken over from another in the same process, or that it is the same again. */
function tellSucceeded({ master, terminal }: Held, { request, from, failed }: Succession): void {
  const version = ownVersion();
  terminal.note(
    failed === null
      ? `version ${version} goes on with what version ${from} had`
      : `the upgrade failed, version ${version} goes on: ${failed}`,
  );
  if (request === null) return;
  const workers = master.workers().filter(({ process: main }) => main !== null).length;
  writeAnswer(
    master.places.runDirectory,
    failed === null
      ? { id: request, ok: true, version, workers }
      : { id: request, ok: false, reason: failed },
  );
}

/** Resolves only where nothing can be run in this process any more, not even this program again. */
async function handOver(
  { terminal, parts, door }: Held,
  candidates: Candidates,
  { program, version, request }: Successor,
  signal: () => NodeJS.Signals | null,
): Promise<number> {
  terminal.note(`handing over to version ${version}`);
  await door.close(null);
  await terminal.end();
  const from = ownVersion();
  let tries = 0;
  const why = await parts.handOver(`upgrade to version ${version}`, (failed, lock) => {
    tries += 1;
    if (tries > 2) return null;
    const next = tries === 1 ? program : ownProgram(candidates);
    return withSuccession(next, { lock, request, from, failed, signal: signal() });
  });
  process.stderr.write(`hsu-master: no program can be run in this process: ${why}; its workers run on\n`);
  return EXIT_CODES.failed.code;
}

/** Ids of the workers whose program could not be started even once. */
function watchStarts(master: Master): () => readonly string[] {
  const failed = new Set<string>();
  const started = new Set<string>();
  master.events.subscribe((event) => {
    if (event.workerId === null) return;
    if (event.type === 'worker.started') started.add(event.workerId);
    if (event.type === 'worker.spawn-failed' && event.payload.failure.code !== 'E_SUPERSEDED')
      failed.add(event.workerId);
  });
  return () => [...failed].filter((id) => !started.has(id));
}

/** In the background there is no terminal that could go away: there a hangup asks for the configuration to be read anew. */
function watchSignals(
  master: Master,
  terminal: Terminal,
  isBackground: boolean,
): {
  readonly first: Promise<End>;
  forced(): boolean;
  latest(): NodeJS.Signals | null;
  close(): void;
} {
  // The last is Ctrl-Break, which only Windows has.
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const;
  let count = 0;
  let forced = false;
  let latest: NodeJS.Signals | null = null;
  let arrived: (end: End) => void = () => {};
  const first = new Promise<End>((resolve) => {
    arrived = resolve;
  });
  const hear = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP' && isBackground) {
      reload(master, terminal);
      return;
    }
    count += 1;
    latest = signal;
    if (count === 1) {
      terminal.note(
        master.config.master.onExit === 'leave'
          ? `${signal}: leaving the workers running`
          : `${signal}: stopping all workers; press Ctrl-C again to kill them`,
      );
      arrived({ reason: signal, failed: false });
      return;
    }
    if (signal === 'SIGHUP') return;
    forced = true;
    terminal.note('killing what is left');
    master.force();
  };
  for (const name of names) process.on(name, hear);
  return {
    first,
    forced: () => forced,
    latest: () => latest,
    close: () => {
      for (const name of names) process.off(name, hear);
    },
  };
}

/** What became of it is said by events. */
function reload({ configuration }: Master, terminal: Terminal): void {
  terminal.note('SIGHUP: reading the configuration anew');
  configuration.reload('SIGHUP').catch((error: unknown) => {
    if (error instanceof HsuError && error.code.startsWith('E_CONFIG')) return;
    terminal.note(error instanceof Error ? error.message : String(error));
  });
}

/** After an error that nobody caught nothing is sure but that the workers run: they are left to the next master, as after a crash. */
function watchDefects(terminal: Terminal): { readonly first: Promise<End>; close(): void } {
  const { promise, resolve } = Promise.withResolvers<End>();
  const hear = (error: Error): void => {
    terminal.note(
      `internal error, please report it; the workers run on: ${maskText(error.stack ?? String(error))}`,
    );
    resolve({ reason: 'an internal error', failed: true, workers: 'leave' });
  };
  process.on('uncaughtException', hear);
  return { first: promise, close: () => process.off('uncaughtException', hear) };
}

function timeIsUp(duration: number): { readonly up: Promise<End>; readonly cancel: () => void } {
  if (!Number.isFinite(duration)) return { up: new Promise(() => {}), cancel: () => {} };
  const { promise, resolve } = Promise.withResolvers<End>();
  const reason = `--run-duration ${formatDuration(duration)}`;
  return { up: promise, cancel: realClock().after(duration, () => resolve({ reason, failed: false })) };
}

/**
 * Every worker has ended by itself or failed: there is nothing left to do in the foreground. One that an operator stopped may be
 * started again.
 */
function allAtRest(master: Master): Promise<End> {
  const busy = new Set(
    master
      .workers()
      .filter((worker) => worker.phase !== 'stopped' && worker.phase !== 'failed')
      .map(({ id }) => id),
  );
  return new Promise((resolve) => {
    const finish = (): void => {
      const failed = master.workers().some((worker) => worker.phase === 'failed');
      resolve({ reason: 'every worker has completed or failed', failed });
    };
    if (busy.size === 0) finish();
    master.events.subscribe((event) => {
      const { type, workerId } = event;
      if (workerId === null) return;
      if (type === 'worker.failed' || (type === 'worker.stopped' && event.payload.completed)) {
        if (busy.delete(workerId) && busy.size === 0) finish();
      } else if (type === 'worker.starting' || type === 'worker.blocked') busy.add(workerId);
      // Without any worker it waits for one that is added.
      else if (type === 'worker.removed') busy.delete(workerId);
    });
  });
}
