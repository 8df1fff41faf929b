import { realDisk } from '../../src/file/disk.ts';
import type { Disk } from '../../src/index.ts';

export function systemError(code: string, words: string, call = 'write'): Error {
  return Object.assign(new Error(`${code}: ${words}, ${call}`), { code });
}

/** A real disk that fails with `broken` while it is set. */
export class BreakableDisk {
  broken: Error | null = null;
  /** What fails; all others go on working. */
  readonly #calls: readonly (keyof Disk)[];
  tries = 0;

  constructor(calls: readonly (keyof Disk)[]) {
    this.#calls = calls;
  }

  get disk(): Disk {
    return {
      open: (path) => this.#guard('open', () => realDisk.open(path)),
      close: (fd) => this.#guard('close', () => realDisk.close(fd)),
      append: (fd, buffers) => this.#guard('append', () => realDisk.append(fd, buffers)),
      facts: (file) => this.#guard('facts', () => realDisk.facts(file)),
      rename: (from, to) => this.#guard('rename', () => realDisk.rename(from, to)),
      unlink: (path) => this.#guard('unlink', () => realDisk.unlink(path)),
      makeFolder: (path) => this.#guard('makeFolder', () => realDisk.makeFolder(path)),
    };
  }

  async #guard<T>(call: keyof Disk, work: () => Promise<T>): Promise<T> {
    if (!this.#calls.includes(call)) return work();
    this.tries += 1;
    if (this.broken !== null) throw this.broken;
    return work();
  }
}

/** A real disk whose writes wait until the test lets them through. */
export class SlowDisk {
  /** How many buffers each write had. */
  readonly buffers: number[] = [];
  #waiting: (() => void)[] = [];
  #open = false;

  get disk(): Disk {
    return {
      ...realDisk,
      append: async (fd, buffers) => {
        this.buffers.push(buffers.length);
        if (!this.#open) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        return realDisk.append(fd, buffers);
      },
    };
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  release(): void {
    this.#open = true;
    for (const go of this.#waiting.splice(0)) go();
  }
}
