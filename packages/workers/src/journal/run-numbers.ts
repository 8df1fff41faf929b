import type { Clock, JournalRefusal, Milliseconds, WorkerId } from '@hsu-master/core';
import { sum } from './line.ts';
import { isWhole, type Said, SyncedFile } from './synced-file.ts';

/** Version of the file’s form, and the least that whoever reads it has to know. */
const FORM = 1;

/** Of a number that also the log of this boot names nothing is lost but by a power cut. */
const DELAY: Milliseconds = 1000;

type Numbers = Readonly<Record<WorkerId, number>>;

const DAMAGE = 'runs of workers that nothing else is known of are counted anew';

/** How often each worker has run in the life of a state directory; several changes become one write. */
export class RunNumbers {
  readonly #file: SyncedFile;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #last: Map<WorkerId, number>;
  /** Why what was in the file is not believed; null: it is, or there was none. */
  readonly refusal: JournalRefusal | null;
  #isDirty = false;
  #isClosed = false;
  #cancelTimer: (() => void) | null = null;

  /**
   * @param failed told when the file cannot be written; it is tried again with the next number
   * @throws where the file cannot be read, or only a newer version can read it
   */
  constructor(file: string, clock: Pick<Clock, 'after'>, failed: (error: unknown) => void) {
    this.#file = new SyncedFile(file, () => this.#text(), failed);
    this.#clock = clock;
    const { content, refusal } = this.#file.read<Numbers>(FORM, parse, {}, DAMAGE);
    this.#last = new Map(Object.entries(content));
    this.refusal = refusal;
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
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.#file.write();
  }

  /** Resolves when all is on disk, or was reported as failed. */
  settled(): Promise<void> {
    this.write();
    return this.#file.settled();
  }

  /** The same, and what is noted afterwards is lost: the file may be another master’s by then. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.settled();
  }

  #text(): string {
    const runs: Numbers = Object.fromEntries(this.#last);
    return `${JSON.stringify({ form: FORM, reader: FORM, runs, sum: sum(JSON.stringify(runs)) })}\n`;
  }
}

function parse(said: Said): Numbers | null {
  const { runs } = said;
  return typeof runs === 'object' && runs !== null && isWhole(said, runs) ? (runs as Numbers) : null;
}
