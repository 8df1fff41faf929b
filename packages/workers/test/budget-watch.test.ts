import type { EventDraft, HostBudget, QuotaSpec, RunContext, TreeUsage } from '@hsu-master/core';
import { FakeClock, limitResponse, limitsSpec } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { BudgetWatch } from '../src/limits/budget-watch.ts';
import { treeUsage as usage } from './usage.ts';

const quota: QuotaSpec = {
  kind: 'group',
  id: 'team',
  limits: limitsSpec({ values: { 'process.max_processes': 20 } }, limitResponse({ steps: [] })),
};
const NAME = { kind: 'group', id: 'team' };

/** A budget of which a test says what is used. */
function scene() {
  const clock = new FakeClock();
  const said: { readonly of: string; readonly event: EventDraft }[] = [];
  const defects: unknown[] = [];
  const watch = new BudgetWatch(clock, (error) => defects.push(error));
  const uses = { threads: 0, refused: 0, fails: false };
  const budget: HostBudget = {
    quota,
    usage: (): TreeUsage => {
      if (uses.fails) throw new Error('no such file');
      const { threads, refused } = uses;
      return usage({ at: clock.now(), threads, hits: { memory: 0, processes: refused, cpu: 0 } });
    },
  };
  const begin = (of: string, threads: number): (() => void) => {
    const tree = { budgets: () => [budget], threads };
    const host = {
      sample: (runs: readonly { threads: number }[]) => runs.map((run) => usage({ threads: run.threads })),
    };
    const context = { tree, host, publish: (event: EventDraft) => said.push({ of, event }) };
    return watch.begin(context as unknown as RunContext);
  };
  return { clock, said, defects, uses, begin };
}

describe('a budget that is used up', () => {
  test('is told once, of who uses the most, and when it is not any more', () => {
    const { clock, said, uses, begin } = scene();
    begin('small', 3);
    begin('large', 16);
    Object.assign(uses, { threads: 20, refused: 5 });
    clock.advance(1000);
    expect(said).toEqual([
      {
        of: 'large',
        event: {
          type: 'limit.exceeded',
          payload: {
            limit: 'process.max_processes',
            value: 20,
            allowed: 20,
            quota: NAME,
            reason: 'processes and threads 20 of 20, held back by the kernel',
          },
        },
      },
    ]);
    uses.refused = 9;
    clock.advance(1000);
    expect(said).toHaveLength(1);
    uses.threads = 4;
    clock.advance(1000);
    expect(said[1]?.event).toMatchObject({ type: 'limit.cleared', payload: { value: 4, quota: NAME } });
  });

  test('before the first of its runs began is no news', () => {
    const { clock, said, uses, begin } = scene();
    uses.refused = 7;
    begin('one', 1);
    clock.advance(5000);
    expect(said).toEqual([]);
  });

  test('is looked at while somebody shares it, and not after', () => {
    const { clock, said, uses, begin } = scene();
    const ends = [begin('a', 1), begin('b', 1)];
    expect(clock.pending).toBe(1);
    ends[0]?.();
    Object.assign(uses, { threads: 20, refused: 1 });
    clock.advance(1000);
    expect(said.map(({ of }) => of)).toEqual(['b']);
    ends[1]?.();
    expect(clock.pending).toBe(0);
  });

  test('goes on to be looked at when one look failed', () => {
    const { clock, said, defects, uses, begin } = scene();
    begin('a', 1);
    uses.fails = true;
    clock.advance(1000);
    Object.assign(uses, { fails: false, threads: 20, refused: 1 });
    clock.advance(1000);
    expect([defects.length, said.length]).toEqual([1, 1]);
  });
});
