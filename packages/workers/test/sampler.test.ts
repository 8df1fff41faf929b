import type { Host, HostRun, TreeUsage, UsageDetail } from '@hsu-master/core';
import { FakeClock } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { Sampler } from '../src/limits/sampler.ts';
import { treeUsage } from './usage.ts';

const PLAIN: UsageDetail = {
  pss: false,
  connections: false,
  pressure: false,
  descriptors: false,
  peak: false,
};

type Look = { readonly at: number; readonly runs: readonly string[]; readonly detail: UsageDetail };

/** A sampler over a host that notes what it is asked for. Runs are told apart by their names. */
function stage() {
  const clock = new FakeClock();
  const looks: Look[] = [];
  const defects: unknown[] = [];
  let fails = false;
  const host = {
    sample(runs: readonly HostRun[], detail: UsageDetail) {
      looks.push({ at: clock.now(), runs: runs as unknown as string[], detail });
      if (fails) throw new Error('no table of processes');
      return runs.map(() => treeUsage({ at: clock.now() }));
    },
  } as unknown as Host;
  const sampler = new Sampler({ host, clock, defect: (error) => defects.push(error) });
  const add = (
    name: string,
    interval: number,
    take: (usage: TreeUsage | null) => void = () => {},
    detail = PLAIN,
  ) => sampler.add({ run: name as unknown as HostRun, interval, detail, take });
  const breakIt = (broken: boolean): void => {
    fails = broken;
  };
  return { clock, looks, defects, add, breakHost: breakIt };
}

describe('one timer', () => {
  test('is not there where nobody asks, and goes with the last who did', () => {
    const scene = stage();
    expect(scene.clock.pending).toBe(0);
    const ends = ['a', 'b', 'c'].map((name, index) => scene.add(name, 1000 * (index + 1)));
    expect(scene.clock.pending).toBe(1);
    for (const end of ends) end();
    expect(scene.clock.pending).toBe(0);
    scene.clock.advance(60_000);
    expect(scene.looks).toEqual([]);
  });

  test('serves a thousand runs of one interval with one call a tick', () => {
    const scene = stage();
    for (let number = 0; number < 1000; number += 1) scene.add(`w${number}`, 1000);
    scene.clock.advance(10_000);
    expect(scene.looks.map(({ at, runs }) => [at, runs.length])).toEqual(
      Array.from({ length: 10 }, (_unused, index) => [1000 * (index + 1), 1000]),
    );
  });
});

describe('ticks', () => {
  test('of different intervals fall together where they can', () => {
    const scene = stage();
    scene.clock.advance(130);
    scene.add('slow', 5000);
    scene.clock.advance(370);
    scene.add('fast', 1000);
    scene.clock.advance(10_000);
    const together = scene.looks.filter(({ runs }) => runs.length === 2).map(({ at }) => at);
    expect(together).toEqual([5000, 10_000]);
    expect(scene.looks).toHaveLength(10);
  });

  test('that come late are taken once and not made up for', () => {
    const scene = stage();
    let blocked = false;
    scene.add('a', 1000, () => {
      if (blocked) return;
      blocked = true;
      scene.clock.advance(5500);
    });
    scene.clock.advance(8000);
    expect(scene.looks.map(({ at }) => at)).toEqual([1000, 6500, 7000, 8000]);
  });
});

describe('a sample', () => {
  test('costs more only for those who need more', () => {
    const scene = stage();
    const detail = { ...PLAIN, connections: true };
    scene.add('plain', 1000);
    scene.add('server', 1000, undefined, detail);
    scene.add('other', 1000);
    scene.clock.advance(1000);
    expect(scene.looks).toEqual([
      { at: 1000, runs: ['plain', 'other'], detail: PLAIN },
      { at: 1000, runs: ['server'], detail },
    ]);
  });

  test('is not given to one that ended meanwhile', () => {
    const scene = stage();
    const heard: string[] = [];
    scene.add('first', 1000, () => {
      heard.push('first');
      endSecond();
    });
    const endSecond = scene.add('second', 1000, () => heard.push('second'));
    scene.clock.advance(2000);
    expect(heard).toEqual(['first', 'first']);
  });

  test('may make its taker end itself and another begin', () => {
    const scene = stage();
    const heard: string[] = [];
    const end = scene.add('old', 1000, () => {
      heard.push('old');
      end();
      scene.add('new', 1000, () => heard.push('new'));
    });
    scene.clock.advance(3000);
    expect(heard).toEqual(['old', 'new', 'new']);
  });

  test('that its taker cannot bear, and one that fails, end nothing', () => {
    const scene = stage();
    let heard = 0;
    scene.add('bad', 1000, () => {
      throw new Error('taker');
    });
    scene.add('good', 1000, () => {
      heard += 1;
    });
    scene.clock.advance(1000);
    scene.breakHost(true);
    scene.clock.advance(1000);
    scene.breakHost(false);
    scene.clock.advance(1000);
    expect(heard).toBe(2);
    expect(scene.defects.map(String)).toEqual([
      'Error: taker',
      'Error: no table of processes',
      'Error: taker',
    ]);
  });
});
