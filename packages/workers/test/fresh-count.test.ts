import { expect, test } from 'vitest';
import { FreshCount } from '../src/host/fresh-count.ts';

test('a kill that nobody has seen explains an end, and only one', () => {
  const kills = new FreshCount();
  expect(kills.explains(1, 100)).toBe(true);
  expect(kills.explains(1, 101)).toBe(false);
  expect(kills.explains(2, 102)).toBe(true);
});

test('a look between the kill and the report of the end takes nothing away', () => {
  const kills = new FreshCount();
  kills.see(0, 0);
  kills.see(1, 5000);
  kills.see(1, 5200);
  expect(kills.explains(1, 5300)).toBe(true);
});

test('a kill that was seen long before explains nothing, looked at since or not', () => {
  for (const looks of [[], [5500, 6500]]) {
    const kills = new FreshCount();
    kills.see(1, 5000);
    for (const at of looks) kills.see(1, at);
    expect(kills.explains(1, 7000)).toBe(false);
    expect(kills.explains(2, 7001)).toBe(true);
  }
});

test('kills that go on become old, each in its turn', () => {
  const kills = new FreshCount();
  for (let count = 1; count <= 20; count += 1) kills.see(count, count * 300);
  expect(kills.explains(20, 20 * 300 + 5000)).toBe(false);
});

test('what was counted before is old', () => {
  const kills = new FreshCount(3);
  expect(kills.explains(3, 0)).toBe(false);
  expect(kills.explains(4, 0)).toBe(true);
});
