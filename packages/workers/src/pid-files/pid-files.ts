import { lstatSync, rmSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type EventDraft,
  type Host,
  type ProcessFileSpec,
  type ProcessIdentity,
  type WallTime,
  type WorkerId,
  type WorkerSpec,
} from '@hsu-master/core';
import { replaceFile } from '../atomic-file.ts';
import { makeDirectory } from '../journal/make-directory.ts';
import { type FileMemory, shortFileMemory } from './file-memory.ts';
import { formatRecord, type ProcessRecord, readPid, readRecord } from './identity-file.ts';

export interface PidFilesParts {
  readonly host: Pick<Host, 'identify' | 'isAlive'>;
  readonly bootId: string;
  /** When that very process was started; null where this system does not tell. */
  readonly startedAt: (process: ProcessIdentity) => WallTime | null;
  readonly publish: (event: EventDraft, workerId: WorkerId, run: number | null) => void;
  /** Without it what was written is remembered for this master’s life. */
  readonly memory?: FileMemory;
}

type Owner = Pick<WorkerSpec, 'id' | 'processFile'>;

/** How much later than a process its pid file may seem to be written: clocks are rounded, and set. */
const TOLERANCE = 2000;

interface Files {
  readonly directory: string;
  readonly pid: string;
  readonly port: string;
  readonly identity: string;
}

/**
 * Files that tell others where workers’ processes are, in the original’s places and form: `<id>.pid`, `<id>.port`, decimal and a line
 * break; and beside them `<id>.identity`. They are for others: the master itself believes its journal.
 */
export class PidFiles {
  readonly #parts: PidFilesParts;
  readonly #memory: FileMemory;
  /** Of living runs. */
  readonly #written = new Map<WorkerId, { readonly run: number; readonly files: Files }>();

  constructor(parts: PidFilesParts) {
    this.#parts = parts;
    this.#memory = parts.memory ?? shortFileMemory();
  }

  /** The process runs. Never throws: without its files a worker is as good, and an event says what is missing. */
  write({ id, processFile }: Owner, run: number, process: ProcessIdentity, port: number | null): void {
    if (processFile === null) return;
    const files = filesOf(id, processFile);
    const { bootId } = this.#parts;
    this.#moveTo(id, files.directory, process);
    try {
      ownDirectory(files.directory);
      const holder = this.#holderOf(files, process);
      if (holder !== null) throw new Error(`it names ${holder}, which lives and is not of this master`);
      replaceFile(files.identity, formatRecord({ workerId: id, run, process, bootId, port }), 0o644);
      if (port !== null) replaceFile(files.port, `${port}\n`, 0o644);
      else rmSync(files.port, { force: true });
      replaceFile(files.pid, `${process.pid}\n`, 0o644);
      this.#written.set(id, { run, files });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#parts.publish({ type: 'worker.file-failed', payload: { file: files.pid, reason } }, id, run);
    }
  }

  /** The run is over, and nothing of it alive. */
  remove({ id }: Pick<Owner, 'id'>, run: number): void {
    const written = this.#written.get(id);
    if (written?.run !== run) return;
    this.#written.delete(id);
    removeFiles(written.files);
  }

  /**
   * What earlier masters left is removed where it names nobody any more: of these workers, and of those of which there were files once. Never
   * throws.
   */
  sweep(workers: readonly Owner[]): void {
    const places = new Map<WorkerId, string>();
    for (const { id, processFile } of workers) {
      if (processFile === null) continue;
      places.set(id, processFile.directory);
      this.#sweepIn(id, processFile.directory);
    }
    for (const [id, directories] of this.#memory.directories())
      this.#sweepOf(id, directories, places.get(id) ?? null);
  }

  /** The same of one worker that there is no more. */
  sweepForgotten(id: WorkerId): void {
    this.#sweepOf(id, this.#memory.directories().get(id) ?? [], null);
  }

  #sweepOf(id: WorkerId, directories: readonly string[], present: string | null): void {
    const left = directories.filter((directory) => directory === present || !this.#sweepIn(id, directory));
    if (left.length < directories.length || directories.length === 0) this.#keep(id, left);
  }

  /** Whether no file of it is left there. */
  #sweepIn(id: WorkerId, directory: string, own: ProcessIdentity | null = null): boolean {
    const files = filesOf(id, { directory });
    const isEmpty = (): boolean => ![files.pid, files.port, files.identity].some(isThere);
    if (isEmpty()) return true;
    if (this.#holderOf(files, own) === null) removeFiles(files);
    return isEmpty();
  }

  /** Its files are there from now on, and nowhere else. */
  #moveTo(id: WorkerId, directory: string, process: ProcessIdentity): void {
    const before = this.#memory.directories().get(id) ?? [];
    if (before.length === 1 && before[0] === directory) return;
    const left = before.filter((one) => one !== directory && !this.#sweepIn(id, one, process));
    this.#keep(id, [...left, directory]);
  }

  #keep(id: WorkerId, directories: readonly string[]): void {
    try {
      this.#memory.keep(id, directories);
    } catch {
      // A full disk: what is not remembered is not swept, and the worker is as good.
    }
  }

  /** The living process that the files name, in words; null: nobody, or `own`. */
  #holderOf(files: Files, own: ProcessIdentity | null): string | null {
    const pid = readPid(files.pid);
    if (pid === null) return null;
    const living = this.#parts.host.identify(pid);
    if (living === null || (own !== null && same(living, own))) return null;
    const record = readRecord(files.identity);
    if (record?.process.pid === pid) return this.#isMeant(record, living) ? describe(record) : null;
    // Of the original, or written by hand: who began after it was written is not meant.
    const began = this.#parts.startedAt(living);
    const written = statQuietly(files.pid)?.mtimeMs ?? 0;
    return began !== null && began > written + TOLERANCE ? null : `pid ${pid}`;
  }

  #isMeant({ process, bootId }: ProcessRecord, living: ProcessIdentity): boolean {
    return bootId === this.#parts.bootId && same(process, living);
  }
}

function describe({ process, workerId, run }: ProcessRecord): string {
  return `pid ${process.pid} (run ${run} of a worker "${workerId}")`;
}

function same(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.startedAt === other.startedAt;
}

function filesOf(id: WorkerId, { directory }: ProcessFileSpec): Files {
  return {
    directory,
    pid: join(directory, `${id}.pid`),
    port: join(directory, `${id}.port`),
    identity: join(directory, `${id}.identity`),
  };
}

/** The pid goes first: who finds it finds the rest. */
function removeFiles({ pid, port, identity }: Files): void {
  for (const file of [pid, port, identity]) {
    try {
      rmSync(file, { force: true });
    } catch {
      // Not ours, or the folder is not: whoever reads it checks who is alive.
    }
  }
}

/** Who owns a folder may put anything in the place of what is in it. */
function ownDirectory(directory: string): void {
  makeDirectory(directory, 0o755);
  const { uid, mode } = statSync(directory);
  const own = process.geteuid?.() ?? uid;
  const sticky = (mode & 0o1000) !== 0;
  if (uid !== own && uid !== 0) throw new Error(`${directory} belongs to uid ${uid}`);
  if ((mode & 0o002) !== 0 && !sticky) throw new Error(`everybody may replace files in ${directory}`);
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function statQuietly(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}
