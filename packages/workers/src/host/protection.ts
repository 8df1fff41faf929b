import type { Capability } from '@hsu-master/core';
import type { NativeEngine } from '@hsu-master/native';
import { readText } from './cgroup/files.ts';

/** G5: out of memory, the kernel takes the workers before the master that would restart them. */
export class Protection {
  readonly capability: Capability;
  readonly #engine: NativeEngine;
  /** oom_score_adj of this process; null: there is none here. */
  readonly #before: number | null;
  readonly #wanted: number | undefined;

  constructor(engine: NativeEngine, wanted: number | undefined) {
    this.#engine = engine;
    this.#before = ownScore();
    this.#wanted = wanted;
    this.capability = protect(engine, wanted);
  }

  /** Before another program takes over this process: it would take ours for the score from before. */
  lift(): void {
    if (this.#before !== null) this.#engine.protect(this.#before);
  }

  /** No program took over. */
  restore(): void {
    if (this.#wanted !== undefined) this.#engine.protect(this.#wanted);
  }
}

function protect(engine: NativeEngine, score: number | undefined): Capability {
  const feature = 'protected-master';
  if (score === undefined)
    return { feature, status: 'impossible', reason: 'switched off: it was not asked for' };
  const set = engine.protect(score);
  return set.ok
    ? { feature, status: 'enforced', reason: `oom_score_adj ${score}; workers keep the value from before` }
    : {
        feature,
        status: 'impossible',
        reason: `oom_score_adj cannot be lowered: ${set.code}; it takes CAP_SYS_RESOURCE`,
      };
}

function ownScore(): number | null {
  const text = readText('/proc/self/oom_score_adj');
  return text === null ? null : Number(text);
}
