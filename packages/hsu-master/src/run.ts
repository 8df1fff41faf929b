import { formatIssue } from '@hsu-master/config';
import { formatDuration, type Milliseconds } from '@hsu-master/core';
import { realClock } from '@hsu-master/workers';
import { containmentMode, PROTECTED, refuseContainment } from './containment.ts';
import { createMaster, type Master } from './create-master.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { Flags } from './flags.ts';
import { giveBackStartMemory } from './memory.ts';
import { refused } from './refused.ts';
import { openTerminal, type Terminal, wantsColour } from './terminal.ts';

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
  const terminal = openTerminal(process.stdout, process.env);
  let master: Master;
  try {
    master = createMaster({
      configFile: file,
      reapOrphans: true,
      containment,
      oomScoreAdj: PROTECTED,
      ...(flags['state-dir'] === undefined ? {} : { stateDirectory: flags['state-dir'] }),
      ...(flags['log-dir'] === undefined ? {} : { logDirectory: flags['log-dir'] }),
    });
  } catch (error) {
    return refused(error);
  }
  if (flags['enable-log']) terminal.note('--enable-log has no effect: output is always collected');
  for (const warning of master.config.warnings) {
    process.stderr.write(`${formatIssue(warning, { colour: wantsColour(process.stderr, process.env) })}\n`);
  }
  return hold(master, terminal, duration);
}

/** Seconds given on the command line as milliseconds; Infinity without; null where it is no number. */
function runDuration(text: string | undefined): number | null {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : null;
}

/** Why the master ends, and whether that alone makes it a failure. */
interface End {
  readonly reason: string;
  readonly failed: boolean;
}

async function hold(master: Master, terminal: Terminal, duration: number): Promise<number> {
  const neverStarted = watchStarts(master);
  const signals = watchSignals(master, terminal);
  const defect = watchDefects(terminal);
  // Before anything is said: who reads it may send a signal.
  terminal.begin(master);
  await master.start();
  const trim = setTimeout(giveBackStartMemory, AFTER_START);
  const time = timeIsUp(duration);
  const end = await Promise.race([signals.first, time.up, allAtRest(master), defect.first]);
  time.cancel();
  const result = await master.shutdown({ reason: end.reason });
  const forced = signals.forced();
  clearTimeout(trim);
  await terminal.end();
  signals.close();
  defect.close();
  if (forced) return EXIT_CODES.forced.code;
  const survived = result.survivors.length + result.strays.length > 0;
  return end.failed || survived || neverStarted().length > 0 ? EXIT_CODES.failed.code : EXIT_CODES.ok.code;
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

function watchSignals(
  master: Master,
  terminal: Terminal,
): { readonly first: Promise<End>; forced(): boolean; close(): void } {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let count = 0;
  let forced = false;
  let arrived: (end: End) => void = () => {};
  const first = new Promise<End>((resolve) => {
    arrived = resolve;
  });
  const hear = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count === 1) {
      terminal.note(`${signal}: stopping all workers; press Ctrl-C again to kill them`);
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
    close: () => {
      for (const name of names) process.off(name, hear);
    },
  };
}

/** An error that nobody caught must not leave the workers alone: they are ended in order. */
function watchDefects(terminal: Terminal): { readonly first: Promise<End>; close(): void } {
  const { promise, resolve } = Promise.withResolvers<End>();
  const hear = (error: Error): void => {
    terminal.note(`internal error, please report it: ${error.stack ?? String(error)}`);
    resolve({ reason: 'an internal error', failed: true });
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

/** Nothing is alive and nothing will start by itself: there is nothing left to do in the foreground. */
function allAtRest(master: Master): Promise<End> {
  const resting = new Set<string>();
  const busy = master
    .workers()
    .filter((worker) => worker.phase !== 'stopped' && worker.phase !== 'failed').length;
  return new Promise((resolve) => {
    const finish = (): void => {
      const failed = master.workers().some((worker) => worker.phase === 'failed');
      resolve({ reason: 'every worker has completed or failed', failed });
    };
    if (busy === 0) finish();
    let active = busy;
    master.events.subscribe(({ type, workerId }) => {
      if (workerId === null) return;
      if (type === 'worker.stopped' || type === 'worker.failed') {
        if (resting.has(workerId)) return;
        resting.add(workerId);
        active -= 1;
        if (active <= 0) finish();
      } else if (type === 'worker.starting' || type === 'worker.blocked') {
        if (resting.delete(workerId)) active += 1;
      }
    });
  });
}
