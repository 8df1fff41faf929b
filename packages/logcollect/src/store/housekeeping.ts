import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Bytes, Clock, EventDraft, Milliseconds } from '@hsu-master/core';
import { rotatedName } from './family.ts';
import { loadKnownLogs, saveKnownLogs } from './known-logs.ts';
import { type KeptFile, keptFiles, planRetention, type Removal, removeFiles } from './retention.ts';

/** A log whose rotated files are kept for a time. */
export interface KeptLog {
  readonly path: string;
  /** Rotated files; null: any number. */
  readonly maxFiles: number | null;
  /** null: at any age. */
  readonly maxAge: Milliseconds | null;
}

export interface HousekeepingOptions {
  readonly clock: Clock;
  /** The logs that are written now; asked for each look. */
  logs(): readonly KeptLog[];
  /** Of logs that were written once and are not any more: files that were last written longer ago go; null: none go by age. */
  readonly goneAfter: Milliseconds | null;
  /** All files of all logs together; null: without bound. */
  readonly maxTotal: Bytes | null;
  /** The file that remembers which logs there were: nothing else is ever removed. */
  readonly known: string;
  /** Publishes `log.removed` and `log.over-budget`, and of trouble with the disk `log.dropped`. */
  publish(event: EventDraft): void;
  /** From the end of one look to the next; by default 5 minutes. */
  readonly every?: Milliseconds;
}

/** Looks at the start, after rotations, and every few minutes which files have to go. */
export interface Housekeeping {
  /** Something has grown: there is a look within a second, if there is anything to look for. */
  nudge(): void;
  /** Looks now; answers what was removed. Looks take turns. */
  look(): Promise<readonly Removal[]>;
  /** No more looks; waits for the one under way. */
  close(): Promise<void>;
}

const EVERY: Milliseconds = 300_000;
const SOON: Milliseconds = 1000;

export function housekeeping(options: HousekeepingOptions): Housekeeping {
  return new Keeper(options);
}

class Keeper implements Housekeeping {
  readonly #options: HousekeepingOptions;
  #turn: Promise<unknown> = Promise.resolve();
  #cancel: () => void = () => undefined;
  #isSoon = false;
  #isClosed = false;
  #isOver = false;
  #hasLooked = false;
  readonly #told = new Set<string>();

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#plan(0);
  }

  nudge(): void {
    if (this.#isSoon || !this.#isBounded) return;
    this.#isSoon = true;
    this.#plan(SOON);
  }

  look(): Promise<readonly Removal[]> {
    const look = this.#turn.then(() => this.#look());
    this.#turn = look.catch(() => undefined);
    return look;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    // A master that ends before its first look has written logs all the same.
    if (!this.#hasLooked) await this.look().catch((error: unknown) => this.#tell(error));
    await this.#turn;
  }

  get #isBounded(): boolean {
    const { maxTotal, goneAfter, logs } = this.#options;
    return maxTotal !== null || goneAfter !== null || logs().some(({ maxAge }) => maxAge !== null);
  }

  #plan(delay: Milliseconds): void {
    this.#cancel();
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.after(delay, () => {
      void this.look()
        .catch((error: unknown) => this.#tell(error))
        .finally(() => {
          this.#isSoon = false;
          this.#plan(this.#options.every ?? EVERY);
        });
    });
  }

  async #look(): Promise<readonly Removal[]> {
    this.#hasLooked = true;
    const { clock, goneAfter, maxTotal, known } = this.#options;
    const logs = new Map(this.#options.logs().map((log) => [log.path, log]));
    const before = await loadKnownLogs(known);
    const gone = [...before].filter((path) => !logs.has(path));
    const files = this.#isBounded ? await keptFiles(logs.keys()) : [];
    const left = await filesOfGone(gone);
    const policyOf = (path: string) => logs.get(path) ?? { maxFiles: null, maxAge: goneAfter };
    const removals = this.#isBounded
      ? planRetention([...files, ...left], policyOf, maxTotal, clock.wallNow())
      : [];
    const removed = await removeFiles(removals);
    const isRemoved = new Set(removed.map(({ file }) => file));
    const alive = new Set(left.filter((file) => !isRemoved.has(file)).map(({ log }) => log));
    const now = new Set([...logs.keys(), ...alive]);
    if (now.size !== before.size || [...now].some((path) => !before.has(path)))
      await saveKnownLogs(known, now).catch((error: unknown) => this.#tell(error));
    this.#report(removed);
    this.#judge([...files, ...left].filter((file) => !isRemoved.has(file)));
    return removed;
  }

  #report(removed: readonly Removal[]): void {
    for (const [key, all] of Map.groupBy(removed, ({ file, because }) => `${because} ${file.log}`)) {
      const [{ file, because }] = all as [Removal];
      const bytes = all.reduce((sum, one) => sum + one.file.size, 0);
      this.#told.delete(key);
      this.#options.publish({
        type: 'log.removed',
        payload: { file: file.log, files: all.length, bytes, because },
      });
    }
  }

  /** What is written at the moment cannot be removed: where that alone is too much, it is said, once. */
  #judge(kept: readonly KeptFile[]): void {
    const { maxTotal, publish } = this.#options;
    const bytes = kept.reduce((sum, { size }) => sum + size, 0);
    const isOver = maxTotal !== null && bytes > maxTotal;
    if (isOver && !this.#isOver) publish({ type: 'log.over-budget', payload: { bytes, max: maxTotal } });
    this.#isOver = isOver;
  }

  #tell(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#options.publish({
      type: 'log.dropped',
      payload: { bytes: 0, reason: `old log files are not looked after: ${reason}` },
    });
  }
}

/** Nobody writes them any more, so the one that was written last may go, too: it counts as the first that was rotated. */
async function filesOfGone(logs: readonly string[]): Promise<KeptFile[]> {
  const there: string[] = [];
  for (const [folder, paths] of Map.groupBy(logs, dirname)) {
    const names = await readdir(folder).catch(() => []);
    const isThere = (path: string) =>
      names.some((name) => name === basename(path) || rotatedName(basename(path), name) !== null);
    there.push(...paths.filter(isThere));
  }
  return (await keptFiles(there)).map((file) => ({ ...file, number: file.number + 1 }));
}
