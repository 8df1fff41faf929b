// The table of hazards: each call that the Linux addon exports against each hazard of native calls. Rows are in hazards/calls.ts, what
// differs from call to call in hazards/table.ts; a call that is exported and has no row fails.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isRoot, runProgram, timeFactor } from './harness.ts';
import { call, calls, enter, exportsOf, load, make, type Place, subjectOf } from './hazards/calls.ts';
import { afterwards, type Cell, goneProcess, nul, refused, reusedPid } from './hazards/table.ts';

const addon = load();
const names = Object.keys(calls);
const patience = 60_000 * timeFactor;

async function inPlace(test: (place: Place) => unknown): Promise<void> {
  const place = enter(addon);
  try {
    await test(place);
  } finally {
    place.leave();
  }
}

/** Runs the cells that are tests; the others say why there is none. */
function column(cells: Readonly<Record<string, Cell>>): void {
  it('has cells of calls that there are, each with a test or a reason', () => {
    expect(names).toEqual(expect.arrayContaining(Object.keys(cells)));
    for (const cell of Object.values(cells)) expect(cell).not.toBe('');
  });
  const tests = Object.entries(cells).filter(([, cell]) => typeof cell === 'function');
  it.each(tests)('%s', async (_, cell) => inPlace(cell as Exclude<Cell, string>), patience);
}

it('has a row for each call that the addon exports, which answers', () => {
  expect(names.toSorted()).toEqual(exportsOf(addon).toSorted());
});

describe('a wrong type', () => {
  const foreign = [undefined, true, 1, 'x', {}, [], Symbol('x'), 1n, new Float32Array(1), () => undefined];
  const nullable = ['limits', 'nice', 'policy', 'ioPriority', 'oomScoreAdj'];
  const unusable = [Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e300];

  function refusalOf(attempt: () => unknown): string {
    try {
      return `answered ${String(attempt())}`;
    } catch (error) {
      return String(error);
    }
  }

  /** Whether it is what the place takes, too. */
  function isLike(good: unknown, value: unknown): boolean {
    if (good === null) return typeof value === 'number' || typeof value === 'undefined';
    if (Array.isArray(good) || ArrayBuffer.isView(good)) {
      return good.constructor === value?.constructor || (Buffer.isBuffer(good) && ArrayBuffer.isView(value));
    }
    if (typeof good === 'object') return typeof value === 'object' || typeof value === 'function';
    return typeof good === typeof value;
  }

  function wrongFor(good: unknown): unknown[] {
    const wrong = foreign.filter((value) => !isLike(good, value));
    if (typeof good === 'number') return [...wrong, null, ...unusable];
    if (good instanceof Float64Array && good.length > 0)
      return [...wrong, Float64Array.of(Number.NaN), Float64Array.of(1e300)];
    if (typeof good === 'object') return wrong;
    return [...wrong, null];
  }

  /** What is given, once for each of its parts and each wrong value in the place of that. */
  function* spoiled(good: unknown): Generator {
    if (Array.isArray(good) && !ArrayBuffer.isView(good)) {
      for (const [at, part] of good.entries()) for (const wrong of variants(part)) yield good.with(at, wrong);
    } else if (good !== null && typeof good === 'object' && !ArrayBuffer.isView(good)) {
      for (const [key, part] of Object.entries(good)) {
        for (const wrong of variants(part))
          if (wrong !== null || !nullable.includes(key)) yield { ...good, [key]: wrong };
      }
    }
  }
  function* variants(good: unknown): Generator {
    yield* wrongFor(good);
    yield* spoiled(good);
  }

  it.each(names)('%s refuses it', (name) =>
    inPlace((place) => {
      const good = calls[name]?.(place) ?? [];
      const object = subjectOf(addon, name);
      for (const words of spoiled(good)) {
        const attempt = () => call(place, name, words as unknown[], object);
        const refusal = refusalOf(attempt);
        if (!/^(TypeError|RangeError)/.test(refusal)) expect.fail(`${name}(${inspect(words)}): ${refusal}`);
      }
      object?.close();
    }),
  );

  it('of the object itself is refused', () => {
    for (const name of ['Engine', 'Pump', 'Sampler'] as const) {
      expect(() => (addon[name] as unknown as () => void)()).toThrow(/'new'/);
      for (const method of Object.values(Object.getOwnPropertyDescriptors(addon[name].prototype))) {
        if (method.value === addon[name]) continue;
        for (const other of [undefined, {}, addon]) expect(() => method.value.call(other)).toThrow(TypeError);
      }
    }
    const engine = make(addon, 'Engine');
    expect(() => addon.Pump.prototype.close.call(engine as never)).toThrow(TypeError);
    engine.close();
  });
});

