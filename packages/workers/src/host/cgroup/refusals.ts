import type { MonotonicTime } from '@hsu-master/core';
import { FreshCount } from '../fresh-count.ts';
import type { Crowd } from './crowd.ts';

/** What can refuse a run its processes: its own group, or that of a budget. */
export interface Refusing {
  crowd(): Crowd | null;
}

/** A budget, as far as it can refuse. */
export interface RefusingBudget extends Refusing {
  /** It has refused so many more. */
  noteRefused(count: number): void;
}

/**
 * Processes that the kernel has refused a run, by whose limit that was. Most kernels count them where they were tried (see `Crowd`), so
 * that it has to be told by who is, or was, full.
 */
export class Refusals {
  readonly #own: Refusing;
  readonly #budgets: readonly RefusingBudget[];
  readonly #fresh = { limit: new FreshCount(), quota: new FreshCount() };
  #seen: number;
  #count = { limit: 0, quota: 0 };

  /**
   * @param budgets those around it, the outermost first
   * @param seen what had been counted before this run was looked at
   */
  constructor(own: Refusing, budgets: readonly RefusingBudget[], seen: number) {
    this.#own = own;
    this.#budgets = budgets;
    this.#seen = seen;
  }

  /** Refused so far at its own limit. */
  get own(): number {
    return this.#count.limit;
  }

  /** Its group has counted so many by now. */
  see(counted: number, at: MonotonicTime): void {
    const news = counted - this.#seen;
    if (news > 0) {
      this.#seen = counted;
      const whose = this.#whose();
      if (whose === 'limit') this.#count.limit += news;
      else if (whose !== null) {
        this.#count.quota += news;
        whose.noteRefused(news);
      }
    }
    this.#fresh.limit.see(this.#count.limit, at);
    this.#fresh.quota.see(this.#count.quota, at);
  }

  /** Whose limit it was, if one was refused lately: what may explain an end that is reported now. */
  explain(at: MonotonicTime): 'limit' | 'quota' | null {
    if (this.#fresh.limit.explains(this.#count.limit, at)) return 'limit';
    return this.#fresh.quota.explains(this.#count.quota, at) ? 'quota' : null;
  }

  /** Its own where it is full, else the innermost that is; who is not any more may have been. null: a limit around all of these. */
  #whose(): 'limit' | RefusingBudget | null {
    const own = this.#own.crowd();
    if ((own !== null && own.refused !== null) || isFull(own)) return 'limit';
    const crowds = this.#budgets.toReversed().map((budget) => ({ budget, crowd: budget.crowd() }));
    const full = crowds.find(({ crowd }) => isFull(crowd));
    if (full !== undefined) return full.budget;
    if (wasFull(own)) return 'limit';
    return crowds.find(({ crowd }) => wasFull(crowd))?.budget ?? null;
  }
}

function isFull(crowd: Crowd | null): boolean {
  return crowd !== null && crowd.now >= crowd.limit;
}

function wasFull(crowd: Crowd | null): boolean {
  return crowd !== null && crowd.most >= crowd.limit;
}
