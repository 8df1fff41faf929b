import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { capture } from '../src/pattern/capture.ts';
import { costOf, firstCharacters } from '../src/pattern/cost.ts';
import { parsePattern } from '../src/pattern/parse.ts';
import { compilePattern, type Pattern } from '../src/pattern/pattern.ts';
import { programOf, startsAtStart } from '../src/pattern/program.ts';
import { holds, Search } from '../src/pattern/search.ts';
import { contains } from '../src/pattern/set.ts';
import type { Syntax } from '../src/pattern/syntax.ts';

function pattern(source: string): Pattern {
  const result = compilePattern(source);
  if (!result.ok) throw new Error(`${source}: ${result.reason}`);
  return result.pattern;
}

/** The engine that does not go back, whatever the pattern. */
function search(source: string): (text: string) => boolean {
  const { syntax } = parsePattern(source);
  const machine = new Search(programOf(syntax), startsAtStart(syntax));
  return (text) => machine.test(text);
}

describe('what is understood', () => {
  test.each([
    ['ERROR', 'an ERROR here', true],
    ['^DEBUG:', 'a DEBUG: b', false],
    ['^DEBUG:', 'DEBUG: b', true],
    ['(?i)error', 'An ERROR', true],
    ['(?i)ärger', 'ÄRGER', true],
    ['(?i:e)rror', 'ERROR', false],
    ['(?i)[^a]', 'A', false],
    ['[[:alpha:]]+\\d', 'ab1', true],
    ['\\bfoo\\b', 'a foo b', true],
    ['\\bfoo\\b', 'afoob', false],
    ['a{2,3}b', 'aab', true],
    ['a{2,3}b', 'ab', false],
    ['a{,3}', 'a{,3}', true],
    ['^$', '', true],
    ['(?m)^b$', 'a\nb\nc', true],
    ['^b$', 'a\nb\nc', false],
    ['a.b', 'a\nb', false],
    ['(?s)a.b', 'a\nb', true],
    ['a.b', 'a\rb', true],
    ['\\p{Lu}\\pL+', 'Ärger', true],
    ['\\p{Greek}', 'λ', true],
    ['\\x41\\u0042\\x{43}', 'ABC', true],
    ['(?:😀)+!', 'x 😀😀!', true],
    ['[]a]+z', ']az', true],
    ['[a-]z', '-z', true],
    ['\\.\\/\\-\\]', './-]', true],
    ['\\Aa\\z', 'a', true],
    ['a{2,}b', 'aaab', true],
    ['a{2,}b', 'ab', false],
    ['^(?:|a)b', 'ab', true],
    ['^(?:)+$', '', true],
    ['(?i)a(?-i)b', 'Ab', true],
    ['(?i)a(?-i)b', 'AB', false],
    ['(?i)1', '1', true],
    ['(?i)[A-z]', '_', true],
    ['(?i)中', '中', true],
    ['\\P{L}', 'a', false],
    ['\\P{L}', 'a1', true],
    ['\\p{^L}', '1', true],
    ['\\P{^L}', '1', false],
    ['a\\0', 'a\0', true],
    ['a\\tb', 'a\tb', true],
    ['[\\b]', '\b', true],
    ['[\\d\\]]+z', '1]z', true],
    ['[[:^alpha:]]', 'a', false],
    ['[[:^alpha:]]', '1', true],
    ['\\Bfoo', 'a foo', false],
    ['\\Bfoo', 'afoo', true],
    ['[^\\s\\S]', 'a', false],
  ])('%s in %j: %s', (source, text, expected) => {
    expect(pattern(source).test(text)).toBe(expected);
    expect(search(source)(text)).toBe(expected);
  });

  test.each([
    ['(a)\\1', 'refers back to a group, which cannot be done in bounded time', 3],
    ['a(?=b)', 'looks ahead or behind, which cannot be done in bounded time', 1],
    ['a(?<!b)', 'looks ahead or behind, which cannot be done in bounded time', 1],
    ['(a', 'has a "(" that is never closed', 0],
    ['a)', 'has a ")" without its "("', 1],
    ['[a', 'has a "[" that is never closed', 0],
    ['*a', 'has a "*" with nothing before it to repeat', 0],
    ['a**', 'repeats a repetition; put the first one into (?:…)', 3],
    ['a++', 'has a possessive quantifier, which neither JavaScript nor Go knows', 2],
    ['a{3,2}', 'has a repetition whose upper bound is below its lower', 0],
    ['a{2000}', 'repeats more than 1000 times', 0],
    ['(?:(?:a{100}){100}){100}', 'is too large: it takes more than 1000 steps', 0],
    ['\\y', 'has the unknown escape "\\y"', 0],
    ['a\\', 'ends in a backslash', 1],
    ['(?<n>a)(?P<n>b)', 'has two groups named "n"', 7],
    ['(?x)a', 'has the unknown flag "x"; known are i, m and s', 0],
    ['\\p{Nonsense}', 'names an unknown Unicode property', 0],
    ['[[:nonsense:]]', 'names the unknown class [:nonsense:]', 1],
    ['[b-a]', 'has a range in brackets whose ends are no characters in order', 0],
    ['(?>a)', 'has a group of an unknown kind', 0],
    ['[\\', 'ends in a backslash', 1],
    ['\\p1', 'names an unknown Unicode property', 0],
    ['\\p{a b}', 'names an unknown Unicode property', 0],
    ['\\x{1F600}', 'names a character beyond U+FFFF by its number; write it itself', 0],
    ['[😀]', 'has a character beyond U+FFFF in brackets; write it in an alternative: (?:…|…)', 1],
    ['[a-\\d]', 'has a range in brackets whose ends are no characters in order', 0],
    ['a'.repeat(10_001), 'is longer than 10000 characters', 10_000],
    ['('.repeat(300), 'has too many groups inside each other', 200],
  ])('%s is refused with the reason and the place', (source, reason, at) => {
    expect(compilePattern(source)).toEqual({ ok: false, reason, at });
  });

  test('groups are found by both ways of naming', () => {
    const found = pattern('(?P<level>[A-Z]+):(?<code>\\d+)?').exec('at ERROR:7');
    expect(found).toEqual({ from: 3, to: 10, groups: ['ERROR:7', 'ERROR', '7'] });
    expect(pattern('(?P<level>[A-Z]+)').names).toEqual([null, 'level']);
    expect(pattern('(a)|(b)').exec('b')?.groups).toEqual(['b', null, 'b']);
  });

  // A group within a repetition is not left to JavaScript.
  test.each(['b', '(?:b)'])('what is sought from a place on begins there or later: %s', (source) => {
    const sought = pattern(`(?:(a)|${source})+c`);
    expect(sought.exec('xbc bac', 1)).toEqual({ from: 1, to: 3, groups: ['bc', null] });
    expect(sought.exec('xbc bac', 2)).toEqual({ from: 4, to: 7, groups: ['bac', 'a'] });
    expect(sought.exec('xbc bac', 6)).toBeNull();
    const anchored = pattern(`^(?:(a)|${source})+c`);
    expect(anchored.exec('bac')?.groups).toEqual(['bac', 'a']);
    expect(anchored.exec('bac', 1)).toBeNull();
    const simple = pattern(`${source}c`);
    expect([simple.exec('bc', 0)?.to, simple.exec('bc', 1)]).toEqual([2, null]);
  });
});

