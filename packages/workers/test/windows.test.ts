import { LIMIT_NAMES } from '@hsu-master/core';
import { FakeClock, limitsSpec } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { Asker, ladderWithin } from '../src/host/windows/ask.ts';
import { planJob, windowsSupport } from '../src/host/windows/limits.ts';

describe('limits of a job', () => {
  const means = { isWine: false, processors: 4, mayRaisePriority: () => true };

  test('what only Windows holds reaches the job', () => {
    const values = { 'memory.max_working_set': 64 * 2 ** 20, 'process.no_desktop': 1 };
    const plan = planJob(limitsSpec({ values }), means);
    expect(plan.job).toEqual({ workingSet: [200 * 1024, 64 * 2 ** 20] });
    expect(plan.desktop).toBe(0xff);
    expect(plan.reports).toMatchObject([
      { limit: 'memory.max_working_set', status: 'enforced', mechanism: 'job WorkingSet' },
      { limit: 'process.no_desktop', status: 'enforced', mechanism: 'job UIRestrictions' },
    ]);
  });

  test('under Wine, which keeps none, they are told as what they are', () => {
    const values = { 'memory.max_working_set': 2 ** 20, 'process.no_desktop': 1 };
    const { reports } = planJob(limitsSpec({ values }), { ...means, isWine: true });
    expect(reports.map(({ status }) => status)).toEqual(['watched', 'impossible']);
  });

  test.each(LIMIT_NAMES)('what becomes of %s can be told without a machine', (limit) => {
    const { status, mechanism, note } = windowsSupport(limit);
    expect(status === 'impossible').toBe(mechanism === '');
    if (status !== 'enforced') expect(note).not.toBe('');
  });
});

const noRelay = (): never => {
  throw new Error('there is no relay');
};

describe('the ladder', () => {
  /** What is asked of two processes, and when; there is no relay, so console events become windows that are closed. */
  async function asked(...graces: readonly (number | null)[]) {
    const clock = new FakeClock();
    const heard: (readonly [number, readonly number[]])[] = [];
    const windows = {
      closeWindows: (pids: readonly number[]) => heard.push([clock.now(), pids]),
      features: { isWine: false, isElevated: false, processors: 1 },
      mayEnd: () => true,
      terminate: () => null,
      relay: null,
    };
    const engine = { spawn: noRelay, release: () => null };
    const asker = new Asker(windows, engine, clock);
    graces.forEach((grace, at) => asker.ask({ pid: at + 1, startedAt: '1' }, 15, grace));
    await Promise.resolve();
    clock.advance(60_000);
    return heard;
  }

  test('half of its own grace is for Ctrl-C, a quarter for Ctrl-Break, a quarter for its windows', () => {
    expect(ladderWithin(2000)).toEqual({ ctrlBreak: 1000, closeWindows: 1500 });
    expect(ladderWithin(600_000)).toEqual({ ctrlBreak: 300_000, closeWindows: 450_000 });
  });

  test('who may take long is not asked more rudely when who may not is', async () => {
    expect(await asked(2000, 40_000, 2000)).toEqual([
      [0, [1, 2, 3]],
      [1000, [1, 3]],
      [1500, [1, 3]],
      [20_000, [2]],
      [30_000, [2]],
    ]);
  });

  test('of whom nobody knows how long it may take has as long as others have', async () => {
    expect((await asked(null)).map(([at]) => at)).toEqual([0, 10_000, 15_000]);
  });
});
