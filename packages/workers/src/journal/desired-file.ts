import { readFileSync } from 'node:fs';
import type { Judgement, WorkerId } from '@hsu-master/core';
import { sum } from './line.ts';
import { replaceSynced } from './replace-synced.ts';

/** Version of the file’s form. 1: `{"stopped": [ids]}` and nothing else. */
const FORM = 2;

interface Content {
  /** Which workers the operator has stopped. */
  readonly stopped: readonly WorkerId[];
  /** What is held against workers. */
  readonly judged: Readonly<Record<WorkerId, Judgement>>;
}

/**
 * What outlives a reboot: which workers the operator has stopped, and which are given up or wait for their breaker. JSON with a checksum,
 * synced to disk before it replaces the old one, so that it outlives a power cut. Written off the event loop; several changes at once
 * become one write.
 */
export class DesiredFile {
  readonly #file: string;
  readonly #down: Set<WorkerId>;
  readonly #judged: Map<WorkerId, Judgement>;
  readonly #failed: (error: unknown) => void;
  #dirty = false;
  /** The last write failed: it is tried again with the next change, and at the end. */
  #isBehind = false;
  #writing: Promise<void> | null = null;

  /**
   * @param failed told when the file cannot be written; what it was to say still holds for this master’s life
   * @throws where the file exists and is not what was written: who was stopped would be a guess
   */
  constructor(file: string, failed: (error: unknown) => void) {
    this.#file = file;
    this.#failed = failed;
    const { stopped, judged } = read(file);
    this.#down = new Set(stopped);
    this.#judged = new Map(Object.entries(judged));
  }

  isDown(workerId: WorkerId): boolean {
    return this.#down.has(workerId);
  }

  set(workerId: WorkerId, desired: 'up' | 'down'): void {
    if (this.isDown(workerId) === (desired === 'down')) return;
    if (desired === 'down') this.#down.add(workerId);
    else this.#down.delete(workerId);
    this.#change();
  }

  judgement(workerId: WorkerId): Judgement | null {
    return this.#judged.get(workerId) ?? null;
  }

  judge(workerId: WorkerId, judgement: Judgement | null): void {
    if (judgement === null) {
      if (!this.#judged.delete(workerId)) return;
    } else {
      if (JSON.stringify(this.#judged.get(workerId)) === JSON.stringify(judgement)) return;
      this.#judged.set(workerId, judgement);
    }
    this.#change();
  }

  /** Resolves when everything set so far is on disk, or was reported as failed. */
  async settled(): Promise<void> {
    if (this.#isBehind) this.#change();
    while (this.#writing !== null) await this.#writing;
  }

  #change(): void {
    this.#dirty = true;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    while (this.#dirty) {
      this.#dirty = false;
      try {
        await replaceSynced(this.#file, this.#text());
        this.#isBehind = false;
      } catch (error) {
        this.#isBehind = true;
        this.#failed(error);
      }
    }
    this.#writing = null;
  }

  #text(): string {
    const content: Content = { stopped: [...this.#down], judged: Object.fromEntries(this.#judged) };
    return `${JSON.stringify({ form: FORM, reader: FORM, ...content, sum: sum(JSON.stringify(content)) })}\n`;
  }
}

function read(file: string): Content {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { stopped: [], judged: {} };
    throw error;
  }
  const found = parse(text);
  const { form, reader = form, stopped, judged = {}, sum: told } = found;
  if (Number(reader) > FORM) throw new Error(`${file} was written by a newer version (form ${String(form)})`);
  const isList = Array.isArray(stopped) && stopped.every((id) => typeof id === 'string');
  const isFirstForm = Object.keys(found).length === 1;
  if (!isList || !(isFirstForm || told === sum(JSON.stringify({ stopped, judged })))) {
    throw new Error(`${file} does not hold {"stopped": [ids]} as it was written; mend or remove it`);
  }
  return { stopped, judged: judged as Content['judged'] };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}
