import { describe, expect, test } from 'vitest';
import type { LimitPolicy, LimitResponse } from '../src/limits/spec.ts';
import {
  type ExcessState,
  followOn,
  judgeUsage,
  type LimitVerdict,
  type Look,
  noExcess,
} from '../src/limits/violation.ts';
import { fc } from './properties.ts';
import { limitResponse } from './rig.ts';

const LIMIT = 100;

/** One limit of 100 under judgement, with all that was said. */
class Bench {
  readonly response: LimitResponse;
  state: ExcessState = noExcess;

  constructor(differs: Partial<LimitResponse> = {}, state = noExcess) {
    this.response = limitResponse(differs);
    this.state = state;
  }

  see(now: number, value: number | null, differs: Partial<Look> = {}): readonly string[] {
    const { state, verdicts } = judgeUsage(this.state, this.response, {
      value,
      limit: LIMIT,
      hit: false,
      now,
      ...differs,
    });
    this.state = state;
    return verdicts.map((verdict) =>
      verdict.kind === 'step' ? `${verdict.index} ${verdict.policy}` : verdict.kind,
    );
  }
}

describe('an excess', () => {
  test('is said once, answered, and its end is said once', () => {
    const bench = new Bench();
    expect(bench.see(0, 101)).toEqual(['exceeded', '0 log']);
    expect(bench.see(1, 101)).toEqual([]);
    expect(bench.see(2, 90)).toEqual(['cleared']);
    expect(bench.see(3, 90)).toEqual([]);
    expect(bench.see(4, 101)).toEqual(['exceeded', '0 log']);
  });

  test('is no excess at the limit itself, and lasts until nine tenths of it', () => {
    const bench = new Bench();
    expect(bench.see(0, 100)).toEqual([]);
    expect(bench.see(1, 100.1)).toEqual(['exceeded', '0 log']);
    expect(bench.see(2, 90.1)).toEqual([]);
    expect(bench.see(3, 90)).toEqual(['cleared']);
  });

  test.each([0, 1, 4, 9.9])('of a limit of %d ends at the limit', (limit) => {
    const bench = new Bench();
    expect(bench.see(0, limit, { limit })).toEqual([]);
    expect(bench.see(1, limit + 1, { limit })).toEqual(['exceeded', '0 log']);
    expect(bench.see(2, limit, { limit })).toEqual(['cleared']);
  });

  test('of a limit of ten has a gap', () => {
    const bench = new Bench();
    bench.see(0, 11, { limit: 10 });
    expect(bench.see(1, 10, { limit: 10 })).toEqual([]);
    expect(bench.see(2, 9, { limit: 10 })).toEqual(['cleared']);
  });

  test('is what the kernel prevents, whatever the value', () => {
    const bench = new Bench();
    expect(bench.see(0, 20, { hit: true })).toEqual(['exceeded', '0 log']);
    expect(bench.see(1, null, { hit: true })).toEqual([]);
    expect(bench.see(2, 20)).toEqual(['cleared']);
    expect(bench.see(3, null, { hit: true })).toEqual(['exceeded', '0 log']);
  });

  test('neither begins nor ends nor lasts by not being known', () => {
    const bench = new Bench({ steps: [{ policy: 'restart', after: 50 }] });
    expect(bench.see(0, null)).toEqual([]);
    expect(bench.see(1, 101)).toEqual(['exceeded']);
    expect(bench.see(100, null)).toEqual([]);
    expect(bench.see(101, 101)).toEqual(['0 restart']);
  });

  test.each([[[]], [['none' as const]], [['none' as const, 'none' as const]]])(
    'whose policy is none is not even said: %j',
    (policies: readonly LimitPolicy[]) => {
      const steps = policies.map((policy) => ({ policy, after: 0 }));
      const bench = new Bench({ steps, warning: 0.5 });
      expect(bench.see(0, 101)).toEqual([]);
      expect(bench.state).toBe(noExcess);
    },
  );
});

describe('time', () => {
  const differs: Partial<LimitResponse> = {
    spikeTolerance: 10,
    sustained: 30,
    steps: [
      { policy: 'throttle', after: 5 },
      { policy: 'restart', after: 20 },
    ],
  };

  test('an excess within the tolerance is none', () => {
    const bench = new Bench({ ...differs, warning: 0.8 });
    expect(bench.see(0, 120)).toEqual([]);
    expect(bench.see(9.9, 120)).toEqual([]);
    expect(bench.see(9.95, 70)).toEqual([]);
    expect(bench.see(15, 120)).toEqual([]);
    expect(bench.see(25, 120)).toEqual(['warned', 'exceeded']);
  });

  test('steps come in order, the first when the excess counts, each after the one before', () => {
    const bench = new Bench(differs);
    bench.see(0, 120);
    expect(bench.see(10, 120)).toEqual(['exceeded']);
    expect(bench.see(34.9, 120)).toEqual([]);
    expect(bench.see(35, 120)).toEqual(['0 throttle']);
    expect(bench.see(54.9, 120)).toEqual([]);
    expect(bench.see(55, 120)).toEqual(['1 restart']);
    expect(bench.see(1000, 120)).toEqual([]);
    expect(bench.see(1001, 0)).toEqual(['cleared']);
  });

  test('a look that comes late takes one step, and the next waits from there', () => {
    const bench = new Bench(differs);
    bench.see(0, 120);
    expect(bench.see(3_600_000, 120)).toEqual(['exceeded', '0 throttle']);
    expect(bench.see(3_600_019, 120)).toEqual([]);
    expect(bench.see(3_600_020, 120)).toEqual(['1 restart']);
  });

  test('no step comes before the excess is said, even where it would count sooner', () => {
    const bench = new Bench({ spikeTolerance: 10, sustained: 0 });
    expect(bench.see(0, 120)).toEqual([]);
    expect(bench.see(10, 120)).toEqual(['exceeded', '0 log']);
  });
});

