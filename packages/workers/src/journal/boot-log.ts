import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Bytes, JournalRefusal, MonotonicTime, RunRecord, WorkerId, WorkerMemo } from '@hsu-master/core';
import { lineOf, seedOf } from './line.ts';
import { makeDirectory } from './make-directory.ts';
import { type Entry, FORM, type Header, readBootLog, runsNamed } from './read-boot-log.ts';
import { remove } from './synced-file.ts';

/**
 * The file is written anew when it is larger than this and mostly history. Seldom, since some file systems write out what takes the
 * place of another file before the call returns: ext4 takes some 10 ms.
 */
const COMPACT_FROM: Bytes = 1024 * 1024;

/** One thing that is known of a worker, and its line. */
interface Known<T> {
  readonly value: T;
  readonly line: string;
}

export interface BootLogOptions {
  readonly directory: string;
  readonly bootId: string;
  readonly now: MonotonicTime;
  /** Told when something cannot be written that need not be at once; it is tried again with the next line. */
  readonly failed: (error: unknown) => void;
}

/**
 * What concerns this boot: which runs are alive, what is remembered of each worker, what the operator wished. A file of lines; the last
 * of each kind counts. Each carries a checksum that holds for this boot alone; a torn or damaged one counts as none. Not synced, since a
 * reboot voids it.
 */
export class BootLog {
  readonly #file: string;
  readonly #bootId: string;
  readonly #seed: number;
  readonly #failed: (error: unknown) => void;
  readonly #runs = new Map<WorkerId, Known<RunRecord>>();
  readonly #memos = new Map<WorkerId, Known<WorkerMemo>>();
  readonly #wishes = new Map<WorkerId, Known<'up' | 'down'>>();
  readonly refusals: readonly JournalRefusal[];
  /** Of each worker the highest number of a run that was named in the file when it was opened. */
  readonly runsNamed: ReadonlyMap<WorkerId, number>;
  /** Lines of this boot may be missing. */
  readonly mayLack: boolean;
  #descriptor: number;
  #length: Bytes;
  /** The size of what counts. */
  #living: Bytes = 0;
  /** Something could not be written: all that counts is written with the next line. */
  #behind = false;
  #closed = false;
  /** It was told that something is owed. */
  #owes = false;

