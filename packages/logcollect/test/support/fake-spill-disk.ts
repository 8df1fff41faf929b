import { basename } from 'node:path';
import type { SpillDisk } from '../../src/sinks/spill-disk.ts';

/** A disk in memory that can be full, fail, and be looked at after a crash. */
export class FakeSpillDisk implements SpillDisk {
  readonly files = new Map<string, Buffer>();
  /** Throws where an operation is to fail. */
  trouble: (operation: string, path: string) => void = () => undefined;
  /** Nothing is answered any more: the master is dead. */
  dead = false;
  /** Operations until it is. */
  left = Number.POSITIVE_INFINITY;
  /** Bytes that fit. */
  quota = Number.POSITIVE_INFINITY;

  async makeFolder(folder: string): Promise<void> {
    await this.#begin('makeFolder', folder);
  }

  async list(folder: string): Promise<readonly { name: string; size: number }[]> {
    await this.#begin('list', folder);
    return [...this.files].map(([path, bytes]) => ({ name: basename(path), size: bytes.length }));
  }

  async write(path: string, position: number, bytes: Uint8Array): Promise<void> {
    await this.#begin('write', path);
    const old = this.files.get(path) ?? Buffer.alloc(0);
    const used = [...this.files.values()].reduce((sum, { length }) => sum + length, 0);
    const room = Math.max(0, this.quota - used);
    this.files.set(path, Buffer.concat([old.subarray(0, position), bytes.subarray(0, room)]));
    if (bytes.length > room) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
  }

  async read(path: string, position: number, length: number): Promise<Uint8Array> {
    await this.#begin('read', path);
    const bytes = this.files.get(path);
    if (bytes === undefined) throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
    return Buffer.from(bytes.subarray(position, position + length));
  }

  async cut(path: string, size: number): Promise<void> {
    await this.#begin('cut', path);
    const bytes = this.files.get(path);
    if (bytes !== undefined) this.files.set(path, bytes.subarray(0, size));
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    await this.#begin('replace', path);
    this.files.set(path, Buffer.from(bytes));
  }

  async remove(path: string): Promise<void> {
    await this.#begin('remove', path);
    this.files.delete(path);
  }

  /** What the next master finds; the last write may be cut off. */
  afterCrash(torn = 0): FakeSpillDisk {
    this.dead = true;
    return this.copy(torn);
  }

  copy(torn = 0): FakeSpillDisk {
    const next = new FakeSpillDisk();
    for (const [path, bytes] of this.files) next.files.set(path, Buffer.from(bytes));
    const segments = [...next.files.keys()].filter((path) => path.endsWith('.spill')).sort();
    const last = [...next.files].find(([path]) => path === segments.at(-1));
    if (last !== undefined && torn > 0)
      next.files.set(last[0], last[1].subarray(0, Math.max(0, last[1].length - torn)));
    return next;
  }

  async #begin(operation: string, path: string): Promise<void> {
    await Promise.resolve();
    this.left -= 1;
    this.dead ||= this.left < 0;
    if (this.dead) await new Promise(() => undefined);
    this.trouble(operation, path);
  }
}