describe('a warning', () => {
  test('is given once, until the value is a tenth below its threshold', () => {
    const bench = new Bench({ warning: 0.8 });
    expect(bench.see(0, 79)).toEqual([]);
    expect(bench.see(1, 80)).toEqual(['warned']);
    expect(bench.see(2, 73)).toEqual([]);
    expect(bench.see(3, 85)).toEqual([]);
    expect(bench.see(4, 71)).toEqual([]);
    expect(bench.see(5, 85)).toEqual(['warned']);
  });

  test('is not given for a spike, nor for nothing where nothing is allowed', () => {
    const bench = new Bench({ warning: 0.8, spikeTolerance: 10 });
    expect(bench.see(0, 85)).toEqual([]);
    expect(bench.see(9, 79)).toEqual([]);
    expect(bench.see(10, 85)).toEqual([]);
    expect(bench.see(20, 85)).toEqual(['warned']);
    expect(new Bench({ warning: 0.8 }).see(0, 0, { limit: 0 })).toEqual([]);
  });

  test('stays as it is where only a hit is known', () => {
    const bench = new Bench({ warning: 0.8 });
    expect(bench.see(0, null, { hit: true })).toEqual(['exceeded', '0 log']);
    expect(bench.state).toMatchObject({ nearSince: null, warned: false });
  });
});

describe('a run after a step that ended the one before', () => {
  const response = limitResponse({
    sustained: 10,
    steps: [
      { policy: 'throttle', after: 0 },
      { policy: 'restart', after: 100 },
      { policy: 'immediate_kill', after: 60 },
    ],
  });

  /** Ends at 200 by the step `restart`. */
  function restarted(): ExcessState {
    const bench = new Bench(response);
    for (const now of [90, 100, 200]) bench.see(now, 120);
    expect(bench.state).toMatchObject({ steps: 2, stepAt: 200 });
    return followOn(bench.state, response);
  }

  test('goes on with the next step when the excess returns', () => {
    const bench = new Bench(response, restarted());
    expect(bench.see(210, 50)).toEqual([]);
    expect(bench.see(220, 120)).toEqual(['exceeded']);
    expect(bench.see(259, 120)).toEqual([]);
    expect(bench.see(260, 120)).toEqual(['2 immediate_kill']);
  });

  test('goes on also when a spike came in between', () => {
    const bench = new Bench({ ...response, spikeTolerance: 5 }, restarted());
    expect([bench.see(210, 120), bench.see(212, 50)]).toEqual([[], []]);
    bench.see(250, 120);
    expect(bench.see(260, 120)).toEqual(['exceeded', '2 immediate_kill']);
  });

  test('begins anew when that is long ago, or when the excess has ended once more', () => {
    const late = new Bench(response, restarted());
    expect(late.see(331, 120)).toEqual(['exceeded']);
    expect(late.see(341, 120)).toEqual(['0 throttle']);
    const free = new Bench(response, restarted());
    free.see(331, 10);
    expect(free.state).toEqual(noExcess);
    const cleared = new Bench(response, restarted());
    cleared.see(220, 120);
    expect(cleared.see(230, 10)).toEqual(['cleared']);
    cleared.see(231, 120);
    expect(cleared.see(241, 120)).toEqual(['0 throttle']);
  });

  test('repeats the last step, and an only one at its own time', () => {
    const ended: ExcessState = { ...noExcess, since: 0, exceeded: true, steps: 3, stepAt: 50 };
    expect(followOn(ended, response)).toEqual({ ...noExcess, steps: 2, stepAt: 50 });
    expect(followOn({ ...ended, steps: 1 }, limitResponse())).toBe(noExcess);
    expect(followOn(noExcess, limitResponse({ steps: [] }))).toBe(noExcess);
  });
});

