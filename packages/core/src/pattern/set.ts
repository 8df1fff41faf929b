/** Characters (UTF-16 code units) as sorted ranges that do not touch: lowest, highest, lowest, highest … */
export type CharSet = readonly number[];

const LAST = 0xffff;

/** The union of ranges in any order. */
export function charSet(ranges: readonly (readonly [number, number])[]): CharSet {
  const sorted = ranges.toSorted((a, b) => a[0] - b[0]);
  const set: number[] = [];
  for (const [low, high] of sorted) {
    const end = set.length - 1;
    if (end > 0 && low <= (set[end] as number) + 1) set[end] = Math.max(set[end] as number, high);
    else set.push(low, high);
  }
  return set;
}

export function charOf(code: number): CharSet {
  return [code, code];
}

export function rangesOf(set: CharSet): (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (let at = 0; at < set.length; at += 2) ranges.push([set[at] as number, set[at + 1] as number]);
  return ranges;
}

export function union(...sets: readonly CharSet[]): CharSet {
  return charSet(sets.flatMap(rangesOf));
}

export function complement(set: CharSet): CharSet {
  const ranges: [number, number][] = [];
  let from = 0;
  for (const [low, high] of rangesOf(set)) {
    if (low > from) ranges.push([from, low - 1]);
    from = high + 1;
  }
  if (from <= LAST) ranges.push([from, LAST]);
  return charSet(ranges);
}

export function contains(set: CharSet, code: number): boolean {
  let low = 0;
  let high = set.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < (set[2 * middle] as number)) high = middle - 1;
    else if (code > (set[2 * middle + 1] as number)) low = middle + 1;
    else return true;
  }
  return false;
}

/** Whether two sets have a character in common. */
export function overlap(one: CharSet, other: CharSet): boolean {
  for (let at = 0, against = 0; at < one.length && against < other.length; ) {
    if ((one[at + 1] as number) < (other[against] as number)) at += 2;
    else if ((other[against + 1] as number) < (one[at] as number)) against += 2;
    else return true;
  }
  return false;
}

/** All characters that `test` holds for. Asks for each of them: for what is done once. */
function charsThat(test: (char: string) => boolean): CharSet {
  const ranges: [number, number][] = [];
  for (let code = 0; code <= LAST; code += 1) {
    if (!test(String.fromCharCode(code))) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === code - 1) last[1] = code;
    else ranges.push([code, code]);
  }
  return charSet(ranges);
}

export const DIGIT: CharSet = charSet([[0x30, 0x39]]);
export const WORD: CharSet = charSet([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]);
export const SPACE: CharSet = charSet([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);
export const NOT_NEWLINE: CharSet = complement(charOf(0x0a));
export const ANY: CharSet = [0, LAST];

const UPPER = charSet([[0x41, 0x5a]]);
const LOWER = charSet([[0x61, 0x7a]]);
const ALPHA = union(UPPER, LOWER);
const PUNCT = charSet([
  [0x21, 0x2f],
  [0x3a, 0x40],
  [0x5b, 0x60],
  [0x7b, 0x7e],
]);

/** The classes that are written `[:alpha:]` inside of brackets. */
export const POSIX: ReadonlyMap<string, CharSet> = new Map([
  ['alnum', union(ALPHA, DIGIT)],
  ['alpha', ALPHA],
  ['ascii', charSet([[0, 0x7f]])],
  [
    'blank',
    charSet([
      [0x09, 0x09],
      [0x20, 0x20],
    ]),
  ],
  [
    'cntrl',
    charSet([
      [0, 0x1f],
      [0x7f, 0x7f],
    ]),
  ],
  ['digit', DIGIT],
  ['graph', charSet([[0x21, 0x7e]])],
  ['lower', LOWER],
  ['print', charSet([[0x20, 0x7e]])],
  ['punct', PUNCT],
  [
    'space',
    charSet([
      [0x09, 0x0d],
      [0x20, 0x20],
    ]),
  ],
  ['upper', UPPER],
  ['word', WORD],
  [
    'xdigit',
    charSet([
      [0x30, 0x39],
      [0x41, 0x46],
      [0x61, 0x66],
    ]),
  ],
]);

const properties = new Map<string, CharSet | null>();

/** The characters up to U+FFFF with a Unicode property (`L`, `Lu`, `Greek`, `Script=Greek`), or null where there is none of that name. */
export function unicodeProperty(name: string): CharSet | null {
  let known = properties.get(name);
  if (known === undefined) {
    known = null;
    for (const form of /^[\w=]+$/.test(name) ? [name, `Script=${name}`] : []) {
      let member: RegExp;
      try {
        member = new RegExp(`\\p{${form}}`, 'u');
      } catch {
        continue;
      }
      known = charsThat((char) => member.test(char));
      break;
    }
    properties.set(name, known);
  }
  return known;
}

/** Beyond ASCII, the characters that are the same but for case, by their upper case. */
let twins: Map<number, number[]> | null = null;

function upperOf(code: number): number {
  const upper = String.fromCharCode(code).toUpperCase();
  return upper.length === 1 && upper.charCodeAt(0) > 0x7f ? upper.charCodeAt(0) : code;
}

function buildTwins(): Map<number, number[]> {
  const built = new Map<number, number[]>();
  for (let code = 0x80; code <= LAST; code += 1) {
    const upper = upperOf(code);
    if (upper === code) continue;
    const list = built.get(upper);
    if (list === undefined) built.set(upper, [upper, code]);
    else list.push(code);
  }
  return built;
}

/** The set with the other cases of its characters. */
export function foldCase(set: CharSet): CharSet {
  const added: [number, number][] = [];
  for (const [low, high] of rangesOf(set)) {
    for (let code = Math.max(low, 0x41); code <= Math.min(high, 0x7a); code += 1) {
      if (contains(ALPHA, code)) added.push([code ^ 0x20, code ^ 0x20]);
    }
    if (high < 0x80) continue;
    twins ??= buildTwins();
    for (let code = Math.max(low, 0x80); code <= high; code += 1) {
      for (const twin of twins.get(upperOf(code)) ?? []) added.push([twin, twin]);
    }
  }
  return added.length === 0 ? set : charSet([...rangesOf(set), ...added]);
}
