import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Bytes, RunRecord, WorkerId } from '@hsu-master/core';
import { makeDirectory } from './make-directory.ts';

/** Version of the file’s form. A file of another version is not read: its records count as none. */
const FORM = 1;

/** The file is written anew when it is larger than this and mostly history. */
const COMPACT_FROM: Bytes = 256 * 1024;

interface Header {
  readonly form: number;
  readonly bootId: string;
}

/** A run that began, or, without a process, the end of one. */
type Entry = RunRecord | (Pick<RunRecord, 'workerId' | 'run'> & { readonly process: null });

/**
 * Which runs are alive: a file of lines, one when a run begins, written before its program starts, and one when its tree is empty.
 * Each line carries a checksum; a torn or damaged one counts as none. Not synced, since a reboot voids the records.
 */
export class RunRecords {
  readonly #file: string;
  readonly #bootId: string;
  readonly #living = new Map<WorkerId, string>();
  readonly #failed: (error: unknown) => void;
  #descriptor: number;
  #length: Bytes;
  /** Ends of runs that could not be written yet; they go before the next line. */
  #owed = '';

  /**
   * Opens the records of a directory and reads what an earlier master left in them.
   * @param failed told when the end of a run cannot be written; it is tried again with the next line
   * @throws where the directory or file cannot be made, read or written
   */
  constructor(directory: string, bootId: string, failed: (error: unknown) => void) {
    this.#failed = failed;
    makeDirectory(directory, 0o700);
    this.#file = join(directory, 'runs.log');
    this.#bootId = bootId;
    for (const entry of readEntries(this.#file, bootId)) this.#apply(entry);
    [this.#descriptor, this.#length] = this.#rewrite();
  }

  /** The runs recorded and not forgotten. */
  living(): readonly RunRecord[] {
    return [...this.#living.values()].map((line) => parseLine(line) as RunRecord);
  }

  /** On return the record is in the file. */
  write(entry: RunRecord): void {
    this.#append(this.#apply(entry));
  }

  /** Never throws: a record that is left names a process that is gone, which the next master finds out. */
  remove(workerId: WorkerId, run: number): void {
    if (!this.#living.has(workerId)) return;
    const line = this.#apply({ workerId, run, process: null });
    try {
      this.#append(line);
    } catch (error) {
      if (this.#owed === '') this.#failed(error);
      this.#owed += line;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #apply(entry: Entry): string {
    const line = lineOf(entry);
    if (entry.process === null) this.#living.delete(entry.workerId);
    else this.#living.set(entry.workerId, line);
    return line;
  }

  /** Writes at a known place, so that what follows a torn write overwrites it. */
  #append(line: string): void {
    const bytes = Buffer.from(this.#owed + line);
    const written = writeSync(this.#descriptor, bytes, 0, bytes.length, this.#length);
    if (written < bytes.length)
      throw new Error(`only ${written} of ${bytes.length} bytes could be written to ${this.#file}`);
    this.#length += written;
    this.#owed = '';
    if (this.#length > COMPACT_FROM && this.#length > this.#livingSize() * 4) this.#compact();
  }

  /** A full disk only puts it off: the line that led here is written. */
  #compact(): void {
    const old = this.#descriptor;
    try {
      [this.#descriptor, this.#length] = this.#rewrite();
    } catch {
      return;
    }
    closeSync(old);
  }

  #livingSize(): Bytes {
    let size = 0;
    for (const line of this.#living.values()) size += line.length;
    return size;
  }

  #rewrite(): [descriptor: number, length: Bytes] {
    const header: Header = { form: FORM, bootId: this.#bootId };
    const text = lineOf(header) + [...this.#living.values()].join('');
    writeFileSync(`${this.#file}.new`, text, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
    return [openSync(this.#file, 'r+'), Buffer.byteLength(text)];
  }
}

function lineOf(value: object): string {
  const body = JSON.stringify(value);
  return `${crc32(body).toString(16).padStart(8, '0')} ${body}\n`;
}

/** What a whole and undamaged line says, else null. */
function parseLine(line: string): object | null {
  const body = line.slice(9).trimEnd();
  return line.slice(0, 9) === `${crc32(body).toString(16).padStart(8, '0')} `
    ? (JSON.parse(body) as object)
    : null;
}

function readEntries(file: string, bootId: string): readonly Entry[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const [header, ...entries] = text.split('\n').map(parseLine);
  const { form, bootId: writtenAt } = (header ?? {}) as Partial<Header>;
  if (form !== FORM || writtenAt !== bootId) return [];
  return entries.filter((entry) => entry !== null) as Entry[];
}