  /**
   * Opens the log of a directory and reads what earlier masters left in it.
   * @throws where the directory or file cannot be made, read or written, or only a newer version can read it
   */
  constructor({ directory, bootId, now, failed }: BootLogOptions) {
    this.#failed = failed;
    makeDirectory(directory, 0o700);
    this.#file = join(directory, 'runs.log');
    this.#bootId = bootId;
    this.#seed = seedOf(bootId);
    // What an interrupted write left.
    remove(`${this.#file}.new`);
    const { entries, refused, length, isMissing } = readBootLog(this.#file, bootId, now);
    for (const entry of entries) this.#apply(entry);
    this.runsNamed = runsNamed(entries);
    this.mayLack = isMissing || refused !== null;
    this.refusals = refused === null ? [] : [{ file: this.#file, ...refused }];
    if (refused !== null) copyFileSync(this.#file, `${this.#file}.refused`);
    [this.#descriptor, this.#length] =
      length === null || this.#isMostlyHistory(length)
        ? this.#rewrite()
        : [openSync(this.#file, 'r+'), length];
  }

  /** The runs recorded and not forgotten. */
  runs(): readonly RunRecord[] {
    return [...this.#runs.values()].map(({ value }) => value);
  }

  memos(): ReadonlyMap<WorkerId, WorkerMemo> {
    return valuesOf(this.#memos);
  }

  wishes(): ReadonlyMap<WorkerId, 'up' | 'down'> {
    return valuesOf(this.#wishes);
  }

  /** On return the record is in the file; throws where it is not. */
  record(record: RunRecord): void {
    if (this.#closed) throw new Error(`${this.#file} is closed`);
    const before = this.#runs.get(record.workerId);
    const line = this.#apply(record);
    try {
      this.#append(line);
    } catch (error) {
      this.#keep(this.#runs, record.workerId, before?.value ?? null, before?.line ?? '');
      throw error;
    }
  }

  /** Never throws: a record that is left names a process that is gone, which the next master finds out. */
  forget(workerId: WorkerId, run: number): void {
    if (this.#runs.has(workerId)) this.#note({ workerId, run, process: null });
  }

  /** Never throws. */
  remember(workerId: WorkerId, memo: WorkerMemo | null): void {
    if (memo !== null || this.#memos.has(workerId)) this.#note({ workerId, memo });
  }

  /** Never throws. */
  wish(workerId: WorkerId, wish: 'up' | 'down'): void {
    this.#note({ workerId, wish });
  }

  /** What is said afterwards is lost: the descriptor may be another file’s by then. */
  close(): void {
    this.#closed = true;
    closeSync(this.#descriptor);
  }

  #note(entry: Entry): void {
    if (this.#closed) return;
    const line = this.#apply(entry);
    try {
      this.#append(line);
      this.#owes = false;
    } catch (error) {
      if (!this.#owes) this.#failed(error);
      this.#owes = true;
    }
  }

  #apply(entry: Entry): string {
    const line = lineOf(entry, this.#seed);
    const { workerId } = entry;
    if ('memo' in entry) this.#keep(this.#memos, workerId, entry.memo, line);
    else if ('wish' in entry) this.#keep(this.#wishes, workerId, entry.wish, line);
    else this.#keep(this.#runs, workerId, entry.process === null ? null : entry, line);
    return line;
  }

  #keep<T>(known: Map<WorkerId, Known<T>>, workerId: WorkerId, value: T | null, line: string): void {
    this.#living -= known.get(workerId)?.line.length ?? 0;
    if (value === null) {
      known.delete(workerId);
      return;
    }
    known.set(workerId, { value, line });
    this.#living += line.length;
  }

  /** Writes at a known place, so that what follows a torn write overwrites it. */
  #append(line: string): void {
    if (this.#behind) {
      this.#replace();
      this.#behind = false;
      return;
    }
    try {
      this.#write(line);
    } catch (error) {
      this.#behind = true;
      throw error;
    }
    if (!this.#isMostlyHistory(this.#length)) return;
    try {
      this.#replace();
    } catch {
      // A full disk only puts it off: the line that led here is written.
    }
  }

  #isMostlyHistory(length: Bytes): boolean {
    return length > COMPACT_FROM && length > this.#living * 4;
  }

  #write(line: string): void {
    const bytes = Buffer.from(line);
    const written = writeSync(this.#descriptor, bytes, 0, bytes.length, this.#length);
    if (written === bytes.length) {
      this.#length += written;
      return;
    }
    ftruncateSync(this.#descriptor, this.#length);
    throw new Error(`only ${written} of ${bytes.length} bytes could be written to ${this.#file}`);
  }

  #replace(): void {
    const old = this.#descriptor;
    [this.#descriptor, this.#length] = this.#rewrite();
    closeSync(old);
  }

  #rewrite(): [descriptor: number, length: Bytes] {
    const header: Header = { form: FORM, reader: FORM, bootId: this.#bootId };
    const known = [...this.#wishes.values(), ...this.#runs.values(), ...this.#memos.values()];
    const text = lineOf(header) + known.map(({ line }) => line).join('');
    try {
      writeFileSync(`${this.#file}.new`, text, { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      // A full disk leaves a part of it.
      remove(`${this.#file}.new`);
      throw error;
    }
    return [openSync(this.#file, 'r+'), Buffer.byteLength(text)];
  }
}

function valuesOf<T>(known: ReadonlyMap<WorkerId, Known<T>>): ReadonlyMap<WorkerId, T> {
  return new Map([...known].map(([id, { value }]) => [id, value]));
}
