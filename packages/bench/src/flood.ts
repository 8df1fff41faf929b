import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Arena } from './arena.ts';
import { run } from './command.ts';
import type { LogAssignment, Logger } from './loggers/logger.ts';
import type { Prepared } from './peer.ts';
import type { Process } from './processes.ts';
import { toMs } from './scene.ts';
import { Stamps } from './stamps.ts';
import type { Setting } from './trial.ts';
import { until, within } from './wait.ts';

/** What the workers of a flood write. */
export interface FloodLoad {
  readonly workers: number;
  /** Of each. */
  readonly lines: number;
  readonly stamped: boolean;
  /** Whether they write when they are told to and live on, or at once and end. */
  readonly ends: boolean;
}

export interface Flooded {
  /** From the order to write until all workers have written and all is in the files, ms. */
  readonly time: number;
  /** Of all that is no worker, ms. */
  readonly cpu: number;
  /** Most memory during the flood, less that before it, MiB. */
  readonly growth: number;
  /** Lines that are not there, not whole, or there twice. */
  readonly lost: number;
}

const LENGTH = 100;
const ROTATE_AT = 10_000_000;
const KEEP = 50;
const START_LIMIT_MS = 120_000;
const LIMIT_MS = 180_000;
/** Nothing more is expected when the files have not grown for so long; much longer while something is missing. */
const QUIET_MS = 300;
const LOST_MS = 4000;
const MiB = 1024 * 1024;
let floods = 0;

/** Lets workers write under that logger, and looks at what it took; an error is given the end of its output. */
export async function flood(logger: Logger, load: FloodLoad, setting: Setting): Promise<Flooded> {
  setting.signal.throwIfAborted();
  const dir = join(setting.dir, `flood${++floods}`);
  const logs = join(dir, 'kept');
  await mkdir(logs, { recursive: true });
  const stamps = new Stamps(join(dir, 'stamps'));
  const gate = join(dir, 'gate');
  try {
    await run(['mkfifo', gate]);
    const { programs, containment } = setting;
    const given: LogAssignment = {
      dir,
      logs,
      workers: Array.from({ length: load.workers }, (_, index) => [
        programs.flood,
        stamps.path,
        `${index}`,
        load.ends ? '-' : gate,
        `${load.lines}`,
        `${LENGTH}`,
      ]),
      stamped: load.stamped,
      rotateAt: ROTATE_AT,
      keep: KEEP,
      containment,
      programs,
    };
    return await watch(await logger.prepare(given), { dir, logs, gate, stamps, load, setting });
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
  readonly logs: string;
  readonly gate: string;
  readonly stamps: Stamps;
  readonly load: FloodLoad;
  readonly setting: Setting;
}

async function watch(prepared: Prepared, ground: Ground): Promise<Flooded> {
  const { dir, gate, stamps, load, setting } = ground;
  const { signal, programs } = setting;
  const arena = new Arena(programs.arena, join(dir, 'output'), prepared);
  const keepers = () => arena.processes().filter(({ program }) => program !== 'flood');
  let opened: number | null = null;
  try {
    await arena.launched();
    if (prepared.background) await arena.exited;
    if (load.ends) {
      const begun = () =>
        Array.from({ length: load.workers }, (_, id) => `${stamps.path}.${id}`).every(existsSync) ||
        undefined;
      await until('all workers begun', START_LIMIT_MS, 10, signal, begun);
      await settled(ground, signal);
      return { time: Number.NaN, cpu: Number.NaN, growth: Number.NaN, lost: await lostLines(ground) };
    }
    await stamps.ofWorkers(load.workers, START_LIMIT_MS, signal);
    // They still have to reach the gate, and a start has its own aftermath.
    await setTimeout(1000, undefined, { signal });
    const before = keepers();
    const memory = sizes(before, 'VmRSS', true);
    const cpu = await cpuOf(programs.tally, before);
    const from = process.hrtime.bigint();
    opened = openSync(gate, 'w');
    await until('all lines written', LIMIT_MS, 2, signal, () =>
      stamps.all().length >= 2 * load.workers ? true : undefined,
    );
    const last = stamps.all().reduce((latest, { at }) => (at > latest ? at : latest), 0n);
    const filled = await settled(ground, signal);
    const after = keepers();
    const used = (await cpuOf(programs.tally, after)) - cpu;
    const growth = (sizes(after, 'VmHWM', false) - memory) / MiB;
    const end = filled > last ? filled : last;
    return { time: toMs(end - from), cpu: used, growth, lost: await lostLines(ground) };
  } finally {
    if (opened !== null) closeSync(opened);
    if (prepared.tidiesUp) await tidyUp(arena, signal).catch(() => undefined);
    setting.used(await arena.end());
  }
}

/** Waits until the files grow no more; when they grew last, ns. */
async function settled({ logs, load }: Ground, signal: AbortSignal): Promise<bigint> {
  const expected = load.workers * load.lines * LENGTH;
  let size = -1;
  let changed = process.hrtime.bigint();
  for (;;) {
    const now = sizeOf(logs);
    const at = process.hrtime.bigint();
    if (now !== size) changed = at;
    size = now;
    const limit = size >= expected ? QUIET_MS : LOST_MS;
    if (toMs(at - changed) > limit) return changed;
    await setTimeout(1, undefined, { signal });
  }
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** While files are rotated one may be missed, or counted twice, for a moment. */
function sizeOf(folder: string): number {
  return filesBelow(folder).reduce(
    (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

async function lostLines({ logs, load, setting }: Ground): Promise<number> {
  const numbers = [load.workers, load.lines, LENGTH].map(String);
  const told = await run([setting.programs.tally, 'lines', ...numbers, ...filesBelow(logs)]);
  const [whole = 0, twice = 0] = told.split(' ').map(Number);
  return load.workers * load.lines - whole + twice;
}

/** ms. */
async function cpuOf(tally: string, processes: readonly Process[]): Promise<number> {
  const told = await run([tally, 'cpu', ...processes.map(({ pid }) => String(pid))]);
  return told.split('\n').reduce((sum, line) => sum + Number(line) / 1e6, 0);
}

/** Bytes of a line of `status`, all of them together; `anew`: the most that they have had is forgotten. */
function sizes(processes: readonly Process[], key: 'VmRSS' | 'VmHWM', anew: boolean): number {
  let sum = 0;
  for (const { pid } of processes) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      sum += Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
      if (anew) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // It has ended.
    }
  }
  return sum;
}

/** The groups of its workers. */
async function tidyUp(arena: Arena, signal: AbortSignal): Promise<void> {
  const { pid } = await arena.launched();
  const ended = await Promise.race([arena.exited, Promise.resolve(undefined)]);
  if (ended !== undefined) return;
  process.kill(pid, 'SIGTERM');
  await within(60_000, signal, arena.exited);
}
