import { describe, expect, test } from 'vitest';
import { throttleShare } from '../src/limits/share.ts';
import type { LimitPolicy, LimitReport } from '../src/limits/spec.ts';
import { type ExcessState, judgeUsage, noExcess } from '../src/limits/violation.ts';
import { limitResponse, limitsSpec, Rig } from './rig.ts';

/** A limit of 100; what throttling leaves of it is 20. */
function bench(...steps: readonly (readonly [LimitPolicy, number])[]) {
  const response = limitResponse({
    sustained: 2000,
    steps: steps.map(([policy, after]) => ({ policy, after })),
  });
  let state: ExcessState = noExcess;
  return (now: number, value: number): readonly string[] => {
    const judged = judgeUsage(state, response, { value, limit: 100, hit: false, pressing: value >= 16, now });
    state = judged.state;
    return judged.verdicts.map((one) => (one.kind === 'step' ? one.policy : one.kind));
  };
}

/** A tree that would always use 400, looked at each second for so long: what was said, with the second. */
function demanding(see: ReturnType<typeof bench>, seconds: number): readonly string[] {
  const said: string[] = [];
  let isThrottled = false;
  for (let second = 0; second <= seconds; second += 1) {
    for (const one of see(second * 1000, isThrottled ? 20 : 400)) {
      said.push(`${second} ${one}`);
      isThrottled = one === 'throttle';
    }
  }
  return said;
}

describe('an excess that throttling lowers', () => {
  test('goes on to the next step while the tree presses against what is left to it', () => {
    const see = bench(['log', 0], ['throttle', 5000], ['restart', 60_000]);
    expect(demanding(see, 100)).toEqual(['0 exceeded', '2 log', '7 throttle', '67 restart']);
  });

  test('has ended when the tree needs less than is left to it', () => {
    const see = bench(['throttle', 0], ['restart', 60_000]);
    for (const now of [0, 1000, 2000]) see(now, 400);
    expect(see(3000, 20)).toEqual([]);
    expect(see(4000, 15)).toEqual(['cleared']);
    expect(see(5000, 400)).toEqual(['exceeded']);
  });

  test('is looked at now and then where no step follows, ever more seldom', () => {
    const said = demanding(bench(['throttle', 0]), 700);
    const at = (what: string) =>
      said.filter((one) => one.endsWith(what)).map((one) => Number.parseInt(one, 10));
    const held = at('cleared').map((end, index) => end - (at('throttle')[index] ?? 0));
    expect(held.slice(0, 5)).toEqual([10, 20, 40, 80, 160]);
  });

  test('is held as briefly as at first when it returns only long after', () => {
    const see = bench(['throttle', 0]);
    for (const now of [0, 2000]) see(now, 400);
    expect(see(12_000, 20)).toEqual(['cleared']);
    for (const now of [700_000, 702_000]) see(now, 400);
    expect([see(711_000, 20), see(712_000, 20)]).toEqual([[], ['cleared']]);
  });

  test('of what is no rate ends when the value is low', () => {
    const response = limitResponse({ steps: [{ policy: 'throttle', after: 0 }] });
    const look = { limit: 100, hit: false } as const;
    const { state } = judgeUsage(noExcess, response, { ...look, value: 120, now: 0 });
    expect(judgeUsage(state, response, { ...look, value: 20, now: 1 }).verdicts).toEqual([
      { kind: 'cleared' },
    ]);
  });
});

describe('what throttling leaves', () => {
  const given = limitsSpec(
    { 'cpu.max_percent': 50, 'cpu.max_cores': 0.4, 'memory.max_rss': 100 },
    'throttle',
  );
  const unwritten = { ...given, throttlePercent: null };
  const report = (status: LimitReport['status']): LimitReport => ({
    limit: 'cpu.max_percent',
    status,
    mechanism: '',
    reason: '',
  });

  test('is what is written; else the limit of CPU that nobody else enforces; else 20 %', () => {
    expect(throttleShare({ ...given, throttlePercent: 7 }, 'cpu.max_percent', [])).toBe(7);
    expect(throttleShare(unwritten, 'cpu.max_percent', [report('watched')])).toBe(50);
    expect(throttleShare(unwritten, 'cpu.max_cores', [report('enforced')])).toBe(40);
    expect(throttleShare(unwritten, 'cpu.max_percent', [report('enforced')])).toBe(20);
    expect(throttleShare(unwritten, 'memory.max_rss', [])).toBe(20);
    expect(throttleShare({ ...unwritten, values: {} }, 'cpu.max_percent', [])).toBe(20);
  });

  test('is the least for several limits, and more again when one of them goes', () => {
    const rig = new Rig({ limits: unwritten }).run();
    const exceeds = (limit: 'cpu.max_percent' | 'memory.max_rss') =>
      rig.tell({ kind: 'limit-exceeded', limit, policy: 'throttle', reason: 'x' });
    expect(exceeds('cpu.max_percent').done).toEqual(['throttle 50']);
    expect(exceeds('memory.max_rss').done).toEqual(['throttle 20']);
    expect(rig.tell({ kind: 'limit-cleared', limit: 'memory.max_rss' }).done).toEqual(['throttle 50']);
    expect(rig.tell({ kind: 'limit-cleared', limit: 'cpu.max_percent' }).done).toEqual(['throttle null']);
  });

  test('is nothing that could be told of a worker without limits', () => {
    const rig = new Rig().run();
    rig
      .tell({ kind: 'limit-exceeded', limit: 'memory.max_rss', policy: 'throttle', reason: 'x' })
      .expectNothing();
  });
});
