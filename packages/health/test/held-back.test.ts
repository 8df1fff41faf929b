import { describe, expect, test } from 'vitest';
import { Bench, heard, probe } from './support/bench.ts';

const alive = { type: 'process' } as const;
const helper = { type: 'exec', argv: ['/bin/check'] } as const;

describe('while the tree is held back', () => {
  test('no check begins, and nothing is told however long it lasts', () => {
    const bench = new Bench({ liveness: probe(alive) }).begin();
    bench.clock.advance(0);
    expect(bench.aliveAsked).toBe(1);
    bench.holdBack();
    bench.alive = false;
    bench.clock.advance(3_600_000);
    expect([bench.aliveAsked, bench.told]).toEqual([1, []]);
  });

  test('no helper is started', () => {
    const bench = new Bench({ startup: probe(helper) }).begin();
    bench.holdBack();
    bench.clock.advance(10_000);
    expect(bench.helpers).toEqual([]);
    bench.end();
    expect(bench.clock.pending).toBe(0);
  });

  test('checks go on in their rhythm once it is let go', () => {
    const bench = new Bench({ liveness: probe(alive) }).begin();
    bench.clock.advance(0);
    bench.holdBack();
    bench.clock.advance(5500);
    bench.letGo();
    bench.alive = false;
    bench.clock.advance(499);
    expect(bench.told).toEqual([]);
    bench.clock.advance(1);
    expect(bench.told).toEqual([
      { kind: 'became-unhealthy', probe: 'liveness', reason: 'process 4711 is gone' },
    ]);
  });

  test('failures before and after it count together', () => {
    const bench = new Bench({ liveness: probe(alive, { failureThreshold: 2 }) }).begin();
    bench.alive = false;
    bench.clock.advance(0);
    bench.holdBack();
    bench.clock.advance(10_500);
    bench.letGo();
    bench.clock.advance(500);
    expect(bench.told).toHaveLength(1);
  });
});

describe('the answer to a check that overlapped with being held back is not heard', () => {
  async function checkDuring(code: number, meanwhile: (bench: Bench) => void): Promise<Bench> {
    const bench = new Bench({ readiness: probe(helper) }).begin();
    bench.clock.advance(0);
    meanwhile(bench);
    bench.clock.advance(100);
    bench.helpers[0]?.exit(code);
    await heard();
    return bench;
  }

  test.each([
    [0, 'success'],
    [1, 'failure'],
  ])('held back since and still: exit %i is no %s', async (code) => {
    const bench = await checkDuring(code, (one) => one.holdBack());
    expect([bench.told, bench.published]).toEqual([[], []]);
  });

  test.each([
    [0, 'success'],
    [1, 'failure'],
  ])('held back in between: exit %i is no %s', async (code) => {
    const bench = await checkDuring(code, (one) => {
      one.clock.advance(100);
      one.holdBack();
      one.clock.advance(100);
      one.letGo();
    });
    expect([bench.told, bench.published]).toEqual([[], []]);
    bench.clock.advance(1000);
    bench.helpers[1]?.exit(0);
    await heard();
    expect(bench.told).toEqual([{ kind: 'became-ready' }]);
  });

  test('let go before it began: it is heard', async () => {
    const bench = new Bench({ readiness: probe(helper, { initialDelay: 1000 }) }).begin();
    bench.holdBack();
    bench.clock.advance(500);
    bench.letGo();
    bench.clock.advance(500);
    bench.helpers[0]?.exit(0);
    await heard();
    expect(bench.told).toEqual([{ kind: 'became-ready' }]);
  });
});
