import type { TreeUsage } from '@hsu-master/core';
import { FakeClock } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { Series } from '../src/limits/series.ts';
import { UsageHistory } from '../src/limits/usage-history.ts';
import { treeUsage } from './usage.ts';

const DAY = 24 * 3_600_000;

/** The history of `web`, with a sample each `interval`; `usage` may differ from sample to sample. */
function stage(interval: number, retention: number) {
  const clock = new FakeClock();
  const history = new UsageHistory(clock);
  const monitoring = { enabled: true, interval, retention };
  const record = (usage: Partial<TreeUsage> = {}, run = 1): void => {
    history.record('web', run, monitoring, treeUsage({ at: clock.now(), ...usage }));
  };
  const samples = (count: number, usage: (index: number) => Partial<TreeUsage> = () => ({})): void => {
    for (let index = 0; index < count; index += 1) {
      clock.advance(interval);
      record(usage(index));
    }
  };
  return { clock, history, record, samples, points: (since?: number) => history.points('web', since) };
}

describe('points', () => {
  test('say what was used when, in the time of the wall', () => {
    const scene = stage(1000, 60_000);
    const begin = scene.clock.wallNow();
    scene.record({ rss: 1000, cpuTime: 10, readBytes: 0, writtenBytes: 5 });
    scene.clock.advance(2000);
    scene.record({ rss: 3000, cpuTime: 1010, readBytes: 4000, writtenBytes: 5, descriptors: 7 });
    expect(scene.points()).toMatchObject([
      { at: begin, rss: 1000, cpuPercent: null, readPerSecond: null, descriptors: null },
      {
        at: begin + 2000,
        rss: 3000,
        cpuPercent: 50,
        readPerSecond: 2000,
        writtenPerSecond: 0,
        descriptors: 7,
      },
    ]);
    expect(scene.points(begin + 1)).toHaveLength(1);
    expect(scene.points(begin + 2001)).toEqual([]);
  });

  test('keep their time from one question to the next, until the clock of the wall is set', () => {
    const scene = stage(1000, 60_000);
    scene.record();
    const at = scene.points()[0]?.at ?? 0;
    scene.clock.stepWall(1);
    expect(scene.points()[0]?.at).toBe(at);
    scene.clock.stepWall(3_600_000);
    expect(scene.points()[0]?.at).toBe(at + 3_600_001);
  });

  test('are kept over restarts; what a run used does not count against the next', () => {
    const scene = stage(1000, 60_000);
    scene.record({ cpuTime: 9000 }, 1);
    scene.clock.advance(1000);
    scene.record({ cpuTime: 0 }, 2);
    scene.clock.advance(1000);
    scene.record({ cpuTime: 250 }, 2);
    expect(scene.points().map(({ cpuPercent }) => cpuPercent)).toEqual([null, null, 25]);
    expect(scene.history.latest('web')).toMatchObject({ run: 2, cpuPercent: 25, at: scene.clock.wallNow() });
  });

  test('are gone after the retention, also where no sample comes any more', () => {
    const scene = stage(1000, 10_000);
    scene.samples(100);
    expect(scene.points()).toHaveLength(11);
    scene.clock.advance(5000);
    expect(scene.points()).toHaveLength(6);
    scene.clock.advance(DAY);
    expect(scene.points()).toEqual([]);
  });

  test('of nobody are none', () => {
    const scene = stage(1000, 1000);
    expect([scene.points(), scene.history.latest('web'), scene.history.bytes('web')]).toEqual([[], null, 0]);
  });
});

