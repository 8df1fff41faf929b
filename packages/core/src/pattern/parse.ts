import {
  ANY,
  type CharSet,
  charOf,
  charSet,
  complement,
  DIGIT,
  foldCase,
  NOT_NEWLINE,
  POSIX,
  SPACE,
  unicodeProperty,
  union,
  WORD,
} from './set.ts';
import { type Assertion, PatternFault, type Syntax } from './syntax.ts';

export interface ParsedPattern {
  readonly syntax: Syntax;
  /** Names of the groups by their index; group 0 is the whole, groups without a name are null. */
  readonly groups: readonly (string | null)[];
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly lines: boolean;
  readonly dotAll: boolean;
}

const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;
const MAX_LENGTH = 10_000;
const ESCAPED: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27 };
const CLASSES: Readonly<Record<string, CharSet>> = { d: DIGIT, w: WORD, s: SPACE };
const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  b: 'word-edge',
  B: 'no-word-edge',
  A: 'start',
  z: 'end',
};

/** Reads what JavaScript’s and Go’s expressions have in common, and both ways of naming groups. Throws `PatternFault`. */
export function parsePattern(source: string): ParsedPattern {
  if (source.length > MAX_LENGTH)
    throw new PatternFault(MAX_LENGTH, `is longer than ${MAX_LENGTH} characters`);
  return new Parser(source).whole();
}