describe('whatever is seen, and whenever', () => {
  const looks = fc.array(
    fc.record({
      // Mostly a steady rhythm; now and then nothing for days.
      wait: fc.oneof({ weight: 8, arbitrary: fc.nat(3000) }, { weight: 1, arbitrary: fc.nat(400_000_000) }),
      value: fc.option(fc.nat(150), { freq: 10 }),
      hit: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.boolean() }),
    }),
    { maxLength: 80 },
  );
  const span = fc.constantFrom(0, 1, 500, 1000, 5000, 60_000);
  const responses = fc
    .record({
      warning: fc.option(fc.constantFrom(0.5, 0.8, 1)),
      spikeTolerance: span,
      sustained: span,
      steps: fc.array(
        fc.record({
          policy: fc.constantFrom<LimitPolicy>('log', 'throttle', 'restart', 'none'),
          after: span,
        }),
        { minLength: 1, maxLength: 4 },
      ),
    })
    .filter(({ steps }) => steps.some(({ policy }) => policy !== 'none'))
    .map((differs) =>
      limitResponse({ ...differs, sustained: Math.max(differs.sustained, differs.spikeTolerance) }),
    );

  interface Said {
    readonly now: number;
    readonly look: Look;
    readonly verdict: LimitVerdict;
  }

  /** All verdicts in order, each with its moment. */
  function judgeAll(
    response: LimitResponse,
    seen: typeof looks extends fc.Arbitrary<infer T> ? T : never,
  ): Said[] {
    const said: Said[] = [];
    let state = noExcess;
    let now = 0;
    for (const { wait, value, hit } of seen) {
      now += wait;
      const look = { value, limit: LIMIT, hit, now };
      const judged = judgeUsage(state, response, look);
      state = judged.state;
      for (const verdict of judged.verdicts) said.push({ now, look, verdict });
    }
    return said;
  }

  test('steps come in order, each at most once per excess, at most one per look and never before their time', () => {
    fc.assert(
      fc.property(responses, looks, (response, seen) => {
        let next = 0;
        let exceededAt: number | null = null;
        let before: number | null = null;
        let last: Look | null = null;
        for (const { now, look, verdict } of judgeAll(response, seen)) {
          if (verdict.kind === 'exceeded') exceededAt = now;
          if (verdict.kind === 'cleared') {
            next = 0;
            exceededAt = null;
            before = null;
          }
          if (verdict.kind !== 'step') continue;
          expect(exceededAt).not.toBeNull();
          expect(verdict).toEqual({ kind: 'step', policy: response.steps[next]?.policy, index: next });
          if (before !== null) expect(now - before).toBeGreaterThanOrEqual(response.steps[next]?.after ?? 0);
          expect(look).not.toBe(last);
          last = look;
          next += 1;
          before = now;
        }
      }),
    );
  });

  test('the first step waits until the excess has lasted long enough without a break', () => {
    fc.assert(
      fc.property(responses, looks, (response, seen) => {
        const first = response.sustained + (response.steps[0]?.after ?? 0);
        const said = judgeAll(response, seen);
        let now = 0;
        let since: number | null = null;
        for (const { wait, value, hit } of seen) {
          now += wait;
          const known = value !== null || hit;
          const lasts: boolean = hit || (value ?? 0) > (since === null ? LIMIT : LIMIT * 0.9);
          if (known) since = lasts ? (since ?? now) : null;
          const here = said.filter((one) => one.now === now && one.verdict.kind === 'step');
          for (const { verdict } of here) {
            if (verdict.kind !== 'step' || verdict.index > 0) continue;
            expect(since).not.toBeNull();
            expect(now - (since ?? now)).toBeGreaterThanOrEqual(first);
          }
        }
      }),
    );
  });

  test('exceeded and cleared alternate', () => {
    fc.assert(
      fc.property(responses, looks, (response, seen) => {
        const kinds = judgeAll(response, seen)
          .map(({ verdict }) => verdict.kind)
          .filter((kind) => kind === 'exceeded' || kind === 'cleared');
        for (const [index, kind] of kinds.entries())
          expect(kind).toBe(index % 2 === 0 ? 'exceeded' : 'cleared');
      }),
    );
  });

  test('spikes shorter than the tolerance say nothing', () => {
    const spike = fc.record({
      rest: fc.integer({ min: 1, max: 10_000 }),
      length: fc.nat(999),
      high: fc.nat(1000),
    });
    fc.assert(
      fc.property(responses, fc.array(spike), (given, spikes) => {
        const response = { ...given, spikeTolerance: 1000, sustained: Math.max(given.sustained, 1000) };
        const seen = spikes.flatMap(({ rest, length, high }) => [
          { wait: rest, value: LIMIT + high, hit: false },
          { wait: length, value: LIMIT + high, hit: false },
          { wait: 0, value: 10, hit: false },
        ]);
        expect(judgeAll(response, seen)).toEqual([]);
      }),
    );
  });

  test('a warning comes only near the limit, and not again before the value was low', () => {
    fc.assert(
      fc.property(responses, looks, (response, seen) => {
        const threshold = LIMIT * (response.warning ?? Number.POSITIVE_INFINITY);
        let armed = true;
        let index = 0;
        const said = judgeAll(response, seen).filter(({ verdict }) => verdict.kind === 'warned');
        let now = 0;
        for (const { wait, value } of seen) {
          now += wait;
          if (value !== null && value < threshold * 0.9) armed = true;
          while (said[index]?.now === now && said[index]?.look.value === value) {
            expect(armed).toBe(true);
            expect(value).toBeGreaterThanOrEqual(threshold);
            armed = false;
            index += 1;
          }
        }
        expect(index).toBe(said.length);
      }),
    );
  });
});
