import type { Step } from './program.ts';
import { type CharSet, contains, rangesOf, WORD } from './set.ts';
import type { Assertion } from './syntax.ts';

/** Stands for the end of the text among characters. */
const END = -1;
const BEFORE = -2;
const NEWLINE = 10;
/** States kept; when there are more, they are forgotten and found again as needed. */
const MAX_STATES = 1000;
const DEAD = 0;
const FOUND = 1;

export function isWord(code: number): boolean {
  return code >= 0 && code < 128 && contains(WORD, code);
}

/** Whether an assertion holds between two characters; below 0: outside of the text. */
export function holds(what: Assertion, before: number, after: number): boolean {
  switch (what) {
    case 'start':
      return before < 0;
    case 'end':
      return after < 0;
    case 'line-start':
      return before < 0 || before === NEWLINE;
    case 'line-end':
      return after < 0 || after === NEWLINE;
    case 'word-edge':
      return isWord(before) !== isWord(after);
    case 'no-word-edge':
      return isWord(before) === isWord(after);
  }
}

/**
 * Tells whether a pattern is anywhere in a text, in one pass: a machine whose states are found as they are needed. A state is
 * the steps that wait for the next character, and the character before them as far as an assertion could ask for it.
 */
export class Search {
  readonly #steps: readonly Step[];
  readonly #anchored: boolean;
  readonly #asserts: boolean;
  /** Where a new class of characters begins, above ASCII. */
  readonly #bounds: readonly number[];
  readonly #ascii = new Uint16Array(128);
  /** One character of each class; the last stands for the end of the text. */
  readonly #samples: number[] = [];
  #next: Int32Array;
  #states: { readonly waiting: readonly number[]; readonly before: number }[] = [];
  readonly #known = new Map<string, number>();

  constructor(steps: readonly Step[], anchored: boolean) {
    this.#steps = steps;
    this.#anchored = anchored;
    this.#asserts = steps.some((step) => step.kind === 'assertion');
    const sets = new Map<string, CharSet>();
    for (const step of steps) if (step.kind === 'char') sets.set(step.set.join(' '), step.set);
    if (this.#asserts) sets.set('word', WORD).set('newline', [NEWLINE, NEWLINE]);
    this.#bounds = this.#divide([...sets.values()]);
    this.#next = new Int32Array(0);
    this.#forget();
  }

  test(text: string): boolean {
    const width = this.#samples.length;
    const ascii = this.#ascii;
    const { length } = text;
    let state = 2;
    for (let at = 0; at < length; at += 1) {
      const code = text.charCodeAt(at);
      const kind = code < 128 ? (ascii[code] as number) : this.#classOf(code);
      let next = this.#next[state * width + kind] as number;
      if (next < 0) next = this.#find(state, kind);
      if (next <= FOUND) return next === FOUND;
      state = next;
    }
    const end = width - 1;
    const next = this.#next[state * width + end] as number;
    return (next < 0 ? this.#find(state, end) : next) === FOUND;
  }

  #divide(sets: readonly CharSet[]): readonly number[] {
    const edges = new Set([0, 128]);
    for (const set of sets) {
      for (const [low, high] of rangesOf(set)) {
        edges.add(low);
        edges.add(high + 1);
      }
    }
    const sorted = [...edges].filter((edge) => edge <= 0xffff).toSorted((a, b) => a - b);
    // Ranges that are in the same sets are one class.
    const classes = new Map<string, number>();
    const kinds: number[] = [];
    for (const edge of sorted) {
      const key = sets.map((set) => (contains(set, edge) ? 1 : 0)).join('');
      let kind = classes.get(key);
      if (kind === undefined) {
        kind = this.#samples.push(edge) - 1;
        classes.set(key, kind);
      }
      kinds.push(kind);
    }
    for (let code = 0, range = 0; code < 128; code += 1) {
      // There is an edge at 128.
      while ((sorted[range + 1] as number) <= code) range += 1;
      this.#ascii[code] = kinds[range] as number;
    }
    this.#samples.push(END);
    return sorted.flatMap((edge, range) => (edge < 128 ? [] : [edge, kinds[range] as number]));
  }

  #classOf(code: number): number {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length / 2 - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((bounds[2 * middle] as number) <= code) low = middle;
      else high = middle - 1;
    }
    return bounds[2 * low + 1] as number;
  }

  /** States 0 and 1 are dead and found, 2 is the start. */
  #forget(): void {
    this.#known.clear();
    const none = { waiting: [], before: BEFORE };
    this.#states = [none, none];
    this.#next = new Int32Array(0);
    this.#stateOf([0], BEFORE);
  }

  #stateOf(waiting: readonly number[], before: number): number {
    const key = `${before} ${waiting.join(' ')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const state = this.#states.push({ waiting, before }) - 1;
    this.#known.set(key, state);
    const width = this.#samples.length;
    if (this.#next.length < (state + 1) * width) {
      const grown = new Int32Array(Math.max(8, state * 2) * width).fill(-1);
      grown.set(this.#next);
      this.#next = grown;
    }
    return state;
  }

  #find(state: number, kind: number): number {
    const { waiting, before } = this.#states[state] as { waiting: readonly number[]; before: number };
    const code = this.#samples[kind] as number;
    const next = this.#step(waiting, before, code);
    if (next === null) return this.#keep(state, kind, FOUND);
    if (code === END || next.length === 0) return this.#keep(state, kind, DEAD);
    if (this.#states.length >= MAX_STATES) {
      this.#forget();
      return this.#stateOf(next, this.#context(code));
    }
    return this.#keep(state, kind, this.#stateOf(next, this.#context(code)));
  }

  #keep(state: number, kind: number, next: number): number {
    this.#next[state * this.#samples.length + kind] = next;
    return next;
  }

  /** Of the character before, no more than assertions can ask for. */
  #context(code: number): number {
    if (!this.#asserts) return 0;
    return isWord(code) ? 0x61 : code === NEWLINE ? NEWLINE : 0x20;
  }

  /** What waits after a character; null where the pattern is found before it. */
  #step(waiting: readonly number[], before: number, code: number): readonly number[] | null {
    const steps = this.#steps;
    const next = new Set<number>();
    const seen = new Set<number>();
    const stack = [...waiting];
    while (stack.length > 0) {
      const at = stack.pop() as number;
      if (seen.has(at)) continue;
      seen.add(at);
      const step = steps[at] as Step;
      if (step.kind === 'match') return null;
      if (step.kind === 'char') {
        if (code >= 0 && contains(step.set, code)) next.add(at + 1);
      } else if (step.kind === 'fork') stack.push(step.to, step.other);
      else if (step.kind === 'jump') stack.push(step.to);
      else if (step.kind === 'save' || holds(step.what, before, code)) stack.push(at + 1);
    }
    if (!this.#anchored) next.add(0);
    return [...next].toSorted((a, b) => a - b);
  }
}
