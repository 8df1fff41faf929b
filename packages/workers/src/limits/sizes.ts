import type { Bytes, Clock, LimitName, LimitValues, Milliseconds, MonotonicTime } from '@hsu-master/core';
import { directorySize } from './directory-size.ts';

/** A walk that took long is not begun again before this many times as long has passed: it takes at most a tenth of the time. */
const REST = 9;
/** How many directories of all workers are walked at once. */
const MOST_WALKS = 2;
/** A walk that hangs, on a disk that does not answer, keeps others waiting for so long. */
const MOST_WAITED: Milliseconds = 60_000;

/** Lets a few of many tasks run at once; of those that wait each is asked again with its next sample. */
export class Slots {
  #free = MOST_WALKS;

  take(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  give(): void {
    this.#free += 1;
  }
}

export interface SizesParts {
  readonly clock: Clock;
  readonly slots: Slots;
  /** null: not asked for. */
  readonly tempDirectory: string | null;
  /** Paths of files that may be there. */
  readonly logFiles: readonly string[] | null;
}

/** The sizes of files that a worker’s limits are about: measured in the background, one measurement of each kind at a time. */
export class Sizes {
  readonly #parts: SizesParts;
  readonly #known: Partial<Record<LimitName, number>> = {};
  #walks = false;
  #giveSlot: () => void = () => undefined;
  #walkNotBefore: MonotonicTime = Number.NEGATIVE_INFINITY;
  #asksLogs = false;
  #ended = false;

  constructor(parts: SizesParts) {
    this.#parts = parts;
  }

  /** As they were when last looked at. */
  get known(): LimitValues {
    return this.#known;
  }

  /** Begins to look again, unless it still does. */
  refresh(): void {
    const { tempDirectory, logFiles } = this.#parts;
    if (tempDirectory !== null) void this.#walk(tempDirectory);
    if (logFiles !== null) void this.#ask(logFiles);
  }

  end(): void {
    this.#ended = true;
    this.#giveSlot();
  }

  async #walk(path: string): Promise<void> {
    const { clock, slots } = this.#parts;
    if (this.#walks || clock.now() < this.#walkNotBefore || !slots.take()) return;
    this.#walks = true;
    this.#holdSlot();
    const began = clock.now();
    const size = await directorySize(path, clock, () => this.#ended);
    this.#giveSlot();
    this.#walks = false;
    const took: Milliseconds = clock.now() - began;
    this.#walkNotBefore = clock.now() + REST * took;
    this.#note('storage.max_temp_size', size?.bytes ?? null);
  }

  #holdSlot(): void {
    const { clock, slots } = this.#parts;
    let cancel: (() => void) | null = clock.after(MOST_WAITED, () => this.#giveSlot());
    this.#giveSlot = () => {
      if (cancel === null) return;
      cancel();
      cancel = null;
      slots.give();
    };
  }

  async #ask(paths: readonly string[]): Promise<void> {
    if (this.#asksLogs) return;
    this.#asksLogs = true;
    let sum: Bytes = 0;
    for (const path of paths) sum += await bytesOf(path);
    this.#asksLogs = false;
    this.#note('storage.max_log_size', sum);
  }

  #note(limit: LimitName, bytes: Bytes | null): void {
    if (bytes === null) delete this.#known[limit];
    else this.#known[limit] = bytes;
  }
}

async function bytesOf(path: string): Promise<Bytes> {
  try {
    const file = await process.getBuiltinModule('node:fs/promises').stat(path);
    return file.isFile() ? file.size : 0;
  } catch {
    return 0;
  }
}
