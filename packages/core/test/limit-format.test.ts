import { expect, test } from 'vitest';
import { formatBeside, formatLimit, LIMIT_NAMES, type LimitName } from '../src/index.ts';

test.for<[LimitName, number, string]>([
  ['memory.max_rss', 536_870_912, '512MiB'],
  ['io.max_write_bps', 4_194_304, '4MiB/s'],
  ['io.max_read_ops', 100, '100/s'],
  ['cpu.max_percent', 19.96, '20%'],
  ['cpu.max_cores', 1, '1 core'],
  ['cpu.max_cores', 1.5, '1.5 cores'],
  ['cpu.max_cores', 0.25, '0.25 cores'],
  ['cpu.max_percent', 0.1, '0.1%'],
  ['cpu.max_cores', 0.001, '0.001 cores'],
  ['cpu.max_time', 90_000, '1m30s'],
  ['process.max_processes', 20, '20'],
  ['cpu.weight', 100, '100'],
  ['cpu.nice', -5, '-5'],
  ['process.no_new_privs', 1, 'yes'],
  ['process.no_new_privs', 0, 'no'],
])('%s of %d is shown as %s', ([limit, value, text]) => {
  expect(formatLimit(limit, value)).toBe(text);
});

test('what is measured is shown in units that can be compared with the limit', () => {
  expect(formatBeside('memory.max_rss', 10_100_000, 10_000_000)).toBe('10.1MB');
  expect(formatBeside('memory.max_rss', 900, 10_000_000)).toBe('900B');
  expect(formatBeside('memory.max_rss', 10_000_000, 8 << 20)).toBe('9.5MiB');
  expect(formatBeside('io.max_read_bps', 4_200_000, 4_000_000)).toBe('4.2MB/s');
  expect(formatBeside('cpu.max_percent', 21, 20)).toBe('21%');
});

test('every limit can be shown', () => {
  for (const limit of LIMIT_NAMES) expect(formatLimit(limit, 1)).not.toBe('');
});
