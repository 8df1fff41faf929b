import { describe, expect, test } from 'vitest';
import { Bench, heard, probe } from './support/bench.ts';

const alive = { type: 'process' } as const;
const helper = { type: 'exec', argv: ['/bin/check', '-q'] } as const;

describe('a worker without probes', () => {
  test('has no timers, and its hook ends without effect', () => {
    const bench = new Bench({}).begin();
    expect(bench.clock.pending).toBe(0);
    bench.end();
    expect(bench.told).toEqual([]);
  });

  test('shares one end function with all others', () => {
    expect(new Bench({}).begin().end).toBe(new Bench({}).begin().end);
  });
});

describe('readiness', () => {
  test('E7: failing for an hour tells unready once and asks for no restart', () => {
    const bench = new Bench({ readiness: probe(alive) }).begin();
    bench.clock.advance(0);
    bench.alive = false;
    bench.clock.advance(3_600_000);
    expect(bench.told).toEqual([
      { kind: 'became-ready' },
      { kind: 'became-unready', reason: 'process 4711 is gone' },
    ]);
    bench.alive = true;
    bench.clock.advance(1000);
    expect(bench.told.at(-1)).toEqual({ kind: 'became-ready' });
    expect(bench.published.map((event) => event.type)).toEqual(Array(3).fill('health.changed'));
  });

  test('takes as many answers in a row as its thresholds say', () => {
    const bench = new Bench({
      readiness: probe(alive, { successThreshold: 3, failureThreshold: 2 }),
    }).begin();
    bench.clock.advance(1999);
    expect(bench.told).toEqual([]);
    bench.clock.advance(1);
    expect(bench.told).toEqual([{ kind: 'became-ready' }]);
    bench.alive = false;
    bench.clock.advance(1000);
    expect(bench.told).toHaveLength(1);
    bench.clock.advance(1000);
    expect(bench.told).toHaveLength(2);
  });
});

describe('liveness', () => {
  test('E8: N failures tell unhealthy once, and again only after a recovery', () => {
    const bench = new Bench({ liveness: probe(alive, { failureThreshold: 3 }) }).begin();
    bench.alive = false;
    bench.clock.advance(1999);
    expect(bench.told).toEqual([]);
    bench.clock.advance(1);
    expect(bench.told).toEqual([
      { kind: 'became-unhealthy', probe: 'liveness', reason: 'process 4711 is gone' },
    ]);
    bench.clock.advance(60_000);
    expect(bench.told).toHaveLength(1);
    bench.alive = true;
    bench.clock.advance(1000);
    bench.alive = false;
    bench.clock.advance(3000);
    expect(bench.told).toHaveLength(2);
  });

  test('E8: a verdict that is bad at the end of the startup grace is told then', () => {
    const bench = new Bench({ liveness: probe(alive) }, { grace: 10_500 }).begin();
    bench.alive = false;
    bench.clock.advance(10_499);
    expect(bench.published).toHaveLength(1);
    expect(bench.told).toEqual([]);
    bench.clock.advance(1);
    expect(bench.told).toHaveLength(1);
  });

  test('E8: a verdict that recovered within the startup grace is not told', () => {
    const bench = new Bench({ liveness: probe(alive) }, { grace: 10_500 }).begin();
    bench.alive = false;
    bench.clock.advance(5000);
    bench.alive = true;
    bench.clock.advance(60_000);
    expect(bench.told).toEqual([]);
  });

  test('that asks what readiness asks makes one check for both', () => {
    const both = probe(alive, { failureThreshold: 2 });
    const bench = new Bench({ liveness: both, readiness: { ...both, failureThreshold: 1 } }).begin();
    bench.clock.advance(0);
    expect(bench.aliveAsked).toBe(1);
    bench.alive = false;
    bench.clock.advance(2000);
    expect(bench.aliveAsked).toBe(3);
    expect(bench.told.map((fact) => fact.kind)).toEqual([
      'became-ready',
      'became-unready',
      'became-unhealthy',
    ]);
  });
});

