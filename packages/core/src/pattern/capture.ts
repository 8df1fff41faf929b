import type { Step } from './program.ts';
import { holds } from './search.ts';
import { type CharSet, contains } from './set.ts';

/** What is searched for. */
export interface Sought {
  readonly steps: readonly Step[];
  readonly groups: number;
  /** A match can begin at the start of the text only. */
  readonly anchored: boolean;
  /** A match begins with one of these. */
  readonly first: CharSet;
}

/** Steps that wait, the preferred first, each with where its groups began and ended. */
class Threads {
  readonly order: number[] = [];
  readonly slots: Int32Array[] = [];
  readonly #seen: Uint32Array;
  #turn = 0;

  constructor(steps: number) {
    this.#seen = new Uint32Array(steps);
  }

  clear(): void {
    this.order.length = 0;
    this.slots.length = 0;
    this.#turn += 1;
  }

  enter(at: number): boolean {
    if (this.#seen[at] === this.#turn) return false;
    this.#seen[at] = this.#turn;
    return true;
  }
}

/**
 * The first match from `from` on, with its groups, in time that grows with the length of the text alone: all ways are followed
 * at once, the preferred first. Pairs of begin and end by group, -1 where a group was not part of it; null without a match.
 */
export function capture(sought: Sought, text: string, from: number): Int32Array | null {
  const { steps, groups, anchored, first } = sought;
  const anywhere = first.length === 2 && first[0] === 0 && first[1] === 0xffff;
  let now = new Threads(steps.length);
  let next = new Threads(steps.length);
  const none = new Int32Array(2 * groups).fill(-1);
  let found: Int32Array | null = null;
  now.clear();
  for (let at = from; at <= text.length; at += 1) {
    const code = at < text.length ? text.charCodeAt(at) : -1;
    const before = at > 0 ? text.charCodeAt(at - 1) : -2;
    const canBegin = found === null && (!anchored || at === 0);
    if (canBegin && (anywhere || (code >= 0 && contains(first, code)))) {
      const start = none.slice();
      start[0] = at;
      follow(steps, now, { at: 0, slots: start, before, code, place: at });
    }
    if (now.order.length === 0 && (found !== null || anchored)) break;
    next.clear();
    for (const [index, waiting] of now.order.entries()) {
      const step = steps[waiting] as Step;
      const slots = now.slots[index] as Int32Array;
      if (step.kind === 'match') {
        found = slots.slice();
        found[1] = at;
        break;
      }
      if (step.kind !== 'char' || code < 0 || !contains(step.set, code)) continue;
      const after = at + 1 < text.length ? text.charCodeAt(at + 1) : -1;
      follow(steps, next, { at: waiting + 1, slots, before: code, code: after, place: at + 1 });
    }
    [now, next] = [next, now];
  }
  return found;
}

interface Way {
  readonly at: number;
  readonly slots: Int32Array;
  readonly before: number;
  readonly code: number;
  readonly place: number;
}

/** Goes on to the steps that take a character, in the order of preference. */
function follow(steps: readonly Step[], threads: Threads, way: Way): void {
  const { before, code, place } = way;
  const stack: { at: number; slots: Int32Array }[] = [{ at: way.at, slots: way.slots }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { at, slots } = top;
    if (!threads.enter(at)) continue;
    const step = steps[at] as Step;
    switch (step.kind) {
      case 'char':
      case 'match':
        threads.order.push(at);
        threads.slots.push(slots);
        break;
      case 'jump':
        stack.push({ at: step.to, slots });
        break;
      case 'fork':
        stack.push({ at: step.other, slots }, { at: step.to, slots });
        break;
      case 'save': {
        const changed = slots.slice();
        changed[step.slot] = place;
        stack.push({ at: at + 1, slots: changed });
        break;
      }
      case 'assertion':
        if (holds(step.what, before, code)) stack.push({ at: at + 1, slots });
    }
  }
}
