import type { JournalRefusal, Judgement, WorkerId } from '@hsu-master/core';
import { sum } from './line.ts';
import { isWhole, type Said, SyncedFile } from './synced-file.ts';

/** Version of the file’s form. 1: `{"stopped": [ids]}` and nothing else. */
const FORM = 2;

interface Content {
  /** Which workers the operator has stopped. */
  readonly stopped: readonly WorkerId[];
  /** What is held against workers. */
  readonly judged: Readonly<Record<WorkerId, Judgement>>;
}

const NOTHING: Content = { stopped: [], judged: {} };
const DAMAGE = 'whom the operator had stopped is known as far as the records of this boot tell it';

/** What outlives a reboot: which workers the operator has stopped, and which are given up or wait for their breaker. */
export class DesiredFile {
  readonly #file: SyncedFile;
  readonly #down: Set<WorkerId>;
  readonly #judged: Map<WorkerId, Judgement>;
  /** Why what was in the file is not believed; null: it is, or there was none. */
  readonly refusal: JournalRefusal | null;

  /**
   * @param failed told when the file cannot be written; what it was to say still holds for this master’s life
   * @throws where the file cannot be read, or only a newer version can read it
   */
  constructor(file: string, failed: (error: unknown) => void) {
    this.#file = new SyncedFile(file, () => this.#text(), failed);
    const { content, refusal } = this.#file.read(FORM, parse, NOTHING, DAMAGE);
    this.#down = new Set(content.stopped);
    this.#judged = new Map(Object.entries(content.judged));
    this.refusal = refusal;
  }

  /** Those that the operator has stopped. */
  get down(): ReadonlySet<WorkerId> {
    return this.#down;
  }

  set(workerId: WorkerId, desired: 'up' | 'down'): void {
    if (this.#down.has(workerId) === (desired === 'down')) return;
    if (desired === 'down') this.#down.add(workerId);
    else this.#down.delete(workerId);
    this.#file.write();
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
    this.#file.write();
  }

  /** Resolves when everything set so far is on disk, or was reported as failed. */
  settled(): Promise<void> {
    return this.#file.settled();
  }

  #text(): string {
    const content: Content = { stopped: [...this.#down], judged: Object.fromEntries(this.#judged) };
    return `${JSON.stringify({ form: FORM, reader: FORM, ...content, sum: sum(JSON.stringify(content)) })}\n`;
  }
}

function parse(said: Said): Content | null {
  const { stopped, judged = {} } = said;
  if (!Array.isArray(stopped) || !stopped.every((id) => typeof id === 'string')) return null;
  const content = { stopped, judged: judged as Content['judged'] };
  const isFirstForm = Object.keys(said).length === 1;
  return isFirstForm || isWhole(said, content) ? content : null;
}