describe('a huge text', () => {
  const huge = 'x'.repeat(4 << 20);

  function grown(good: unknown): unknown {
    if (typeof good === 'string') return huge;
    if (Array.isArray(good)) return good.map(grown);
    if (good === null || typeof good !== 'object' || ArrayBuffer.isView(good)) return good;
    return Object.fromEntries(Object.entries(good).map(([key, part]) => [key, grown(part)]));
  }

  it.each(Object.keys(nul))('%s answers to it', (name) =>
    inPlace((place) => {
      const words = calls[name]?.(place).map(grown) ?? [];
      try {
        call(place, name, words);
      } catch (error) {
        expect(error).toHaveProperty('errno');
      }
    }),
  );
});

describe('a NUL in a text', () => {
  it('is no matter to calls without one', () => {
    const holds = (good: unknown): boolean =>
      typeof good === 'string' ||
      (typeof good === 'object' &&
        good !== null &&
        !ArrayBuffer.isView(good) &&
        Object.values(good).some(holds));
    return inPlace((place) => {
      expect(names.filter((name) => holds(calls[name]?.(place))).toSorted()).toEqual(
        Object.keys(nul).toSorted(),
      );
    });
  });
  column(nul);
});

describe('after close', () => {
  column(afterwards);

  it.each(['Engine', 'Pump', 'Sampler'] as const)(
    'every call of the %s is refused, and close itself never',
    (name) =>
      inPlace((place) => {
        const object = make(addon, name);
        object.close();
        for (const [call, given] of Object.entries(calls)) {
          if (!call.startsWith(`${name}.`) || call.endsWith('.close')) continue;
          const method = call.slice(name.length + 1) as 'close';
          const refused = () => Reflect.apply(object[method], object, given(place));
          expect(refused, call).toThrow(/is closed/);
        }
        object.close();
      }),
  );
});

describe('a process that has gone between check and use', () => column(goneProcess));

describe('a number that another process has by now', () => {
  it('is no matter to calls that name no process', () => {
    expect(Object.keys(reusedPid).toSorted()).toEqual(
      Object.keys(goneProcess)
        .filter((name) => name !== 'Sampler.enter')
        .toSorted(),
    );
  });
  column(reusedPid);
});

describe('in processes of their own', () => {
  const answered = async (way: string, options = {}): Promise<unknown[]> => {
    const result = await runProgram('hazards', [way], options).closed;
    expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
    return result.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  };

  it(
    'worker threads call them all at once, and end in the midst of a call',
    async () => {
      expect(await answered('threads')).toEqual([6]);
    },
    patience,
  );

  it(
    'all answer where the addon is loaded twice',
    async () => {
      expect(await answered('twice')).toEqual([names.length, names.length, [7, 7]]);
    },
    patience,
  );

  it(
    'objects that nobody refers to any more are collected, but for those that have something to tell',
    async () => {
      expect(await answered('collected')).toEqual([7]);
    },
    patience,
  );

  it.runIf(isRoot)(
    'without permission they say so (needs root)',
    async () => {
      expect(await answered('ordinary', { uid: 65_534, gid: 65_534 })).toEqual([refused]);
    },
    patience,
  );
});
