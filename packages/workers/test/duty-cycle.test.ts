import { FakeClock } from '@hsu-master/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CpuMeter } from '../src/host/cpu-meter.ts';
import { DutyCycle } from '../src/host/duty-cycle.ts';

/** A tree that keeps so many cores busy whenever it may. */
function busyTree(clock: FakeClock, cores: number) {
  let used = 0;
  let at = clock.now();
  let halted = false;
  const settle = () => {
    if (!halted) used += (clock.now() - at) * cores;
    at = clock.now();
    return used;
  };
  const halt = (now: boolean) => {
    settle();
    halted = now;
  };
  return { reins: { cpuTime: settle, halt }, isHalted: () => halted, used: settle };
}

describe('a duty cycle', () => {
  test('leaves a tree its share, whatever it would take', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 90 }), fc.constantFrom(1, 2, 8), (percent, cores) => {
        const clock = new FakeClock();
        const tree = busyTree(clock, cores);
        const cycle = new DutyCycle(clock, tree.reins, percent);
        clock.advance(60_000);
        expect(tree.used() / 600).toBeGreaterThan(percent * 0.9);
        // One tick of all cores may be in advance.
        expect(tree.used() / 600).toBeLessThan(percent * 1.1 + cores);
        cycle.end();
        expect(tree.isHalted()).toBe(false);
      }),
    );
  });

  test('ends running, and does nothing after', () => {
    const clock = new FakeClock();
    const tree = busyTree(clock, 4);
    const cycle = new DutyCycle(clock, tree.reins, 10);
    clock.advance(50);
    expect(tree.isHalted()).toBe(true);
    cycle.end();
    expect(tree.isHalted()).toBe(false);
    clock.advance(1000);
    expect(tree.isHalted()).toBe(false);
  });

  test('who uses little is never stopped, and saves up for no more than a moment', () => {
    const clock = new FakeClock();
    const tree = busyTree(clock, 0.05);
    const cycle = new DutyCycle(clock, tree.reins, 10);
    for (let step = 0; step < 100; step += 1) {
      clock.advance(20);
      expect(tree.isHalted()).toBe(false);
    }
    cycle.end();
  });

  test('where nobody tells the CPU time it counts as one busy core', () => {
    const clock = new FakeClock();
    const tree = busyTree(clock, 1);
    const cycle = new DutyCycle(clock, { ...tree.reins, cpuTime: () => null }, 20);
    clock.advance(20_000);
    cycle.end();
    expect(tree.used() / 200).toBeGreaterThan(15);
    expect(tree.used() / 200).toBeLessThan(25);
  });
});

describe('the CPU time of a tree', () => {
  const seen = (pid: number, cpuMs: number, childrenCpuMs = 0, startTime = '1') => ({
    pid,
    startTime,
    cpuMs,
    childrenCpuMs,
  });

  test.each([
    ['one process', [[seen(1, 10)], [seen(1, 30)]], [10, 30]],
    ['a child that comes', [[seen(1, 10)], [seen(1, 10), seen(2, 5)]], [10, 15]],
    ['a child that its parent waited for', [[seen(1, 10), seen(2, 50)], [seen(1, 11, 60)]], [60, 71]],
    ['a child that nobody saw', [[seen(1, 10)], [seen(1, 10, 40)]], [10, 50]],
    ['a child that nobody waited for', [[seen(1, 10), seen(2, 50)], [seen(1, 11)]], [60, 61]],
    [
      'a pid that is another’s by now',
      [
        [seen(1, 10), seen(2, 50)],
        [seen(1, 10), seen(2, 3, 0, '9')],
      ],
      [60, 63],
    ],
    ['nobody left', [[seen(1, 10)], []], [10, 10]],
  ] as const)('%s', (_name, looks, sums) => {
    const meter = new CpuMeter();
    expect(looks.map((look) => meter.add(look))).toEqual(sums);
  });

  test('never goes back', () => {
    const process = fc.record({
      pid: fc.integer({ min: 1, max: 4 }),
      startTime: fc.constantFrom('1', '2'),
      cpuMs: fc.nat(100),
      childrenCpuMs: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.array(fc.uniqueArray(process, { selector: ({ pid }) => pid })), (looks) => {
        const meter = new CpuMeter();
        let last = 0;
        for (const look of looks) {
          const sum = meter.add(look);
          expect(sum).toBeGreaterThanOrEqual(last);
          last = sum;
        }
      }),
    );
  });
});