const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\w', '\\d', '\\b', '^', '$', 'ab', 'c');
const expression = fc.letrec<{ any: string; one: string }>((tie) => ({
  one: fc.oneof(
    { weight: 4, arbitrary: atom },
    { weight: 1, arbitrary: tie('any').map((inner) => `(${inner})`) },
  ),
  any: fc.oneof(
    { maxDepth: 3 },
    tie('one'),
    fc.tuple(tie('one'), tie('one')).map((two) => two.join('')),
    fc.tuple(tie('any'), tie('any')).map((two) => `(?:${two.join('|')})`),
    fc
      .tuple(tie('any'), fc.constantFrom('*', '+', '?', '*?', '+?', '{2}', '{1,3}'))
      .map(([inner, times]) => `(?:${inner})${times}`),
  ),
})).any;
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', ' ', '\n', 'ä'), maxLength: 12 });

test('both engines find what JavaScript finds', () => {
  fc.assert(
    fc.property(expression, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
      const native = new RegExp(source.replaceAll('.', '[^\\n]'));
      const machine = search(source);
      const compiled = pattern(source);
      for (const each of texts) {
        expect([source, each, compiled.test(each)]).toEqual([source, each, native.test(each)]);
        expect([source, each, machine(each)]).toEqual([source, each, native.test(each)]);
      }
    }),
    { numRuns: 2000 },
  );
});

