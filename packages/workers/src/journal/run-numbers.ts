import { copyFileSync, readFileSync } from 'node:fs';
import type { Clock, JournalRefusal, Milliseconds, WorkerId } from '@hsu-master/core';
import { sum } from './line.ts';
import { replaceSynced } from './replace-synced.ts';

/** Version of the file’s form, and the least that whoever reads it has to know. */
const FORM = 1;

/** Of a number that also the log of this boot names nothing is lost but by a power cut. */
const DELAY: Milliseconds = 1000;

type Numbers = Readonly<Record<WorkerId, number>>;

/**
 * How often each worker has run in the life of a state directory. JSON with a checksum, synced to disk before it replaces the old one, off the
 * event loop; several changes become one write.
 */
export class RunNumbers {
  readonly #file: string;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #failed: (error: unknown) => void;
  readonly #last: Map<WorkerId, number>;
  /** Why what was in the file is not believed; null: it is, or there was none. */
  readonly refusal: JournalRefusal | null;
  #isDirty = false;
  #isClosed = false;
  /** The last write failed: it is tried again with the next number, and at the end. */
  #isBehind = false;
  #cancelTimer: (() => void) | null = null;
  #writing: Promise<void> | null = null;

  /**
   * @param failed told when the file cannot be written; it is tried again with the next number
   * @throws where the file exists and cannot be read
   */
  constructor(file: string, clock: Pick<Clock, 'after'>, failed: (error: unknown) => void) {
    this.#file = file;
    this.#clock = clock;
    this.#failed = failed;
    const read = readNumbers(file);
    this.#last = new Map(Object.entries(typeof read === 'string' ? {} : read));
    this.refusal = typeof read === 'string' ? { file, records: null, reason: read } : null;
    if (this.refusal !== null) copyFileSync(file, `${file}.refused`);
  }

  last(workerId: WorkerId): number {
    return this.#last.get(workerId) ?? 0;
  }

  /** A run has this number. It is on disk in a moment. */
  note(workerId: WorkerId, run: number): void {
    if (this.#isClosed || run <= this.last(workerId)) return;
    this.#last.set(workerId, run);
    this.#isDirty = true;
    this.#cancelTimer ??= this.#clock.after(DELAY, () => this.write());
  }

  /** Begins to write now what is not on disk yet. */
  write(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#writing ??= this.#isDirty ? this.#writeAll() : null;
  }

  /** Resolves when all is on disk, or was reported as failed. */
  async settled(): Promise<void> {
    this.#isDirty ||= this.#isBehind;
    this.write();
    while (this.#writing !== null) await this.#writing;
  }

  /** The same, and what is noted afterwards is lost: the file may be another master’s by then. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.settled();
  }

  async #writeAll(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      const runs: Numbers = Object.fromEntries(this.#last);
      const text = JSON.stringify({ form: FORM, reader: FORM, runs, sum: sum(JSON.stringify(runs)) });
      try {
        await replaceSynced(this.#file, `${text}\n`);
        this.#isBehind = false;
      } catch (error) {
        this.#isBehind = true;
        this.#failed(error);
      }
    }
    this.#writing = null;
  }
}

/** A text says why they cannot be believed. */
function readNumbers(file: string): Numbers | string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  const { form, reader, runs, sum: told } = parse(text);
  if (Number(reader) > FORM) return `it was written by a newer version (form ${String(form)})`;
  const isWhole = typeof runs === 'object' && runs !== null && told === sum(JSON.stringify(runs));
  return isWhole
    ? (runs as Numbers)
    : 'it is damaged; runs of workers that nothing else is known of are counted anew';
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}
