import { appendFileSync, chmodSync } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Audit,
  type AuditEntry,
  type AuditQuery,
  type Bytes,
  type Clock,
  type Deed,
  type EventDraft,
  maskText,
} from '@hsu-master/core';
import { makeDirectory } from '@hsu-master/workers';

export interface AuditFileParts {
  readonly stateDirectory: string;
  readonly clock: Clock;
  tell(event: EventDraft): void;
  /** Of the file that is written, before it is put aside. */
  readonly largest?: Bytes;
}

/** An audit that can be brought to an end. */
export interface AuditFile extends Audit {
  readonly path: string;
  /** Resolves when all is written, or cannot be. */
  close(): Promise<void>;
}

const LARGEST: Bytes = 8 * 1024 * 1024;
/** Files that were put aside: `audit.1.jsonl` is the newest. */
const KEPT = 4;
/** Entries that wait for a slow disk; more are counted and left out. */
const MOST_WAITING = 10_000;

/** Where the audit of a master lies: not among its logs, which are removed by size and age. */
export function auditPathOf(stateDirectory: string): string {
  return join(stateDirectory, 'audit', 'audit.jsonl');
}

export function openAuditFile(parts: AuditFileParts): AuditFile {
  return new JsonLines(parts);
}

/** For a command that changes something without a master: one entry, written at once. @throws what the system answers */
export function appendToAudit(stateDirectory: string, at: number, deed: Deed): void {
  makeDirectory(join(stateDirectory, 'audit'), 0o700);
  const path = auditPathOf(stateDirectory);
  appendFileSync(path, lineOf({ at, ...deed }), { mode: 0o600 });
  chmodSync(path, 0o600);
}

class JsonLines implements AuditFile {
  readonly path: string;
  readonly #parts: AuditFileParts;
  readonly #largest: Bytes;
  #waiting: string[] = [];
  #lost = 0;
  #isFailing = false;
  #file: FileHandle | null = null;
  #size = 0;
  #writing: Promise<void> | null = null;

  constructor(parts: AuditFileParts) {
    this.#parts = parts;
    this.path = auditPathOf(parts.stateDirectory);
    this.#largest = parts.largest ?? LARGEST;
  }

  record(deed: Deed): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(lineOf({ at: this.#parts.clock.wallNow(), ...deed }));
    this.#writing ??= this.#write();
  }

  async read({ limit, action, by }: AuditQuery): Promise<readonly AuditEntry[]> {
    await this.#writing;
    const found: AuditEntry[] = [];
    for (let number = 0; number <= KEPT && found.length < limit; number += 1) {
      const text = await readFile(this.#aside(number), 'utf8').catch(() => '');
      const lines = text.split('\n');
      for (let at = lines.length - 1; at >= 0 && found.length < limit; at -= 1) {
        const entry = entryOf(lines[at] ?? '');
        if (entry === null || (action !== null && entry.action !== action)) continue;
        if (by === null || entry.by.name === by) found.push(entry);
      }
    }
    return found.reverse();
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close().catch(() => {});
    this.#file = null;
  }

  async #write(): Promise<void> {
    // What comes in the same turn goes out with it.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const text = this.#waiting.join('');
      const count = this.#waiting.length;
      this.#waiting = [];
      try {
        const file = await this.#opened();
        const bytes = Buffer.from(this.#lost > 0 ? this.#lossLine() + text : text);
        // By one call, so that no line of another writer comes in between.
        const { bytesWritten } = await file.write(bytes);
        if (bytesWritten < bytes.length)
          throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written`);
        this.#size += bytes.length;
        this.#lost = 0;
        this.#isFailing = false;
        if (this.#size >= this.#largest) await this.#putAside();
      } catch (error) {
        this.#lost += count;
        await this.#fail(error);
      }
    }
    this.#writing = null;
  }

  /** The file by its name: another program may have moved it away. */
  async #opened(): Promise<FileHandle> {
    if (this.#file !== null) {
      const [now, ours] = await Promise.all([stat(this.path).catch(() => null), this.#file.stat()]);
      if (now !== null && now.ino === ours.ino && now.dev === ours.dev) {
        this.#size = now.size;
        return this.#file;
      }
      await this.#file.close();
      this.#file = null;
    }
    makeDirectory(join(this.#parts.stateDirectory, 'audit'), 0o700);
    const file = await open(this.path, 'a', 0o600);
    await file.chmod(0o600);
    this.#size = (await file.stat()).size;
    this.#file = file;
    return file;
  }

  async #putAside(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
    await rm(this.#aside(KEPT), { force: true });
    for (let number = KEPT - 1; number >= 0; number -= 1)
      await rename(this.#aside(number), this.#aside(number + 1)).catch(() => {});
  }

  #aside(number: number): string {
    return number === 0 ? this.path : this.path.replace(/\.jsonl$/, `.${number}.jsonl`);
  }

  #lossLine(): string {
    const by = { name: 'hsu-master', from: 'master' };
    const why = `${this.#lost} entries could not be written`;
    const at = this.#parts.clock.wallNow();
    return lineOf({ at, by, action: 'audit.lost', on: 'master', result: 'failed', why });
  }

  /** Told once, until it works again: who fills the disk is not to fill the events, too. */
  async #fail(cause: unknown): Promise<void> {
    await this.#file?.close().catch(() => {});
    this.#file = null;
    if (this.#isFailing) return;
    this.#isFailing = true;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#parts.tell({ type: 'audit.failed', payload: { file: this.path, reason } });
  }
}

function lineOf({ at, by, action, on, result, why }: AuditEntry): string {
  const { name, from } = by;
  return `${JSON.stringify({ at: new Date(at).toISOString(), by: name, from, action, on, result, why: why && maskText(why) })}\n`;
}

/** null for a line that was cut off by the end of a master. */
function entryOf(line: string): AuditEntry | null {
  try {
    const { at, by, from, action, on, result, why } = JSON.parse(line) as Record<string, string>;
    if (at === undefined || by === undefined || from === undefined || action === undefined) return null;
    const known = result === 'done' || result === 'refused' ? result : 'failed';
    return {
      at: Date.parse(at),
      by: { name: by, from },
      action,
      on: on ?? '',
      result: known,
      why: why ?? null,
    };
  } catch {
    return null;
  }
}