describe('startup', () => {
  test('that has passed under an earlier master is not asked again: the others begin at once', () => {
    const bench = new Bench({ startup: probe(helper), liveness: probe(alive) });
    bench.startedUp = true;
    bench.begin();
    bench.clock.advance(5000);
    expect([bench.helpers.length, bench.aliveAsked > 0]).toEqual([0, true]);
  });

  test('E8: gates liveness and readiness until it has passed, and is over then', async () => {
    const bench = new Bench({
      startup: probe(helper, { failureThreshold: 10 }),
      liveness: probe(alive),
      readiness: probe(alive, { interval: 2000 }),
    }).begin();
    bench.clock.advance(0);
    bench.helpers[0]?.exit(1, 'warming up\n');
    await heard();
    expect(bench.aliveAsked).toBe(0);
    bench.clock.advance(1000);
    bench.helpers[1]?.exit(0);
    await heard();
    expect(bench.told).toEqual([]);
    bench.clock.advance(0);
    expect(bench.aliveAsked).toBe(2);
    expect(bench.told).toEqual([{ kind: 'became-ready' }]);
    bench.clock.advance(10_000);
    expect(bench.helpers).toHaveLength(2);
  });

  test('without a readiness probe means ready when it passes', () => {
    const bench = new Bench({
      startup: probe(alive),
      liveness: probe(alive, { initialDelay: 5000 }),
    }).begin();
    bench.clock.advance(0);
    expect(bench.told).toEqual([{ kind: 'became-ready' }]);
    expect(bench.aliveAsked).toBe(1);
    bench.clock.advance(5000);
    expect(bench.aliveAsked).toBe(2);
  });

  test('failing past its threshold tells unhealthy, and the others never run', () => {
    const bench = new Bench({
      startup: probe(alive, { failureThreshold: 3 }),
      liveness: probe(helper),
    }).begin();
    bench.alive = false;
    bench.clock.advance(60_000);
    expect(bench.told).toEqual([
      { kind: 'became-unhealthy', probe: 'startup', reason: 'process 4711 is gone' },
    ]);
    expect(bench.helpers).toHaveLength(0);
  });
});

describe('rhythm', () => {
  test('the first check waits for the initial delay, the next ones come from start to start', async () => {
    const bench = new Bench({ liveness: probe(helper, { initialDelay: 700 }) }).begin();
    bench.clock.advance(699);
    expect(bench.helpers).toHaveLength(0);
    bench.clock.advance(1);
    expect(bench.helpers).toHaveLength(1);
    bench.clock.advance(400);
    bench.helpers[0]?.exit(0);
    await heard();
    bench.clock.advance(599);
    expect(bench.helpers).toHaveLength(1);
    bench.clock.advance(1);
    expect(bench.helpers).toHaveLength(2);
  });

  test('E2: a check that is slower than its interval delays the next; never two at once', async () => {
    const bench = new Bench({ liveness: probe(helper) }).begin();
    bench.clock.advance(5500);
    expect(bench.helpers).toHaveLength(1);
    bench.helpers[0]?.exit(0);
    await heard();
    bench.clock.advance(0);
    expect(bench.helpers).toHaveLength(2);
  });
});

describe('the end of the run', () => {
  test('E11: no check begins, nothing is told, no timer is left', () => {
    const bench = new Bench({ liveness: probe(alive), readiness: probe(helper) }, { grace: 5000 }).begin();
    bench.alive = false;
    bench.clock.advance(2000);
    const asked = bench.aliveAsked;
    bench.end();
    expect(bench.clock.pending).toBe(0);
    bench.clock.advance(60_000);
    expect(bench.aliveAsked).toBe(asked);
    expect(bench.told).toEqual([]);
  });

  test('E3: a helper under way is cancelled and its late answer dropped', async () => {
    const bench = new Bench({ liveness: probe(helper) }).begin();
    bench.clock.advance(0);
    bench.end();
    expect(bench.helpers[0]?.cancelled).toBe(true);
    bench.helpers[0]?.exit(1);
    await heard();
    expect(bench.told).toEqual([]);
    expect(bench.published).toEqual([]);
  });

  test('caused by what one verdict tells keeps the next one from being told', () => {
    const both = probe(alive);
    const bench = new Bench({ liveness: both, readiness: both }).begin();
    bench.alive = false;
    bench.onTell = () => bench.end();
    bench.clock.advance(10_000);
    expect(bench.told.map((fact) => fact.kind)).toEqual(['became-unready']);
    expect(bench.clock.pending).toBe(0);
  });
});