class Parser {
  readonly #source: string;
  readonly #groups: (string | null)[] = [null];
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, lines: false, dotAll: false };

  constructor(source: string) {
    this.#source = source;
  }

  whole(): ParsedPattern {
    const syntax = this.#either();
    if (this.#at < this.#source.length) this.#fault('has a ")" without its "("');
    return { syntax, groups: this.#groups };
  }

  #either(): Syntax {
    const before = this.#flags;
    const branches = [this.#sequence()];
    while (this.#take('|')) branches.push(this.#sequence());
    this.#flags = before;
    return branches.length === 1 ? (branches[0] as Syntax) : { kind: 'either', branches };
  }

  #sequence(): Syntax {
    const items: Syntax[] = [];
    while (this.#at < this.#source.length && !this.#peek('|') && !this.#peek(')')) {
      const from = this.#at;
      const atom = this.#atom();
      if (atom !== null) items.push(this.#repeated(atom, from));
    }
    if (items.length === 0) return { kind: 'empty' };
    return items.length === 1 ? (items[0] as Syntax) : { kind: 'sequence', items };
  }

  #repeated(body: Syntax, from: number): Syntax {
    const bounds = this.#bounds();
    if (bounds === null) return body;
    const lazy = this.#take('?');
    if (!lazy && this.#peek('+'))
      this.#fault('has a possessive quantifier, which neither JavaScript nor Go knows');
    if (this.#bounds() !== null) this.#fault('repeats a repetition; put the first one into (?:…)');
    const [min, max] = bounds;
    if (min > MAX_REPEAT || (max ?? 0) > MAX_REPEAT)
      this.#fault(`repeats more than ${MAX_REPEAT} times`, from);
    if (max !== null && max < min) this.#fault('has a repetition whose upper bound is below its lower', from);
    return { kind: 'repeat', body, min, max, lazy };
  }

  #bounds(): [number, number | null] | null {
    if (this.#take('*')) return [0, null];
    if (this.#take('+')) return [1, null];
    if (this.#take('?')) return [0, 1];
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.#source.slice(this.#at, this.#at + 24));
    if (found === null) return null;
    this.#at += found[0].length;
    const min = Number(found[1]);
    return [min, found[2] === undefined ? min : found[3] === '' ? null : Number(found[3])];
  }

  /** One thing that can be repeated; null where only flags were set. */
  #atom(): Syntax | null {
    const char = this.#source[this.#at] as string;
    this.#at += 1;
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'set', set: this.#brackets() };
      case '.':
        return { kind: 'set', set: this.#flags.dotAll ? ANY : NOT_NEWLINE };
      case '^':
        return { kind: 'assertion', what: this.#flags.lines ? 'line-start' : 'start' };
      case '$':
        return { kind: 'assertion', what: this.#flags.lines ? 'line-end' : 'end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        return this.#fault(`has a "${char}" with nothing before it to repeat`, this.#at - 1);
      default:
        return this.#literal(char.charCodeAt(0));
    }
  }

  /** A character; one beyond U+FFFF is two units that stay together. */
  #literal(code: number): Syntax {
    const next = this.#source.charCodeAt(this.#at);
    if (code < 0xd800 || code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return this.#set(charOf(code));
    this.#at += 1;
    return { kind: 'sequence', items: [this.#set(charOf(code)), this.#set(charOf(next))] };
  }

  #set(set: CharSet): Syntax {
    return { kind: 'set', set: this.#flags.ignoreCase ? foldCase(set) : set };
  }

  #group(): Syntax | null {
    const from = this.#at - 1;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#fault('has too many groups inside each other', from);
    const rest = this.#source.slice(this.#at, this.#at + 80);
    const before = this.#flags;
    let index: number | null = null;
    const named = /^\?P?<([A-Za-z_]\w*)>/.exec(rest);
    const flagged = /^\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/.exec(rest);
    if (named !== null) {
      const name = named[1] as string;
      if (this.#groups.includes(name)) this.#fault(`has two groups named "${name}"`, from);
      index = this.#groups.push(name) - 1;
      this.#at += named[0].length;
    } else if (flagged !== null) {
      this.#at += flagged[0].length;
      this.#setFlags(flagged[1] as string, true, from);
      this.#setFlags(flagged[2] ?? '', false, from);
      if (flagged[3] === ')') {
        this.#depth -= 1;
        return null;
      }
    } else if (/^\?<?[=!]/.test(rest)) {
      this.#fault('looks ahead or behind, which cannot be done in bounded time', from);
    } else if (rest.startsWith('?')) this.#fault('has a group of an unknown kind', from);
    else index = this.#groups.push(null) - 1;
    const body = this.#either();
    if (!this.#take(')')) this.#fault('has a "(" that is never closed', from);
    this.#flags = before;
    this.#depth -= 1;
    return index === null ? body : { kind: 'capture', index, body };
  }

  #setFlags(letters: string, on: boolean, from: number): void {
    for (const letter of letters) {
      if (letter === 'i') this.#flags = { ...this.#flags, ignoreCase: on };
      else if (letter === 'm') this.#flags = { ...this.#flags, lines: on };
      else if (letter === 's') this.#flags = { ...this.#flags, dotAll: on };
      else this.#fault(`has the unknown flag "${letter}"; known are i, m and s`, from);
    }
  }

  #escape(): Syntax {
    const from = this.#at - 1;
    const char = this.#source[this.#at];
    if (char === undefined) return this.#fault('ends in a backslash', from);
    const what = ASSERTIONS[char];
    if (what !== undefined) {
      this.#at += 1;
      return { kind: 'assertion', what };
    }
    if (/[1-9k]/.test(char))
      this.#fault('refers back to a group, which cannot be done in bounded time', from);
    return this.#set(this.#escapedSet());
  }

  /** What stands after a backslash, inside of brackets and outside. */
  #escapedSet(): CharSet {
    const from = this.#at - 1;
    const char = this.#source[this.#at];
    if (char === undefined) return this.#fault('ends in a backslash', from);
    this.#at += 1;
    const known = CLASSES[char.toLowerCase()];
    if (known !== undefined) return char === char.toLowerCase() ? known : complement(known);
    if (char === 'p' || char === 'P') {
      const name = /^(?:\{(\^?)([^}]*)\}|([A-Z]))/.exec(this.#source.slice(this.#at, this.#at + 60));
      const set = name === null ? null : unicodeProperty((name[2] ?? name[3]) as string);
      if (set === null || name === null) return this.#fault('names an unknown Unicode property', from);
      this.#at += name[0].length;
      return (char === 'P') !== (name[1] === '^') ? complement(set) : set;
    }
    const digits = /^(?:x([\da-fA-F]{2})|x\{([\da-fA-F]{1,6})\}|u([\da-fA-F]{4})|0(?!\d))/.exec(
      this.#source.slice(this.#at - 1, this.#at + 9),
    );
    if (digits !== null) {
      const code = Number.parseInt(digits[1] ?? digits[2] ?? digits[3] ?? '0', 16);
      if (code > 0xffff) this.#fault('names a character beyond U+FFFF by its number; write it itself', from);
      this.#at += digits[0].length - 1;
      return charOf(code);
    }
    const control = ESCAPED[char];
    if (control !== undefined) return charOf(control);
    if (/\w/.test(char)) return this.#fault(`has the unknown escape "\\${char}"`, from);
    return charOf(char.charCodeAt(0));
  }

  #brackets(): CharSet {
    const from = this.#at - 1;
    const negated = this.#take('^');
    const parts: CharSet[] = [];
    let first = true;
    for (;;) {
      if (this.#at >= this.#source.length) this.#fault('has a "[" that is never closed', from);
      if (!first && this.#take(']')) break;
      first = false;
      const low = this.#member();
      if (low.length === 2 && low[0] === low[1] && this.#peek('-') && this.#source[this.#at + 1] !== ']') {
        this.#at += 1;
        const high = this.#member();
        if (high.length !== 2 || high[0] !== high[1] || (high[0] as number) < (low[0] as number))
          this.#fault('has a range in brackets whose ends are no characters in order', from);
        parts.push(charSet([[low[0] as number, high[0] as number]]));
      } else parts.push(low);
    }
    const set = union(...parts);
    const folded = this.#flags.ignoreCase ? foldCase(set) : set;
    return negated ? complement(folded) : folded;
  }

  #member(): CharSet {
    const rest = this.#source.slice(this.#at, this.#at + 12);
    const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
    if (posix !== null) {
      const set = POSIX.get(posix[2] as string);
      if (set === undefined) return this.#fault(`names the unknown class ${posix[0]}`);
      this.#at += posix[0].length;
      return posix[1] === '^' ? complement(set) : set;
    }
    if (this.#take('\\')) {
      if (this.#take('b')) return charOf(8);
      return this.#escapedSet();
    }
    const code = this.#source.charCodeAt(this.#at);
    if (code >= 0xd800 && code <= 0xdfff)
      this.#fault('has a character beyond U+FFFF in brackets; write it in an alternative: (?:…|…)');
    this.#at += 1;
    return charOf(code);
  }

  #peek(char: string): boolean {
    return this.#source[this.#at] === char;
  }

  #take(char: string): boolean {
    if (!this.#peek(char)) return false;
    this.#at += 1;
    return true;
  }

  #fault(message: string, at = this.#at): never {
    throw new PatternFault(at, message);
  }
}
