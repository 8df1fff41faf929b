import { describe, expect, test } from 'vitest';
import { effectiveLimits } from '../src/limits/adjust.ts';
import { hit, measure } from '../src/limits/measure.ts';
import { isWatchedByNature, LIMIT_NAMES, type LimitName } from '../src/limits/names.ts';
import { isLoss } from '../src/limits/spec.ts';
import type { TreeUsage } from '../src/limits/usage.ts';
import { limitsSpec } from './rig.ts';

function usage(differs: Partial<TreeUsage> = {}): TreeUsage {
  return {
    at: 1000,
    processes: 4,
    threads: 9,
    rss: 400,
    virtual: 8000,
    pss: null,
    memory: null,
    memoryPeak: null,
    swap: null,
    cpuTime: 2000,
    readBytes: null,
    writtenBytes: null,
    readOps: null,
    writeOps: null,
    descriptors: null,
    connections: null,
    pressure: null,
    hits: null,
    oomKills: null,
    ...differs,
  };
}

const LATER = { at: 3000, cpuTime: 2500, readBytes: 300, writtenBytes: 5000, readOps: 7, writeOps: 40 };
const EARLIER = { readBytes: 100, writtenBytes: 1000, readOps: 3, writeOps: 20 };

describe('what is compared with a limit', () => {
  test.each<[LimitName, Partial<TreeUsage>, number | null]>([
    ['memory.max_rss', {}, 400],
    ['memory.max_rss', { memory: 300 }, 300],
    ['memory.max_rss', { memory: 5000 }, 400],
    ['memory.high', { memory: 300 }, 300],
    ['memory.max_swap', { swap: 70 }, 70],
    ['memory.max_swap', {}, null],
    ['memory.max_virtual', {}, 2000],
    ['memory.max_virtual', { processes: 0, virtual: 0 }, 0],
    ['memory.max_heap', {}, null],
    ['cpu.max_time', {}, 2000],
    ['process.max_processes', {}, 9],
    ['process.max_file_descriptors', { descriptors: 100 }, 25],
    ['process.max_file_descriptors', {}, null],
    ['process.max_child_processes', {}, 3],
    ['process.max_child_processes', { processes: 0 }, 0],
    ['network.max_connections', { connections: 5 }, 5],
    ['network.max_bandwidth', {}, null],
    ['storage.max_temp_size', {}, null],
    ['cpu.nice', {}, null],
  ])('%s of %j is %s', (limit, differs, value) => {
    expect(measure(limit, usage(differs), null)).toBe(value);
  });

  test.each<[LimitName, number]>([
    ['cpu.max_percent', 25],
    ['cpu.max_cores', 0.25],
    ['io.max_read_bps', 100],
    ['io.max_write_bps', 2000],
    ['io.max_read_ops', 2],
    ['io.max_write_ops', 10],
  ])('%s is a rate between two samples', (limit, value) => {
    expect(measure(limit, usage(LATER), usage(EARLIER))).toBe(value);
    expect(measure(limit, usage(LATER), null)).toBeNull();
    expect(measure(limit, usage({ ...LATER, at: 1000 }), usage(EARLIER))).toBeNull();
    expect(
      measure(limit, usage({ at: 3000, cpuTime: 0 }), usage(limit.startsWith('cpu') ? {} : EARLIER)),
    ).toBe(limit.startsWith('cpu') ? 0 : null);
  });

  test('a counter that is not known before gives no rate', () => {
    expect(measure('io.max_read_bps', usage(LATER), usage())).toBeNull();
  });

  test('what is known otherwise goes first', () => {
    expect(measure('storage.max_temp_size', usage(), null, { 'storage.max_temp_size': 12 })).toBe(12);
    expect(
      measure('network.max_connections', usage({ connections: 3 }), null, { 'network.max_connections': 4 }),
    ).toBe(4);
  });
});

