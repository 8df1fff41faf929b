import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitsGlob, isGlob, nearest, select } from '../src/control/select.ts';

const WORKERS = [
  { id: 'api-1', namespace: 'shop' },
  { id: 'api-2', namespace: 'shop' },
  { id: 'db', namespace: null },
  { id: 'mailer', namespace: 'office' },
];

const chosen = (patterns: readonly string[], namespace: string | null = null): readonly string[] =>
  select(WORKERS, { patterns, namespace }).map(({ id }) => id);

describe('select', () => {
  it('takes all without patterns, and each once in their own order', () => {
    expect(chosen([])).toEqual(['api-1', 'api-2', 'db', 'mailer']);
    expect(chosen(['mailer', 'api-*', 'api-1'])).toEqual(['api-1', 'api-2', 'mailer']);
  });

  it('takes a namespace before a slash, and by itself', () => {
    expect(chosen(['shop/*'])).toEqual(['api-1', 'api-2']);
    expect(chosen(['*/mailer'])).toEqual(['mailer']);
    expect(chosen([], 'o*')).toEqual(['mailer']);
    expect(chosen(['api-?'], 'shop')).toEqual(['api-1', 'api-2']);
  });

  it('refuses what fits nothing, and names what may have been meant', () => {
    expect(() => chosen(['mailr'])).toThrow('there is no worker "mailr"; did you mean "mailer"?');
    expect(() => chosen(['web*'])).toThrow('no worker fits "web*"');
    expect(() => chosen([], 'none')).toThrow('no worker in the namespace "none"');
    expect(() => chosen(['mailer'], 'none')).toThrow(/there is no worker "mailer" in the namespace "none"$/);
    expect(() => chosen(['shop/api-3'])).toThrow('did you mean "api-1" or "api-2"?');
    expect(() => chosen(['xyz'])).toThrow(/there is no worker "xyz"$/);
  });

  it('takes one without a namespace for one whose namespace is empty', () => {
    expect(chosen(['/db'])).toEqual(['db']);
    expect(chosen(['db'], '')).toEqual(['db']);
    expect(() => chosen(['shop/db'])).toThrow('there is no worker "shop/db"');
    expect(select([], { patterns: [], namespace: null })).toEqual([]);
  });
});

describe('fitsGlob', () => {
  it('agrees with a regular expression', () => {
    const part = fc.constantFrom('a', 'b', '*', '?');
    const pattern = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    const text = fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (glob, given) => {
        const regex = new RegExp(`^${glob.replace(/\*/g, '.*').replace(/\?/g, '.')}$`);
        return fitsGlob(glob, given) === regex.test(given);
      }),
    );
  });

  it('takes no time of squares for a hostile pattern', () => {
    expect(fitsGlob(`${'*a'.repeat(30)}b`, 'a'.repeat(2000))).toBe(false);
  });
});

it.each([
  ['api-*', true],
  ['api-?', true],
  ['api-1', false],
])('%s can fit more than one text: %s', (pattern, expected) => {
  expect(isGlob(pattern)).toBe(expected);
});

describe('nearest', () => {
  it('names nothing for what is too far', () => {
    expect(nearest('xyz', ['api', 'db'])).toEqual([]);
  });

  it('names three at most, the nearest first, whatever their case', () => {
    expect(nearest('worker', ['wrkr', 'worker-1', 'Worker', 'workers', 'db'])).toEqual([
      'Worker',
      'workers',
      'wrkr',
    ]);
  });

  it('compares neither a name that is very long nor with very many', () => {
    const long = 'a'.repeat(65);
    expect(nearest(long, [long])).toEqual([]);
    expect(nearest('api', Array<string>(2001).fill('api'))).toEqual([]);
  });
});
