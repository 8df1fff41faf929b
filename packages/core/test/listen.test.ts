import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  choosePort,
  digest,
  type ListenSpec,
  type PortQuestion,
  startDigest,
  withPort,
} from '../src/index.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const range = fc
  .tuple(fc.integer({ min: 1, max: 65_500 }), fc.integer({ min: 0, max: 30 }))
  .map(([first, more]) => ({ first, last: first + more }));
const near = fc.integer({ min: 1, max: 65_535 });

const question: fc.Arbitrary<PortQuestion> = fc
  .record({
    range: fc.option(range),
    salt: fc.nat(),
    last: fc.option(near),
    held: fc.array(fc.nat({ max: 40 })),
    refused: fc.array(fc.nat({ max: 40 })),
  })
  .map(({ range: within, salt, last, held, refused }) => {
    const base = within?.first ?? 40_000;
    const places = (offsets: readonly number[]) => new Set(offsets.map((offset) => base + offset));
    return { range: within, salt, last, held: places(held), refused: places(refused) };
  });

/** Asks as often as it takes; `taken` are those that strangers have. */
function settle(asked: PortQuestion, taken: ReadonlySet<number>): { got: number | null; asks: number } {
  const refused = new Set(asked.refused);
  for (let asks = 1; ; asks += 1) {
    const got = choosePort({ ...asked, refused });
    if (got === null || !(taken.has(got) || refused.has(got))) return { got, asks };
    refused.add(got);
  }
}

describe('the port of a worker', () => {
  it('is never that of another worker, nor one that was refused, and lies in its range', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const got = choosePort(asked);
        if (got === null) return;
        expect(asked.held.has(got)).toBe(false);
        expect(asked.refused.has(got)).toBe(false);
        if (asked.range === null) return;
        expect(got).toBeGreaterThanOrEqual(asked.range.first);
        expect(got).toBeLessThanOrEqual(asked.range.last);
      }),
    );
  });

  it('is the last one, where that is free', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const { last, range: within, held, refused } = asked;
        fc.pre(last !== null && !held.has(last) && !refused.has(last));
        fc.pre(within === null || (last >= within.first && last <= within.last));
        expect(choosePort(asked)).toBe(last);
      }),
    );
  });

  it('is found where one is free, and each is asked for once', () => {
    fc.assert(
      fc.property(question, fc.array(fc.nat({ max: 40 })), (asked, offsets) => {
        const base = asked.range?.first ?? 40_000;
        const taken = new Set(offsets.map((offset) => base + offset));
        const { got, asks } = settle(asked, taken);
        const size = asked.range === null ? 1 : asked.range.last - asked.range.first + 1;
        expect(asks).toBeLessThanOrEqual(size + 2);
        if (asked.range === null) return;
        const { first } = asked.range;
        const free = Array.from({ length: size }, (_, step) => first + step).filter(
          (one) => !(taken.has(one) || asked.held.has(one) || asked.refused.has(one)),
        );
        if (free.length === 0) expect(got).toBeNull();
        else expect(free).toContain(got);
      }),
    );
  });

  it('differs for the workers of one range, and is the same each time', () => {
    fc.assert(
      fc.property(range, fc.array(fc.nat(), { maxLength: 40 }), (within, salts) => {
        const choose = () => {
          const held = new Set<number>();
          return salts.map((salt) => {
            const got = choosePort({ range: within, last: null, salt, held, refused: new Set() });
            if (got !== null) held.add(got);
            return got;
          });
        };
        const once = choose();
        const got = once.filter((one) => one !== null);
        expect(new Set(got).size).toBe(got.length);
        expect(got.length).toBe(Math.min(salts.length, within.last - within.first + 1));
        expect(choose()).toEqual(once);
      }),
    );
  });

  it('where any will do is the system’s choice, and nothing after that', () => {
    const none = new Set<number>();
    const any = { range: null, last: null, salt: 0, held: none };
    expect(choosePort({ ...any, refused: none })).toBe(0);
    expect(choosePort({ ...any, refused: new Set([0]) })).toBeNull();
  });
});

describe('a command with a port', () => {
  const command = {
    argv: ['unit', 'serve'] as [string, ...string[]],
    cwd: '/',
    env: { PORT: '1', A: 'b' },
    umask: null,
    user: null,
    group: null,
    groups: null,
  };
  const listen: ListenSpec = { range: null, argument: '--port', handOver: 'reserve', isUnit: true };

  it('says it at the end of its arguments and in its environment', () => {
    fc.assert(
      fc.property(port, (given) => {
        const told = withPort(command, listen, given);
        expect(told.argv).toEqual(['unit', 'serve', '--port', String(given)]);
        expect(told.env).toEqual({ A: 'b', PORT: String(given) });
      }),
    );
  });

  it('keeps its arguments where none is named', () => {
    expect(withPort(command, { ...listen, argument: null }, 5).argv).toEqual(['unit', 'serve']);
  });
});

it('another port to listen on takes another process', () => {
  const command = {
    argv: ['unit'] as [string],
    cwd: '/',
    env: {},
    umask: null,
    user: null,
    group: null,
    groups: null,
  };
  const listen: ListenSpec = { range: null, argument: '--port', handOver: 'reserve', isUnit: true };
  const range = { first: 1, last: 2 };
  const digests = [null, listen, { ...listen, range }, { ...listen, handOver: 'socket' as const }].map(
    (how) => startDigest({ command, listen: how }),
  );
  expect(new Set(digests).size).toBe(4);
  expect(digests[0]).toBe(digest(command));
});
