import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCommon } from '../src/yaml/common.ts';
import { parseFull } from '../src/yaml/full.ts';
import { parse } from '../src/yaml/parse.ts';
import type { Node } from '../src/yaml/tree.ts';
import { CORPUS, corpus } from './corpus.ts';
import './properties.ts';

/** A tree without the offsets of what is not there: the two readers see nothing in different places. */
function comparable(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.plain && node.text === '' ? null : node;
    case 'list':
      return { ...node, items: node.items.map(comparable) };
    case 'map':
      return {
        ...node,
        entries: node.entries.map((entry) => ({ ...entry, value: comparable(entry.value) })),
      };
  }
}

/** Where the common reader answers at all, it gives the full parser’s answer. */
function expectSame(text: string): boolean {
  const common = parseCommon(text);
  if (common === null) return false;
  const full = parseFull(text);
  if (!full.ok)
    throw new Error(`accepted, but the full parser says: ${JSON.stringify(full.faults)}\n${text}`);
  expect(comparable(common)).toEqual(comparable(full.root));
  return true;
}

const TOKENS = [
  ' ',
  '  ',
  '\n',
  '\n  ',
  '\n    ',
  '- ',
  '-',
  ':',
  ': ',
  '#',
  ' #',
  ',',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '\\',
  '\t',
  '&a',
  '*a',
  '!',
  '|',
  '>',
  '%',
  '@',
  '`',
  '?',
  '? ',
  '---\n',
  '...\n',
  '~',
  'null',
  '<<',
  'a',
  'b1',
  'é',
  '1.5',
  '=',
  '$',
  '${X}',
];

