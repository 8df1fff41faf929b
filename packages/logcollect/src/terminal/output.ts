import { closeSync, constants, fstatSync, openSync, write } from 'node:fs';
import type { Bytes, Clock, Milliseconds } from '@hsu-master/core';
import { codeOf } from '../file/disk.ts';

export interface TerminalOutputOptions {
  /** Descriptor of the terminal, pipe or file; usually 1. */
  readonly fd: number;
  readonly clock: Clock;
  /** Everything is written after `write` had returned false. */
  drained(): void;
  /** Nobody reads any more (a closed pipe, a terminal that hung up), or the disk is full. Called once; nothing is written afterwards. */
  gone(code: string): void;
}

export interface TerminalOutput {
  /** Takes text over at once. false: much is waiting, better write no more until `drained`. */
  write(text: string): boolean;
  /** Writes what waits and lets go; gives up after `timeout`, by default 1 s. */
  close(timeout?: Milliseconds): Promise<void>;
}

/** Bytes that may wait before `write` asks for a pause. */
const HIGH_WATER: Bytes = 256 * 1024;
const FIRST_RETRY: Milliseconds = 5;
const LONGEST_RETRY: Milliseconds = 250;

/**
 * Writes to a terminal or pipe without ever waiting for it. `process.stdout` would: a terminal stopped with Ctrl-S, or a reader
 * that sleeps, would hold the whole master.
 */
export function terminalOutput(options: TerminalOutputOptions): TerminalOutput {
  return new Output(options);
}

class Output implements TerminalOutput {
  readonly #options: TerminalOutputOptions;
  readonly #own: number | null;
  #waiting: Buffer[] = [];
  #bytes: Bytes = 0;
  #writing = false;
  #full = false;
  #over = false;
  #retry: Milliseconds = FIRST_RETRY;
  #empty: (() => void) | null = null;

  constructor(options: TerminalOutputOptions) {
    this.#options = options;
    this.#own = openNonBlocking(options.fd);
  }

  write(text: string): boolean {
    if (this.#over || text === '') return true;
    const bytes = Buffer.from(text);
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    this.#full ||= this.#bytes >= HIGH_WATER;
    if (!this.#writing) this.#next();
    return !this.#full;
  }

  async close(timeout: Milliseconds = 1000): Promise<void> {
    if (this.#writing) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.clock.after(timeout, resolve);
        this.#empty = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#stop();
    // A write that is still under way needs its descriptor.
    if (this.#own !== null && !this.#writing) closeSync(this.#own);
  }

  #next(): void {
    const bytes = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting);
    if (bytes === undefined || bytes.length === 0) {
      this.#caughtUp();
      return;
    }
    this.#waiting = [bytes];
    this.#writing = true;
    write(this.#own ?? this.#options.fd, bytes, (error, written) => {
      this.#writing = false;
      if (error === null) this.#wrote(bytes, written);
      else if (error.code === 'EAGAIN') this.#later();
      else this.#fail(codeOf(error));
    });
  }

  #wrote(bytes: Buffer, written: number): void {
    this.#retry = FIRST_RETRY;
    this.#bytes -= written;
    const rest = bytes.subarray(written);
    this.#waiting.shift();
    if (rest.length > 0) this.#waiting.unshift(rest);
    this.#next();
  }

  /** The reader takes nothing at the moment. */
  #later(): void {
    this.#writing = true;
    this.#options.clock.after(this.#retry, () => {
      this.#writing = false;
      if (!this.#over) this.#next();
    });
    this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY);
  }

  #caughtUp(): void {
    const wasFull = this.#full;
    this.#full = false;
    this.#empty?.();
    if (wasFull && !this.#over) this.#options.drained();
  }

  #fail(code: string): void {
    if (this.#over) return;
    this.#stop();
    this.#empty?.();
    if (code !== '') this.#options.gone(code);
  }

  #stop(): void {
    this.#over = true;
    this.#waiting = [];
    this.#bytes = 0;
  }
}

/**
 * A second, non-blocking open of a terminal or pipe; the descriptor given stays as it is, since the flag would be shared with
 * the shell. null where that is not possible: then the writes wait on one of libuv's threads, which holds the master no more.
 */
function openNonBlocking(fd: number): number | null {
  try {
    const stats = fstatSync(fd);
    if (!stats.isCharacterDevice() && !stats.isFIFO()) return null;
    const flags = constants.O_WRONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
    return openSync(`/proc/self/fd/${fd}`, flags);
  } catch {
    return null;
  }
}
