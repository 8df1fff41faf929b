import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WorkerId } from '@hsu-master/core';

/**
 * Which workers the operator has stopped: a JSON list, synced to disk before it replaces the old one, so that it outlives a power
 * cut. Written off the event loop; several changes at once become one write.
 */
export class DesiredFile {
  readonly #file: string;
  readonly #down: Set<WorkerId>;
  readonly #failed: (error: unknown) => void;
  #dirty = false;
  #writing: Promise<void> | null = null;

  /**
   * @param failed told when the file cannot be written; the wish still holds for this master’s life
   * @throws where the file exists and is no such list
   */
  constructor(file: string, failed: (error: unknown) => void) {
    this.#file = file;
    this.#failed = failed;
    this.#down = new Set(read(file));
  }

  isDown(workerId: WorkerId): boolean {
    return this.#down.has(workerId);
  }

  set(workerId: WorkerId, desired: 'up' | 'down'): void {
    if (this.isDown(workerId) === (desired === 'down')) return;
    if (desired === 'down') this.#down.add(workerId);
    else this.#down.delete(workerId);
    this.#dirty = true;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when everything set so far is on disk, or was reported as failed. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#dirty) {
      this.#dirty = false;
      try {
        await replaceSynced(this.#file, `${JSON.stringify({ stopped: [...this.#down] })}\n`);
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#writing = null;
  }
}

function read(file: string): readonly WorkerId[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const stopped = stoppedOf(text);
  if (!Array.isArray(stopped) || !stopped.every((id) => typeof id === 'string')) {
    throw new Error(`${file} does not hold {"stopped": [ids]}`);
  }
  return stopped;
}

function stoppedOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { stopped?: unknown } | null)?.stopped;
  } catch {
    return null;
  }
}

async function replaceSynced(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
