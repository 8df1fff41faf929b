import { readFileSync } from 'node:fs';
import { fc, test } from '@fast-check/vitest';
import { LIMIT_NAMES } from '@hsu-master/core';
import { describe, expect, test as it } from 'vitest';
import { MACOS_SUPPORT } from '../src/host/cgroup/limit-support.ts';
import { planLimits } from '../src/host/cgroup/plan.ts';
import { parseRlimits, rlimitsOfReport } from '../src/host/cgroup/rights.ts';
import { anyLimits, limitsOf, MiB, none } from './limit-settings.ts';

const macos = none({ machine: { supports: MACOS_SUPPORT } });
/** Numbers of the limits that macOS keeps for a process: CPU, DATA, CORE, NOFILE, MEMLOCK. */
const known = [0, 2, 4, 7, 8];

describe('limits on macOS', () => {
  it('memory is watched, and no limit of a process is set for it: RLIMIT_AS and RLIMIT_RSS are one there', () => {
    const plan = planLimits(limitsOf({ 'memory.max_rss': 64 * MiB, 'memory.max_virtual': 64 * MiB }), macos);
    expect(plan.watched).toEqual(['memory.max_rss', 'memory.max_virtual']);
    expect(plan.process.rlimits).toEqual([]);
  });

  it('open files are held by RLIMIT_NOFILE', () => {
    const { process, reports } = planLimits(limitsOf({ 'process.max_file_descriptors': 100 }), macos);
    expect(process.rlimits).toEqual([{ resource: 7, soft: 100, hard: 100 }]);
    expect(reports).toMatchObject([{ status: 'enforced', mechanism: 'RLIMIT_NOFILE' }]);
  });

  it('the limits that the master was given are known from a report of Node, where there is no /proc', () => {
    const reported = rlimitsOfReport();
    const known = parseRlimits(readFileSync('/proc/self/limits', 'utf8'));
    expect(reported.size).toBeGreaterThanOrEqual(8);
    for (const [resource, { soft, hard }] of reported) {
      expect([soft, hard]).toEqual([known.get(resource)?.soft, known.get(resource)?.hard]);
    }
  });

  test.prop([anyLimits])(
    'nothing is asked of the addon that it refuses there, whatever is limited',
    (limits) => {
      const { process, writes1, writes2, reports } = planLimits(limits, macos);
      expect([...writes1, ...writes2]).toEqual([]);
      expect(process).toMatchObject({
        affinity: null,
        scheduler: null,
        ioPriority: null,
        oomScoreAdj: null,
        noNewPrivs: false,
      });
      for (const { resource } of process.rlimits) expect(known).toContain(resource);
      for (const { limit } of reports) expect(LIMIT_NAMES).toContain(limit);
    },
  );

  test.prop([fc.constantFrom(...LIMIT_NAMES)])('a limit that is impossible says why', (limit) => {
    const support = MACOS_SUPPORT[limit];
    if (support?.status === 'impossible') expect(support.note).not.toBe('');
  });
});
