import { closeSync, openSync, readdirSync } from 'node:fs';
import { FakeClock } from '@hsu-master/testkit';
import { afterEach, expect, test } from 'vitest';
import { DescriptorGauge } from '../src/host/descriptors.ts';

const open: number[] = [];

function take(count: number): void {
  for (let taken = 0; taken < count; taken += 1) open.push(openSync('/dev/null', 'r'));
}

afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
});

/** As many as are in use now, and this many more. */
const limitOf = (more: number): number => readdirSync('/proc/self/fd').length + more;

test('G1: a free number below those in use is not taken for room', () => {
  take(300);
  const gauge = new DescriptorGauge(new FakeClock(), limitOf(20));
  expect(gauge.isShort(60, 0)).toBe(true);
  for (const fd of open.splice(0, 10)) closeSync(fd);
  expect(gauge.isShort(60, 0)).toBe(true);
});

test('what was started since the count is reckoned with, also what has no descriptors yet', () => {
  take(300);
  const limit = limitOf(150);
  const gauge = new DescriptorGauge(new FakeClock(), limit);
  let started = 0;
  while (!gauge.isShort(60, started)) started += 1;
  expect(started).toBe(Math.floor((150 - 32 - 6) / 6) + 1);
});

test('what others have taken is seen, not with each call', () => {
  take(300);
  const clock = new FakeClock();
  const gauge = new DescriptorGauge(clock, limitOf(300));
  expect(gauge.isShort(60, 0)).toBe(false);
  take(290);
  expect(gauge.isShort(60, 0)).toBe(false);
  clock.advance(1000);
  expect(gauge.isShort(60, 0)).toBe(true);
});
