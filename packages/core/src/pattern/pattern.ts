import { capture } from './capture.ts';
import { type Cost, costOf, firstCharacters } from './cost.ts';
import { parsePattern } from './parse.ts';
import { capturesInLoop, programOf, startsAtStart } from './program.ts';
import { Search } from './search.ts';
import type { CharSet } from './set.ts';
import { sourceOf } from './source.ts';
import { PatternFault } from './syntax.ts';

/** Where a pattern was found. */
export interface PatternMatch {
  readonly from: number;
  /** Behind the last character. */
  readonly to: number;
  /** By their index; 0 is the whole, null where a group took no part. */
  readonly groups: readonly (string | null)[];
}

/**
 * A regular expression of the user’s. Whatever the expression and the text, the time it takes grows with the length of the text
 * alone: where JavaScript’s own engine could take longer, another one does the work, with the same result.
 */
export interface Pattern {
  readonly source: string;
  /** Names of the groups by their index; 0 is the whole, null where a group has no name. */
  readonly names: readonly (string | null)[];
  test(text: string): boolean;
  /** The first match that begins at `from` or later. */
  exec(text: string, from?: number): PatternMatch | null;
}

export type PatternResult =
  | { readonly ok: true; readonly pattern: Pattern }
  /** `reason` continues "the pattern …"; `at` is the place in it, counted from 0. */
  | { readonly ok: false; readonly reason: string; readonly at: number };

/**
 * Steps that JavaScript’s engine may take for one text, of some nanoseconds each: as many as the other engine would take time for.
 * That one is fast where only the answer is wanted, and ten times slower where groups are.
 */
const AFFORDABLE = { test: 50_000, exec: 300_000 };

/**
 * Reads an expression in what JavaScript and Go (RE2) have in common, with `(?P<name>…)` as well as `(?<name>…)`, `(?i)` and
 * `[[:alpha:]]`. What cannot be matched in bounded time (looking around, references back) is refused.
 */
export function compilePattern(source: string): PatternResult {
  try {
    return { ok: true, pattern: new Compiled(source) };
  } catch (fault) {
    if (!(fault instanceof PatternFault)) throw fault;
    return { ok: false, reason: fault.message, at: fault.at };
  }
}

class Compiled implements Pattern {
  readonly source: string;
  readonly names: readonly (string | null)[];
  readonly #steps;
  readonly #anchored: boolean;
  /** Texts up to this length are left to JavaScript’s engine. */
  readonly #longest: number;
  readonly #longestExec: number;
  readonly #first: CharSet;
  readonly #expression: RegExp;
  #search: Search | null = null;

  constructor(source: string) {
    this.source = source;
    const { syntax, groups } = parsePattern(source);
    this.names = groups;
    this.#steps = programOf(syntax);
    this.#anchored = startsAtStart(syntax);
    const cost = costOf(syntax);
    this.#longest = affordable(cost, AFFORDABLE.test);
    this.#longestExec = capturesInLoop(syntax) ? 0 : affordable(cost, AFFORDABLE.exec);
    this.#first = firstCharacters(syntax);
    this.#expression = new RegExp(sourceOf(syntax), 'g');
  }

  test(text: string): boolean {
    if (text.length <= this.#longest) {
      this.#expression.lastIndex = 0;
      return this.#expression.test(text);
    }
    this.#search ??= new Search(this.#steps, this.#anchored);
    return this.#search.test(text);
  }

  exec(text: string, from = 0): PatternMatch | null {
    if (text.length <= this.#longestExec) {
      this.#expression.lastIndex = from;
      const found = this.#expression.exec(text);
      if (found === null) return null;
      return {
        from: found.index,
        to: found.index + found[0].length,
        groups: Array.from(found, (group: string | undefined) => group ?? null),
      };
    }
    if (from === 0 && !this.test(text)) return null;
    const slots = capture(
      { steps: this.#steps, groups: this.names.length, anchored: this.#anchored, first: this.#first },
      text,
      from,
    );
    if (slots === null) return null;
    const groups = this.names.map((_, index) => {
      const [begin, end] = [slots[2 * index] as number, slots[2 * index + 1] as number];
      return begin < 0 || end < 0 ? null : text.slice(begin, end);
    });
    return { from: slots[0] as number, to: slots[1] as number, groups };
  }
}

/** The longest text that costs no more than so many steps. */
function affordable({ degree, factor }: Cost, steps: number): number {
  if (degree === Infinity || factor > steps) return 0;
  if (degree <= 1 && factor <= 200) return Infinity;
  return Math.floor((steps / factor) ** (1 / Math.max(1, degree)));
}
