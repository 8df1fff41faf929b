import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitsGlob, nearest, select } from '../src/control/select.ts';

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

it('nearest names nothing for what is too far', () => {
  expect(nearest('xyz', ['api', 'db'])).toEqual([]);
});