/** Those that the common reader may know. */
const COMMON = TOKENS.filter((token) => !/[\t&*!|>%@`?.]|---|<</.test(token));

type Value = string | Value[] | { [key: string]: Value };
const scalarText = fc.oneof(
  fc.constantFrom(
    'a',
    'x y',
    'http://h:80/p?q#f',
    'a#b',
    '-x',
    '$HOME',
    '1.5',
    'a,b',
    '(c)',
    '{d',
    '[e',
    ': f',
    'g: h',
    ' i',
    '# j',
    '',
    "k'l",
    'm"n',
  ),
  fc.string({ unit: fc.constantFrom(...Array.from('ab1 :#-,[]{}"\'é$.')), maxLength: 6 }),
);
const value = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalarText,
    fc.array(tie('value'), { minLength: 1, maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_.-]{0,5}$/), tie('value'), { minKeys: 1, maxKeys: 3 }),
  ),
})).value;
type Choose = (count: number) => number;

/** A scalar in one of the styles that keep its text. */
function scalar(text: string, inFlow: boolean, choose: Choose): string {
  const plain = inFlow
    ? /^[a-z0-9.$/]([a-z0-9.$/ ]*[a-z0-9.$/])?$/
    : /^[a-z0-9.$/(-]([^\n: #]|:(?! |$)|(?<! )#| (?! |$|#))*$/;
  const mayBePlain = plain.test(text) && !/^-( |$)|[: ]$/.test(text);
  if (mayBePlain && choose(3) > 0) return text;
  return choose(2) === 0 ? JSON.stringify(text) : `'${text.replaceAll("'", "''")}'`;
}

function flow(meant: Value, choose: Choose): string {
  if (typeof meant === 'string') return scalar(meant, true, choose);
  const gap = choose(2) === 0 ? ' ' : '';
  const parts = Array.isArray(meant)
    ? meant.map((item) => flow(item, choose))
    : Object.entries(meant).map(
        ([key, inner]) => `${choose(3) === 0 ? JSON.stringify(key) : key}: ${flow(inner, choose)}`,
      );
  const [open, close] = Array.isArray(meant) ? '[]' : '{}';
  return `${open}${gap}${parts.join(choose(2) === 0 ? ', ' : ',')}${choose(6) === 0 ? ',' : ''}${gap}${close}`;
}

const ends = (choose: Choose) =>
  ['', '', '', ' # c: [d', '  '][choose(5)] + (choose(8) === 0 ? '\n\n  # e\n' : '\n');

/** Block style below `indent` columns, from the start of a line to the end of one. */
function block(meant: Exclude<Value, string>, indent: number, choose: Choose): string {
  const pad = ' '.repeat(indent);
  const inner = (child: Value, step: number): string => {
    if (typeof child === 'string') return ` ${scalar(child, false, choose)}${ends(choose)}`;
    if (choose(4) === 0) return ` ${flow(child, choose)}${ends(choose)}`;
    return ends(choose) + block(child, indent + step, choose);
  };
  if (Array.isArray(meant)) {
    return meant
      .map((item) => {
        const compact = typeof item !== 'string' && choose(2) === 0;
        return compact
          ? `${pad}- ${block(item, indent + 2, choose).slice(indent + 2)}`
          : `${pad}-${inner(item, 1 + choose(3))}`;
      })
      .join('');
  }
  return Object.entries(meant)
    .map(
      ([key, child]) =>
        `${pad}${choose(4) === 0 ? `'${key}'` : key}:${inner(child, Array.isArray(child) ? choose(3) : 1 + choose(3))}`,
    )
    .join('');
}

describe('the common reader', () => {
  test('reads what the original’s examples and the short form look like', () => {
    const read = CORPUS.filter((name) => expectSame(corpus(name)));
    expect(read).toEqual(['managed', 'kinds', 'logging-full', 'documented', 'limits']);
  });

  test('agrees with the full parser on texts made of YAML’s own characters', () => {
    const tokens = fc.oneof(
      fc.array(fc.constantFrom(...TOKENS), { maxLength: 24 }),
      fc.array(fc.constantFrom(...COMMON), { maxLength: 24 }),
    );
    const text = tokens.map((parts) => parts.join(''));
    let read = 0;
    fc.assert(
      fc.property(text, (yaml) => {
        if (expectSame(yaml)) read += 1;
      }),
      { numRuns: 4000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  test('agrees with the full parser on configurations with a few characters changed', () => {
    const names = CORPUS.filter((name) => parseCommon(corpus(name)) !== null);
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      drop: fc.nat(3),
      put: fc.constantFrom(...TOKENS, ''),
    });
    const edited = fc.record({
      name: fc.constantFrom(...names),
      edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
    });
    let read = 0;
    fc.assert(
      fc.property(edited, ({ name, edits }) => {
        let text = corpus(name);
        text = text.slice(0, text.lastIndexOf('\n', 1200));
        for (const { at, drop, put } of edits) {
          const where = Math.floor(at * text.length);
          text = text.slice(0, where) + put + text.slice(where + drop);
        }
        if (expectSame(text)) read += 1;
      }),
      { numRuns: 800 },
    );
    expect(read).toBeGreaterThan(50);
  });

  test('agrees with the full parser, and with what was meant, on documents in any mixture of styles', () => {
    let read = 0;
    fc.assert(
      fc.property(value, fc.infiniteStream(fc.nat(999)), (meant, stream) => {
        const choose = (count: number) => (stream.next().value as number) % count;
        const text = block(Object.fromEntries([['root', meant]]), 0, choose);
        if (!expectSame(text)) return;
        expect(expectSame(text.replaceAll('\n', '\r\n'))).toBe(true);
        read += 1;
        expect(plainValue(parseCommon(text) as Node)).toEqual({ root: meant });
      }),
      { numRuns: 400 },
    );
    expect(read).toBeGreaterThan(300);
  });

  test('agrees with the full parser on JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, 2), (value, spaces) => {
        expectSame(JSON.stringify({ value }, null, spaces));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    'a: 1\n  b: 2\n',
    'a: b\n  c\n',
    'a: [b\n]\n',
    'a: [\n  b, # first\n  c # second\n  ]\n',
    '- - a\n  - b\n- c\n',
    'a:\n- b\n- c\nd:\n',
    'a: "x" b\n',
    "\"a\": 'it''s'\n",
    'a: {b: [c, {d: e}], "f":1}\n',
    'a: b: c\n',
    'a:\n    b: 1\n  c: 2\n',
    '{a: 1}\nb: 2\n',
    '# only a comment',
    '',
    '---\na: 1\n---\nb: 2\n',
    'a: 1\n...\n',
    'a: "\\u00e9\\n\\x41"\n',
    '-\n  a: 1\n-\n- b\n',
    'a: -\n',
    'a: - b\n',
    'a: #b\n',
    'a:   # b\n  c: d\n',
    '  a: 1\n  b: 2\n',
    ' a: 1\nb: 2\n',
    'a: 1\n\n\n# x\n   # y\nb: 2',
    'a: x#y z# w #c\n',
    '[a, b]: c\n',
    'a: [b: c]\n',
    'a: [b,, c]\n',
    'a: {b}\n',
    'a : b\n',
    '---\r\na: 1\r\n\r\nb: [c,\r\n  d]\r\n',
    'a: "b\r\n  c"\r\n',
    'a: 1\r  b: 2',
    '\uFEFFa: 1\n',
  ])('agrees with the full parser on %j', (text) => {
    expectSame(text);
  });
});

describe('parse', () => {
  test('resolves anchors, aliases and merge keys; what is written wins over what is merged', () => {
    const parsed = parse('a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\nc: [*x]\n');
    expect(parsed.ok && plainValue(parsed.root)).toEqual({
      a: { p: '1', q: '2' },
      b: { q: '3', p: '1' },
      c: [{ p: '1', q: '2' }],
    });
  });

  test('I6: refuses aliases that multiply', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 10; i += 1)
      lines.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    expect(parse(lines.join('\n'))).toMatchObject({
      ok: false,
      faults: [{ message: 'aliases expand to more than 100000 values' }],
    });
  });

  test.each([
    ['brackets', '['.repeat(10_000)],
    ['balanced brackets', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['braces', '{a: '.repeat(10_000)],
    ['dashes', `${'- '.repeat(10_000)}a`],
    ['question marks', `${'? '.repeat(10_000)}a`],
    ['indentation', Array.from({ length: 1500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['just too deep', `${'['.repeat(66)}${']'.repeat(66)}`],
    ['just too deep behind an anchor', `a: &x 1\nb: ${'['.repeat(66)}${']'.repeat(66)}`],
  ])('I6: refuses collections nested too deeply: %s', (_, text) => {
    expect(parse(text)).toMatchObject({
      ok: false,
      faults: [{ message: 'collections are nested deeper than 64 levels' }],
    });
  });

  test('I6: refuses a text of 50 MB before parsing it', () => {
    expect(parse('a: b\n'.repeat(10_000_000))).toMatchObject({
      ok: false,
      faults: [{ message: 'the text is larger than 4 MiB' }],
    });
  });

  test.each([
    ['an unknown alias', 'a: *x', /alias \*x has no anchor/],
    ['an alias of itself', 'a: &x [*x]', /alias \*x has no anchor/],
    ['a tag', 'a: !!binary aGk=', /tag/],
    ['a key that is a list', '? [a, b]\n: c', /a key must be/],
    ['a merge of a text', 'a:\n  <<: x\n', /merge key/],
    ['a second document', 'a: 1\n---\nb: 2\n', /second YAML document/],
    ['tabs', 'a:\n\tb: 1\n', /tab/],
    ['an open bracket', 'a: [b', /not valid YAML/],
  ])('refuses %s', (_, text, message) => {
    const parsed = parse(text);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.faults[0]?.message).toMatch(message);
  });
});

function plainValue(node: Node): unknown {
  if (node.kind === 'scalar') return node.text;
  if (node.kind === 'list') return node.items.map(plainValue);
  return Object.fromEntries(node.entries.map((entry) => [entry.key, plainValue(entry.value)]));
}
