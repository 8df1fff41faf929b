import { expect, test } from 'vitest';
import { Chance } from '../src/chance.ts';
import { FakeClock, lateClock } from '../src/fake/clock.ts';

test('timers fire in the order of their times, and of their setting where the times are equal', () => {
  const clock = new FakeClock();
  const fired: string[] = [];
  clock.after(20, () => fired.push('c'));
  clock.after(10, () => fired.push('a'));
  clock.after(10, () => fired.push('b'));
  clock.after(0, () => fired.push('now'));
  clock.advance(20);
  expect(fired).toEqual(['now', 'a', 'b', 'c']);
  expect(clock.now()).toBe(20);
});

test('a thousand timers in random order fire sorted', () => {
  const clock = new FakeClock();
  const chance = new Chance(7);
  const fired: number[] = [];
  for (let i = 0; i < 1000; i += 1) clock.after(chance.between(0, 300), () => fired.push(clock.now()));
  while (clock.runNext());
  expect(fired).toHaveLength(1000);
  expect(fired).toEqual([...fired].sort((a, b) => a - b));
});

test('advance fires what is set meanwhile if it falls into the span, and nothing past it', () => {
  const clock = new FakeClock();
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.now());
    clock.after(10, again);
  };
  clock.after(10, again);
  clock.advance(35);
  expect(fired).toEqual([10, 20, 30]);
  expect(clock.nextAt).toBe(40);
});

test('a cancelled timer never fires and no longer counts; cancelling twice is harmless', () => {
  const clock = new FakeClock();
  const cancel = clock.after(5, () => expect.unreachable());
  clock.after(6, () => {});
  cancel();
  cancel();
  expect(clock.pending).toBe(1);
  expect(clock.nextAt).toBe(6);
  expect(clock.runNext()).toBe(true);
  expect(clock.runNext()).toBe(false);
});

test('a step of the wall clock moves no timer', () => {
  const clock = new FakeClock(1, 1_000_000);
  clock.after(10, () => {});
  clock.stepWall(86_400_000);
  expect(clock.wallNow()).toBe(87_400_000);
  expect(clock.now()).toBe(0);
  expect(clock.nextAt).toBe(10);
});

test('a negative or missing delay is refused', () => {
  expect(() => new FakeClock().after(-1, () => {})).toThrow(RangeError);
  expect(() => new FakeClock().after(Number.NaN, () => {})).toThrow(RangeError);
});

test('the timers of a late clock are late, never early', () => {
  const clock = new FakeClock();
  const late = lateClock(clock, new Chance(3), 50);
  const fired: number[] = [];
  for (let i = 0; i < 100; i += 1) late.after(100, () => fired.push(clock.now()));
  while (clock.runNext());
  expect(Math.min(...fired)).toBe(100);
  expect(Math.max(...fired)).toBeGreaterThan(100);
  expect(Math.max(...fired)).toBeLessThanOrEqual(150);
});

test('the same seed draws the same numbers, and a fork does not depend on its later use', () => {
  const draw = (seed: number): number[] => {
    const chance = new Chance(seed);
    const fork = chance.fork();
    fork.next();
    return [chance.next(), chance.between(1, 6), Number(chance.happens(0.5)), chance.pick([1, 2, 3])];
  };
  expect(draw(5)).toEqual(draw(5));
  expect(draw(5)).not.toEqual(draw(6));
});