describe('whether the kernel held it back', () => {
  const hits = (differs: Partial<NonNullable<TreeUsage['hits']>>) => ({
    hits: { memory: 0, processes: 0, cpu: 0, ...differs },
  });

  test('at the memory limit, where what it needs is near it and not only its page cache', () => {
    const full = usage({ rss: 95, memory: 100, ...hits({ memory: 3 }) });
    expect(hit('memory.max_rss', 100, full, null)).toBe(true);
    expect(hit('memory.max_rss', 100, full, usage(hits({ memory: 3 })))).toBe(false);
    expect(hit('memory.max_rss', 100, usage({ ...full, rss: 40 }), null)).toBe(false);
    expect(hit('memory.high', 100, full, null)).toBe(false);
  });

  test('by killing for want of memory', () => {
    expect(hit('memory.max_rss', 1000, usage({ oomKills: 1 }), usage({ oomKills: 0 }))).toBe(true);
    expect(hit('memory.max_rss', 1000, usage({ oomKills: 1 }), usage({ oomKills: 1 }))).toBe(false);
  });

  test.each(['cpu.max_percent', 'cpu.max_cores'] as const)(
    'at %s, where it wants all of it and not for moments',
    (limit) => {
      const allowed = limit === 'cpu.max_percent' ? 20 : 0.2;
      const before = usage(hits({ cpu: 1 }));
      const after = { at: 2000, ...hits({ cpu: 9 }) };
      expect(hit(limit, allowed, usage({ ...after, cpuTime: 2190 }), before)).toBe(true);
      expect(hit(limit, allowed, usage({ ...after, cpuTime: 2100 }), before)).toBe(false);
      expect(hit(limit, allowed, usage({ ...after, ...hits({ cpu: 1 }), cpuTime: 2190 }), before)).toBe(
        false,
      );
      expect(hit(limit, allowed, usage({ ...after, cpuTime: 2190 }), null)).toBe(false);
    },
  );

  test('by refusing a fork, or an open file', () => {
    expect(
      hit('process.max_processes', 50, usage(hits({ processes: 2 })), usage(hits({ processes: 1 }))),
    ).toBe(true);
    expect(hit('process.max_processes', 5, usage(), null)).toBe(false);
    expect(hit('process.max_file_descriptors', 25, usage({ descriptors: 100 }), null)).toBe(true);
    expect(hit('process.max_file_descriptors', 26, usage({ descriptors: 100 }), null)).toBe(false);
    expect(hit('process.max_file_descriptors', 26, usage(), null)).toBe(false);
  });
});

describe('raised limits', () => {
  const limits = limitsSpec({ 'memory.max_rss': 1001, 'cpu.max_percent': 25 });

  test('hold for what was raised and leave the rest, whole numbers whole', () => {
    const factors = { 'memory.max_rss': 1.5, 'cpu.max_percent': 1.1, 'process.max_processes': 2 };
    expect(effectiveLimits(limits, factors)).toEqual({
      ...limits,
      values: { 'memory.max_rss': 1502, 'cpu.max_percent': 27.500000000000004 },
    });
  });

  test('are the written ones where nothing was raised or none are given', () => {
    expect(effectiveLimits(limits, {})).toBe(limits);
    expect(effectiveLimits(null, { 'memory.max_rss': 2 })).toBeNull();
  });
});

test('watching is a loss only where some system could enforce', () => {
  const report = { mechanism: '', reason: '' };
  expect(isLoss({ ...report, limit: 'memory.max_rss', status: 'watched' })).toBe(true);
  expect(isLoss({ ...report, limit: 'memory.max_rss', status: 'enforced' })).toBe(false);
  expect(isLoss({ ...report, limit: 'network.max_connections', status: 'watched' })).toBe(false);
  expect(isLoss({ ...report, limit: 'network.max_connections', status: 'impossible' })).toBe(true);
  expect(LIMIT_NAMES.filter(isWatchedByNature)).toEqual([
    'cpu.max_time',
    'process.max_child_processes',
    'network.max_connections',
    'storage.max_temp_size',
    'storage.max_log_size',
  ]);
});
