import { promises as files } from 'node:fs';
import type { Bytes, Clock, Milliseconds } from '@hsu-master/core';
import { realDisk } from '../file/disk.ts';
import { LogFile, type Source } from '../file/log-file.ts';
import type { LogRecord } from '../record.ts';
import type { Sink } from './sink.ts';

export interface FileSpec {
  /** Absolute. */
  readonly path: string;
  readonly maxSize: Bytes;
  /** Rotated files kept beside the current one. */
  readonly maxFiles: number;
  /** Rotated files that were written last longer ago are removed; null: none is. */
  readonly maxAge: Milliseconds | null;
  readonly format: (record: LogRecord) => string;
}

/** How long after a failure of the disk it is tried again: so long a log file drops what it is given. */
const AFTER_FAILURE: Milliseconds = 1000;
const LOOK_EVERY: Milliseconds = 3_600_000;
const IDLE: Milliseconds = 30_000;

/** One file for the lines of many workers, rotated as theirs are. */
export function fileSink(name: string, spec: FileSpec, clock: Clock): Sink {
  return new FileSink(name, spec, clock);
}

class FileSink implements Sink {
  readonly name: string;
  readonly #spec: FileSpec;
  readonly #clock: Clock;
  readonly #file: LogFile;
  #reason = '';
  #lookedAt: number | null = null;
  #isRotated = false;
  #cancelIdle: () => void = () => undefined;

  constructor(name: string, spec: FileSpec, clock: Clock) {
    this.name = name;
    this.#spec = spec;
    this.#clock = clock;
    this.#file = new LogFile(spec.path, this.#sourceOf(null), {
      clock,
      disk: realDisk,
      relieve: () => undefined,
      publish: (event) => {
        if (event.type === 'log.rotated') this.#isRotated = true;
        if (event.type === 'log.dropped') this.#reason = event.payload.reason;
      },
    });
  }

  async send(batch: readonly LogRecord[]): ReturnType<Sink['send']> {
    this.#cancelIdle();
    // Who comes after one that was refused is not written either: it would come before it.
    let refused = false;
    const heard = (isWritten: boolean): void => {
      if (!isWritten) refused = true;
    };
    const written = await Promise.all(
      batch.map((record) => (refused ? Promise.resolve(false) : this.#write(record, heard))),
    );
    this.#cancelIdle = this.#clock.after(IDLE, () => void this.#file.closeIfIdle(this.#clock.now()));
    await this.#expire();
    const left = batch.filter((_record, index) => written[index] !== true);
    if (left.length === 0) return { kind: 'taken' };
    const reason = this.#reason || `cannot write ${this.#spec.path}`;
    return { kind: 'rest', left, refused: 0, reason, after: AFTER_FAILURE };
  }

  async close(): Promise<void> {
    this.#cancelIdle();
    await this.#file.close();
  }

  #write(record: LogRecord, heard: (isWritten: boolean) => void): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const line = Buffer.from(`${this.#spec.format(record)}\n`);
    this.#file.write(line, this.#sourceOf(record), (isWritten) => {
      heard(isWritten);
      resolve(isWritten);
    });
    return promise;
  }

  #sourceOf(record: LogRecord | null): Source {
    return { workerId: record?.workerId ?? '', run: record?.run ?? 0, log: this.#spec };
  }

  /** Removes rotated files that are too old; looks after rotations and once an hour. */
  async #expire(): Promise<void> {
    const { maxAge } = this.#spec;
    const now = this.#clock.now();
    const isDue = this.#isRotated || this.#lookedAt === null || now - this.#lookedAt >= LOOK_EVERY;
    if (maxAge === null || !isDue) return;
    this.#lookedAt = now;
    this.#isRotated = false;
    const oldest = this.#clock.wallNow() - maxAge;
    for (let number = 1; number <= this.#spec.maxFiles; number += 1) {
      const path = `${this.#spec.path}.${number}`;
      try {
        if ((await files.stat(path)).mtimeMs < oldest) await files.rm(path, { force: true });
      } catch {
        // It is not there.
      }
    }
  }
}