const solid = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\w', 'ab');
const plain = fc
  .array(
    fc.oneof(
      solid,
      fc.tuple(solid, fc.constantFrom('*', '+', '?', '*?', '+?', '{1,2}')).map((two) => `(${two.join('')})`),
      fc.tuple(solid, solid).map((two) => `(${two.join('|')})`),
      fc.constantFrom('(a|$)', '\\b', '(^|b)', '$'),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join(''));

test('the groups are those that JavaScript finds', () => {
  fc.assert(
    fc.property(plain, text, fc.nat(5), (source, each, from) => {
      const native = new RegExp(source.replaceAll('.', '[^\\n]'), 'g');
      native.lastIndex = Math.min(from, each.length);
      const expected = native.exec(each);
      const { syntax, groups } = parsePattern(source);
      const start = Math.min(from, each.length);
      const sought = {
        steps: programOf(syntax),
        groups: groups.length,
        anchored: startsAtStart(syntax),
        first: firstCharacters(syntax),
      };
      const slots = capture(sought, each, start);
      const spans = groups.map((_, index) =>
        slots === null ? null : each.slice(slots[2 * index], slots[2 * index + 1]),
      );
      const taken = slots === null ? null : spans.map((span, index) => (slots[2 * index] === -1 ? '' : span));
      const wanted =
        expected === null ? null : Array.from(expected, (group: string | undefined) => group ?? '');
      expect([source, each, taken]).toEqual([source, each, wanted]);
    }),
    { numRuns: 2000 },
  );
});

/** Goes back and forth as JavaScript does; says how many characters it looked at until it found the pattern or gave up. */
function backtracking(syntax: Syntax, text: string): number {
  let looks = 0;
  const run = (node: Syntax, at: number, then: (at: number) => boolean): boolean => {
    looks += 1;
    // Beyond any bound that is worth being told from another.
    if (looks > 2_000_000) return true;
    switch (node.kind) {
      case 'empty':
        return then(at);
      case 'set':
        return at < text.length && contains(node.set, text.charCodeAt(at)) && then(at + 1);
      case 'assertion':
        return (
          holds(
            node.what,
            at > 0 ? text.charCodeAt(at - 1) : -1,
            at < text.length ? text.charCodeAt(at) : -1,
          ) && then(at)
        );
      case 'capture':
        return run(node.body, at, then);
      case 'sequence': {
        const from = (index: number, place: number): boolean =>
          index === node.items.length
            ? then(place)
            : run(node.items[index] as Syntax, place, (next) => from(index + 1, next));
        return from(0, at);
      }
      case 'either':
        return node.branches.some((branch) => run(branch, at, then));
      case 'repeat': {
        const turn = (count: number, place: number): boolean => {
          const more = () =>
            (node.max === null || count < node.max) &&
            run(node.body, place, (next) => (next > place || count < node.min) && turn(count + 1, next));
          const enough = () => count >= node.min && then(place);
          return node.lazy ? enough() || more() : more() || enough();
        };
        return turn(0, at);
      }
    }
  };
  const last = startsAtStart(syntax) ? 0 : text.length;
  for (let from = 0; from <= last; from += 1) if (run(syntax, from, () => true)) break;
  return looks;
}

test('what going back and forth can cost is not more than is reckoned with', () => {
  const letters = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 5, maxLength: 25 }),
    fc.nat(25).map((length) => 'a'.repeat(length)),
    fc.nat(12).map((length) => 'ab'.repeat(length)),
  );
  fc.assert(
    fc.property(fc.oneof(expression, plain), letters, (source, each) => {
      const { syntax } = parsePattern(`(?:${source})X`);
      const { degree, factor } = costOf(syntax);
      if (degree === Infinity) return;
      const reckoned = 3 * factor * (each.length + 2) ** degree;
      const looks = backtracking(syntax, each);
      expect([source, each, looks <= reckoned, looks, reckoned]).toEqual([
        source,
        each,
        true,
        looks,
        reckoned,
      ]);
    }),
    { numRuns: 5000 },
  );
});

test('no text makes a pattern slow: what would take JavaScript for ever is told at once', () => {
  const long = 'a'.repeat(50_000);
  for (const source of ['(a+)+$', '(a|a)*b', '(a|aa)+$', '(.*)(.*)(.*)(.*)(.*)x$', '(\\w+\\s?)*!', '\\s+$']) {
    const compiled = pattern(source);
    expect(compiled.test(`${long}c`)).toBe(false);
    expect(compiled.exec(`${long}c`)).toBe(null);
  }
  expect(pattern('(a+)+$').exec(long)?.to).toBe(50_000);
});

test('a machine with more states than are kept goes on', () => {
  const machine = search('[ab]*a[ab]{14}c');
  let seed = 7;
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const long = Array.from({ length: 20_000 }, () => (random() < 0.5 ? 'a' : 'b')).join('');
  expect(machine(long)).toBe(false);
  expect(machine(`${long}a${'b'.repeat(14)}c`)).toBe(true);
});

test.each([
  ['ERROR', 1],
  ['^ERROR', 0],
  ['(ERROR|WARN):', 1],
  ['[A-Z]+ x', 2],
  ['^[A-Z]+ x', 1],
  ['^[A-Z]+X', 1],
  ['^\\w+\\w+', 2],
  ['([A-Z]+) (/\\S+) (\\d{3})', 2],
  ['.*foo.*bar', 3],
  ['^.*foo.*bar', 2],
  ['\\s+$', 2],
  ['^\\d+\\b', 1],
  ['(a+)+', Infinity],
  ['(a|b)*', 2],
  ['(a|a)*', Infinity],
  ['(a|$)x', 1],
  ['(?:ab)*c', 2],
])('going back and forth in %s is bounded by a power of the length: %d', (source, degree) => {
  expect(costOf(parsePattern(source).syntax).degree).toBe(degree);
});
