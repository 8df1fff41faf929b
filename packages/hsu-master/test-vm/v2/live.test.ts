import { readFileSync } from 'node:fs';
import { loadConfig } from '@hsu-master/config';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { allGroups, cgroupOf, readCgroup } from '../../test/cgroups.ts';
import { it, TIMED } from '../../test/drive.ts';
import { embed } from '../../test/embedded.ts';
import { percentOfCore } from '../guest.ts';

const command = creature('child', '{', 'sleep', '}', 'spin');

/** What a configuration makes of limits. */
function limitsOf(limits: object) {
  const text = JSON.stringify({ workers: [{ id: 'worker', command, limits }] });
  const places = { env: {}, cwd: '/', logDirectory: '/tmp' };
  const result = loadConfig({ file: '/config.yaml', text }, places);
  const spec = result.ok ? result.config.workers[0]?.limits : null;
  if (spec === null || spec === undefined) throw new Error(JSON.stringify(result));
  return spec;
}

describe('limits of a living worker', () => {
  it('are replaced, and hold at once', TIMED, async ({ stage }) => {
    const before = allGroups();
    const workers = [
      {
        id: 'worker',
        command,
        limits: { memory: '64MiB', cpu: '10%', process: { max_processes: 5 } },
      },
    ];
    const held = embed(stage, workers);
    try {
      await held.master.start();
      const started = await held.event('worker.started', 'worker');
      const { pid } = started.payload.process;
      const group = cgroupOf(pid);
      expect(await percentOfCore(group, 3)).toBeLessThan(13);
      const reports = held.master.setLimits(
        'worker',
        limitsOf({
          memory: { high: '48MiB' },
          cpu: { max_percent: '40%', nice: 5 },
          process: { max_file_descriptors: 77, max_processes: 9 },
        }),
      );
      expect(reports.map(({ limit, status }) => `${limit} ${status}`).sort()).toEqual([
        'cpu.max_percent enforced',
        'cpu.nice enforced',
        'memory.high enforced',
        'process.max_file_descriptors enforced',
        'process.max_processes enforced',
      ]);
      const used = await percentOfCore(group, 5);
      expect(used).toBeGreaterThan(34);
      expect(used).toBeLessThan(46);
      expect(readCgroup(group, 'memory.max')).toBe('max');
      expect(readCgroup(group, 'memory.high')).toBe(String(48 << 20));
      expect(readCgroup(group, 'pids.max')).toBe('9');
      for (const member of readCgroup(group, 'cgroup.procs').split('\n')) {
        expect(readFileSync(`/proc/${member}/limits`, 'utf8')).toMatch(/^Max open files +77 /m);
      }
      expect(held.of('worker.exited')).toEqual([]);
    } finally {
      await held.master.shutdown();
    }
    expect(allGroups()).toEqual(before);
  });
});