describe('a long retention', () => {
  test('is kept in full in few points, the newest as sampled', () => {
    const scene = stage(10_000, DAY);
    scene.samples(3 * 8640, (index) => ({ rss: index }));
    const points = scene.points();
    const now = scene.clock.wallNow();
    expect(points.length).toBeLessThanOrEqual(420);
    const oldest = points[0];
    expect(now - (oldest?.at ?? now)).toBeGreaterThan(DAY - 3 * 360_000);
    const fine = points.slice(-180);
    expect(fine.map(({ at }) => now - at)).toEqual(
      Array.from({ length: 180 }, (_unused, i) => (179 - i) * 10_000),
    );
    expect(fine.at(-1)?.rss).toBe(3 * 8640 - 1);
    const gaps = points.slice(1).map(({ at }, index) => at - (points[index]?.at ?? at));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(370_000);
    expect(Math.min(...gaps)).toBeGreaterThan(0);
  });

  test('keeps the largest of amounts and the mean of rates', () => {
    const scene = stage(10_000, DAY);
    let cpuTime = 0;
    scene.samples(8640, (index) => {
      cpuTime += index % 2 === 0 ? 0 : 10_000;
      return { rss: index % 36 === 20 ? 777 : 1, cpuTime };
    });
    const coarse = scene.points().slice(1, 200);
    expect(new Set(coarse.map(({ rss }) => rss))).toEqual(new Set([777]));
    for (const { cpuPercent } of coarse) expect(Math.abs((cpuPercent ?? 0) - 50)).toBeLessThan(3);
  });

  test('takes no more memory than it says, whatever is configured', () => {
    const all = { memory: 1, swap: 1, readBytes: 1, writtenBytes: 1, descriptors: 1, connections: 1 };
    for (const [interval, retention] of [
      [10_000, DAY],
      [100, DAY],
      [1000, 419_000],
      [100, 365 * DAY],
    ] as const) {
      const scene = stage(interval, retention);
      scene.samples(5000, (index) => ({ ...all, cpuTime: index }));
      expect(scene.history.bytes('web')).toBeLessThanOrEqual(20_160);
    }
  });

  test('takes little at first, and nothing for what is never known', () => {
    const scene = stage(10_000, DAY);
    scene.samples(10);
    expect(scene.history.bytes('web')).toBeLessThan(16 * 40);
  });
});

test('an interval that changes keeps what there is', () => {
  const scene = stage(1000, 60_000);
  scene.samples(10, (index) => ({ rss: index, cpuTime: index * 100 }));
  scene.clock.advance(5000);
  const monitoring = { enabled: true, interval: 5000, retention: 60_000 };
  scene.history.record('web', 1, monitoring, treeUsage({ at: scene.clock.now(), rss: 99, cpuTime: 1400 }));
  expect(scene.points().map(({ rss }) => rss)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99]);
  expect(scene.points().at(-1)?.cpuPercent).toBe(10);
});

describe('a look that is not recorded', () => {
  test('is seen together with the newest sample', () => {
    const scene = stage(1000, 60_000);
    scene.record({ cpuTime: 100 });
    const look = (cpuTime: number) =>
      scene.history.asOf('web', 1, treeUsage({ at: scene.clock.now(), cpuTime })).cpuPercent;
    scene.clock.advance(500);
    expect(look(200)).toBe(20);
    expect(scene.points()).toHaveLength(1);
  });

  test('is seen together with the look before where nothing is recorded', () => {
    const scene = stage(1000, 60_000);
    const look = (cpuTime: number, run = 1) =>
      scene.history.asOf('web', run, treeUsage({ at: scene.clock.now(), cpuTime })).cpuPercent;
    expect(look(100)).toBeNull();
    scene.clock.advance(1000);
    expect(look(600)).toBe(50);
    scene.clock.advance(10);
    expect(look(610)).toBe(50);
    scene.clock.advance(990);
    expect(look(700)).toBe(10);
    scene.clock.advance(1000);
    expect(look(10, 2)).toBeNull();
  });
});

test('a series keeps order and gaps through growth and turning over', () => {
  const series = new Series(50, 2);
  for (let at = 0; at < 137; at += 1) {
    series.push(at, [at % 3 === 0 ? null : at, at < 100 ? null : at]);
    if (at === 20) series.dropBefore(7);
    const rows = [...series.rows(Number.NEGATIVE_INFINITY)];
    const first = Math.max(at - 49, at >= 20 ? 7 : 0);
    expect(rows.map((one) => one.at)).toEqual(
      Array.from({ length: at - first + 1 }, (_unused, i) => first + i),
    );
    for (const one of rows)
      expect(one.row).toEqual([one.at % 3 === 0 ? null : one.at, one.at < 100 ? null : one.at]);
  }
});
