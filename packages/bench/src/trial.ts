import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Arena } from './arena.ts';
import type { Peer, Prepared } from './peer.ts';
import type { Process } from './processes.ts';
import type { Linkage, Programs } from './programs.ts';
import { type Stamp, Stamps } from './stamps.ts';
import { within } from './wait.ts';

/** What all trials of a run share. */
export interface Setting {
  readonly programs: Programs;
  /** Private folder of the run. */
  readonly dir: string;
  readonly loggers: boolean;
  /** How ours holds its workers. */
  readonly containment: string;
  /** Told of the CPU time that everything in an arena used, ns, when it has ended. */
  readonly used: (cpu: bigint) => void;
  /** Aborts the run: what waits rejects, and every arena is ended. */
  readonly signal: AbortSignal;
}

/** What the supervisor of a trial runs. */
export type Load = {
  readonly count: number;
  /** ms, a multiple of 1000. */
  readonly grace: number;
  /** Whether ours looks each second at what each uses. */
  readonly sampled: boolean;
} & (
  | { readonly program: 'stamp'; readonly linkage: Linkage; readonly children: number }
  | { readonly program: 'awkward' }
);

/** Workers that note when they began and then do nothing. */
export const sleepers = (count: number, linkage: Linkage): Load => ({
  program: 'stamp',
  linkage,
  count,
  children: 0,
  sampled: false,
  grace: 10_000,
});

/** One supervisor, running its workers. */
export interface Trial {
  readonly arena: Arena;
  readonly stamps: Stamps;
  /** ns of CLOCK_MONOTONIC, just before the fork. */
  readonly launchedAt: bigint;
  /** Settles when a command that starts a supervisor in the background has returned; at once for others. */
  commandReturned(): Promise<unknown>;
  /** Waits for the first stamp of every worker, and for the command. */
  started(): Promise<readonly Stamp[]>;
  /** The living processes that are no workers. */
  supervisors(): readonly Process[];
  /** Runs another program beside the supervisor, which ends with the trial. */
  beside(argv: readonly string[]): Arena;
  /** Asks for the stop; `returned` settles when the supervisor, or the command that stops it, has ended. */
  requestStop(): { readonly at: bigint; readonly returned: Promise<unknown> };
}

const START_LIMIT_MS = 180_000;
/** For a supervisor that takes away what it has made; what is left of it after that is killed. */
const TIDY_LIMIT_MS = 60_000;
let trials = 0;

/** Opens a trial, acts on it, and ends it whatever happens; an error is given the end of the supervisor's output. */
export async function withTrial<T>(
  peer: Peer,
  load: Load,
  setting: Setting,
  act: (trial: Trial) => Promise<T>,
): Promise<T> {
  setting.signal.throwIfAborted();
  const dir = join(setting.dir, `${++trials}`);
  await mkdir(dir);
  const stamps = new Stamps(join(dir, 'stamps'));
  try {
    const { programs, loggers, containment } = setting;
    const program = load.program === 'stamp' ? programs.stamp[load.linkage] : programs.awkward;
    const children = load.program === 'stamp' && load.children > 0 ? [String(load.children)] : [];
    const workers = Array.from({ length: load.count }, (_, index) => [
      program,
      stamps.path,
      String(index),
      ...children,
    ]);
    const { grace, sampled } = load;
    const assignment = { dir, workers, grace, loggers, containment, sampled, programs };
    const prepared = await peer.prepare(assignment);
    return await inArenas(prepared, { dir, load, stamps, setting }, act);
  } catch (error) {
    if (setting.signal.aborted) throw error;
    const output = await readFile(join(dir, 'output'), 'utf8').catch(() => '');
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${output.slice(-2000)}`, {
      cause: error,
    });
  } finally {
    stamps.close();
  }
}

interface Ground {
  readonly dir: string;
  readonly load: Load;
  readonly stamps: Stamps;
  readonly setting: Setting;
}

async function inArenas<T>(
  prepared: Prepared,
  { dir, load, stamps, setting }: Ground,
  act: (trial: Trial) => Promise<T>,
): Promise<T> {
  const arenas: Arena[] = [];
  const open = (argv: readonly string[]) => {
    const opened = new Arena(setting.programs.arena, join(dir, 'output'), { ...prepared, argv });
    arenas.push(opened);
    return opened;
  };
  const arena = open(prepared.argv);
  const commandReturned = async () => prepared.background && (await arena.exited);
  try {
    const { pid, at } = await arena.launched();
    return await act({
      arena,
      stamps,
      launchedAt: at,
      commandReturned,
      async started() {
        const ended = new AbortController();
        void arena.empty.then(() => ended.abort(new Error('the supervisor ended')));
        const signal = AbortSignal.any([setting.signal, ended.signal]);
        const first = await stamps.ofWorkers(load.count, START_LIMIT_MS, signal);
        await commandReturned();
        return first;
      },
      supervisors: () => arena.processes().filter(({ program }) => program !== load.program),
      beside: open,
      requestStop() {
        const requestedAt = process.hrtime.bigint();
        // A command in an arena of its own: should it start a daemon, that one ends with the trial too.
        if (typeof prepared.stop !== 'string')
          return { at: requestedAt, returned: open(prepared.stop).exited };
        process.kill(pid, prepared.stop);
        return { at: requestedAt, returned: arena.exited };
      },
    });
  } finally {
    if (prepared.tidiesUp) await tidyUp(arena, prepared, setting.signal).catch(() => undefined);
    for (const each of arenas) setting.used(await each.end());
  }
}

async function tidyUp(arena: Arena, { stop }: Prepared, signal: AbortSignal): Promise<void> {
  const { pid } = await arena.launched();
  // Once it has ended, its number may be another's.
  const ended = await Promise.race([arena.exited, Promise.resolve(undefined)]);
  if (ended !== undefined || typeof stop !== 'string') return;
  process.kill(pid, stop);
  await within(TIDY_LIMIT_MS, signal, arena.exited);
}
