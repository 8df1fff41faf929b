import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../src/units.ts';
import { fc } from './properties.ts';

describe('parseDuration', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['1.25s', 1250],
    ['7d', 604_800_000],
    ['2m3s4ms', 123_004],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['250μs', 0.25],
    ['1000000ns', 1],
  ])('%s', (text, span) => expect(parseDuration(text)).toBeCloseTo(span, 9));

  test('takes a bare 0', () => expect(parseDuration('0')).toBe(0));

  test.each([
    '',
    '5',
    '10',
    's',
    '-1s',
    '1h 30m',
    ' 1s',
    '1s ',
    '1.s',
    '.5s',
    '1e3s',
    '10 s',
    '5sm',
    '1w',
    '1S',
    'NaNs',
  ])('refuses %j', (text) => expect(parseDuration(text)).toBeNull());

  test('refuses what is past all numbers', () => expect(parseDuration(`${'9'.repeat(400)}s`)).toBeNull());
});

describe('formatDuration', () => {
  test.each([
    [0, '0ms'],
    [0.4, '0ms'],
    [850, '850ms'],
    [999.7, '1s'],
    [1000, '1s'],
    [2000, '2s'],
    [10_000, '10s'],
    [1449, '1.4s'],
    [9999, '10s'],
    [12_000, '12s'],
    [12_600, '13s'],
    [59_999, '1m'],
    [60_000, '1m'],
    [61_000, '1m1s'],
    [3_600_000, '1h'],
    [5_400_000, '1h30m'],
    [3_601_000, '1h'],
    [86_400_000, '1d'],
    [90_000_000, '1d1h'],
    [604_800_000, '7d'],
    [608_400_000, '7d1h'],
  ])('%d ms is %s', (span, text) => expect(formatDuration(span)).toBe(text));

  test('what it writes is read again, off by less than its smallest unit shown', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e10, noNaN: true }), (span) => {
        const again = parseDuration(formatDuration(span)) ?? Number.NaN;
        expect(Math.abs(again - span)).toBeLessThanOrEqual(Math.max(1, span * 0.06));
      }),
    );
  });
});

describe('parseSize', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['64KiB', 65_536],
    ['64kib', 65_536],
    ['100MB', 100_000_000],
    ['1GiB', 1_073_741_824],
    ['1.5 GiB', 1_610_612_736],
    [' 2k ', 2048],
    ['3M', 3_145_728],
    ['2G', 2_147_483_648],
    ['1T', 1_099_511_627_776],
    ['1TiB', 1_099_511_627_776],
    ['1TB', 1_000_000_000_000],
    ['2GB', 2_000_000_000],
    ['7KB', 7000],
    ['5MiB', 5_242_880],
    ['9B', 9],
    ['1.25KiB', 1280],
  ])('%s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    '',
    'KiB',
    '-1',
    '1.5',
    '1e3',
    '1XB',
    '1 Ki B',
    '0x10',
    '1.5.5M',
    '5M 5',
    '5 5',
    'constructor',
    '10000000TiB',
  ])('refuses %j', (text) => expect(parseSize(text)).toBeNull());

  test('every whole number of bytes is itself', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseSize(String(bytes))).toBe(bytes);
      }),
    );
  });
});

test.each([
  [0, '0B'],
  [512, '512B'],
  [1023, '1023B'],
  [1024, '1KiB'],
  [1536, '1.5KiB'],
  [65_536, '64KiB'],
  [100e6, '100MB'],
  [2e9, '2GB'],
  [1.5e9, '1500MB'],
  [2 ** 20 * 1e6, '976.6GiB'],
  [1_048_576, '1MiB'],
  [1_610_612_736, '1.5GiB'],
  [2 ** 40, '1TiB'],
  [2 ** 50, '1024TiB'],
])('formatSize(%d) is %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));
