import { dirname } from 'node:path';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { cgroupOf, readCgroup } from '../../test/cgroups.ts';
import { it, TIMED } from '../../test/drive.ts';
import { percentOfCore } from '../guest.ts';

const SECONDS = 5;
const monitoring = { interval: '500ms' };

describe('limits of CPU', () => {
  it('a spinner is held to its percentage, and so are two together', TIMED, async ({ stage }) => {
    const master = stage.run([
      { id: 'spinner', command: creature('spin'), limits: { cpu: '20%' } },
      {
        id: 'pair',
        command: creature('child', '{', 'spin', '}', 'spin'),
        limits: { cpu: { max_cores: 0.2 } },
      },
    ]);
    const groups = [cgroupOf(await master.started('spinner')), cgroupOf(await master.started('pair'))];
    for (const used of await Promise.all(groups.map((group) => percentOfCore(group, SECONDS)))) {
      expect(used).toBeGreaterThan(17);
      expect(used).toBeLessThan(23);
    }
    expect((await master.stop()).code).toBe(0);
  });

  it('weights share a CPU that two want', TIMED, async ({ stage }) => {
    const spinner = (id: string, limits: object) => ({
      id,
      command: creature('spin'),
      limits: { ...limits, cpu: { affinity: '1', ...('cpu' in limits ? (limits.cpu as object) : {}) } },
    });
    const master = stage.run([
      spinner('light', { cpu: { weight: 50 } }),
      spinner('heavy', { cpu_shares: 2048 }),
    ]);
    const light = cgroupOf(await master.started('light'));
    const heavy = cgroupOf(await master.started('heavy'));
    expect(readCgroup(heavy, 'cpu.weight')).toBe('200');
    const [few, many] = await Promise.all([percentOfCore(light, SECONDS), percentOfCore(heavy, SECONDS)]);
    expect(many / few).toBeGreaterThan(3.2);
    expect(many / few).toBeLessThan(4.8);
    expect((await master.stop()).code).toBe(0);
  });

  it('workers of one group share its budget', TIMED, async ({ stage }) => {
    const spinner = (id: string) => ({
      id,
      command: creature('spin'),
      namespace: 'prod',
      worker_group: 'web',
    });
    const master = stage.run({
      namespaces: { prod: { limits: { cpu: '40%' } } },
      groups: { web: { limits: { cpu: '20%' } } },
      workers: [spinner('first'), spinner('second'), { ...spinner('third'), worker_group: undefined }],
    });
    const group = dirname(cgroupOf(await master.started('first')));
    expect(dirname(cgroupOf(await master.started('second')))).toBe(group);
    const namespace = dirname(cgroupOf(await master.started('third')));
    expect(dirname(group)).toBe(namespace);
    const [inner, outer] = await Promise.all([
      percentOfCore(group, SECONDS),
      percentOfCore(namespace, SECONDS),
    ]);
    expect(inner).toBeGreaterThan(17);
    expect(inner).toBeLessThan(23);
    expect(outer).toBeGreaterThan(36);
    expect(outer).toBeLessThan(44);
    expect((await master.stop()).code).toBe(0);
  });

  it('max_time ends a worker that has used up its CPU time', async ({ stage }) => {
    const master = stage.run([
      {
        id: 'spinner',
        command: creature('spin'),
        limits: { cpu: { max_time: '2s', policy: 'immediate_kill', spike_tolerance: 0 }, monitoring },
      },
    ]);
    await master.line(/^spinner: failed for good: ended for its limit cpu\.max_time/);
    expect((await master.end()).code).toBe(1);
  });
});
