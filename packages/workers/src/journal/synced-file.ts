import { readFileSync, renameSync, rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JournalRefusal } from '@hsu-master/core';
import { sum } from './line.ts';

/** What such a file says. `reader` is the least form that whoever reads it has to know; `sum` is the checksum of what it is about. */
export type Said = Readonly<Record<string, unknown>>;

/**
 * A file of JSON that outlives a power cut: there is the old text or the new one, whole. Written off the event loop; several changes at
 * once become one write.
 */
export class SyncedFile {
  readonly #path: string;
  readonly #text: () => string;
  readonly #failed: (error: unknown) => void;
  #isDirty = false;
  /** The last write failed: it is tried again with the next one, and at the end. */
  #isBehind = false;
  #writing: Promise<void> | null = null;

  /**
   * @param text what it is to say, asked when it is written
   * @param failed told when it cannot be written
   */
  constructor(path: string, text: () => string, failed: (error: unknown) => void) {
    this.#path = path;
    this.#text = text;
    this.#failed = failed;
  }

  /**
   * What an earlier master said, as far as `parse` believes it; else `nothing`, and the file is set aside.
   * @throws where the file exists and cannot be read, or only a newer version can read it
   */
  read<T>(form: number, parse: (said: Said) => T | null, nothing: T, damage: string) {
    // What an interrupted write left.
    remove(`${this.#path}.new`);
    const text = readText(this.#path);
    if (text === null) return { content: nothing, refusal: null };
    const said = parseJson(text);
    const { reader = said.form, form: told } = said;
    if (Number(reader) > form)
      throw new Error(
        `${this.#path} was written by a newer version (form ${String(told)}); start that version, or remove the file`,
      );
    const content = parse(said);
    if (content !== null) return { content, refusal: null };
    renameSync(this.#path, `${this.#path}.refused`);
    const refusal: JournalRefusal = { file: this.#path, records: null, reason: `it is damaged; ${damage}` };
    return { content: nothing, refusal };
  }

  /** Begins to write it, or sees to it that it is written once more. */
  write(): void {
    this.#isDirty = true;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all is on disk, or was reported as failed. */
  async settled(): Promise<void> {
    if (this.#isBehind) this.write();
    while (this.#writing !== null) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      try {
        await replaceSynced(this.#path, this.#text());
        this.#isBehind = false;
      } catch (error) {
        this.#isBehind = true;
        this.#failed(error);
      }
    }
    this.#writing = null;
  }
}

/** Whether the checksum is that of this value. */
export function isWhole(said: Said, value: object): boolean {
  return said.sum === sum(JSON.stringify(value));
}

/**
 * Puts a text in the place of a file, so that after a power cut there is the old one or the new one, whole.
 * @throws what the system answers; the old one is then still there
 */
export async function replaceSynced(file: string, text: string): Promise<void> {
  const fresh = `${file}.new`;
  try {
    const handle = await open(fresh, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch (error) {
    // A full disk leaves a part of it.
    await rm(fresh, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(file));
}

/** Windows syncs files only; its journal keeps the folder. Nor can one be opened that may not be read. */
const NOT_SYNCED: readonly unknown[] = ['EPERM', 'EISDIR', 'EACCES'];

async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    if (!NOT_SYNCED.includes((error as NodeJS.ErrnoException).code)) throw error;
  }
}

/** A file that is in the way of nothing: that it cannot be removed is no reason not to go on. */
export function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // What is written next says why.
  }
}

/** null: there is none. */
export function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parseJson(text: string): Said {
  try {
    return (JSON.parse(text) as Said | null) ?? {};
  } catch {
    return {};
  }
}
