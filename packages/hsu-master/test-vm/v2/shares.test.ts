import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { cgroupOf, deviceOf, readCgroup } from '../../test/cgroups.ts';
import { eventually, it, TIMED } from '../../test/drive.ts';
import { DISK, percentOfCore } from '../guest.ts';

const SECONDS = 6;

/** Bytes that a group has read of the disk. */
function bytesRead(group: string): number {
  const line = readCgroup(group, 'io.stat')
    .split('\n')
    .find((one) => one.startsWith(`${deviceOf(DISK)} `));
  return Number(/rbytes=(\d+)/.exec(line ?? '')?.[1] ?? 0);
}

describe('shares among those who compete', () => {
  it('io.weight shares a disk that bfq schedules', TIMED, async ({ stage }) => {
    execFileSync('modprobe', ['bfq']);
    const scheduler = '/sys/block/vdb/queue/scheduler';
    const before = /\[(\S+)\]/.exec(readFileSync(scheduler, 'utf8'))?.[1] ?? 'none';
    writeFileSync(scheduler, 'bfq');
    try {
      const reads = 'while :; do dd if=/dev/vdb of=/dev/null bs=256k iflag=direct status=none; done';
      const reader = (id: string, weight: number) => ({
        id,
        command: ['sh', '-c', reads],
        limits: { io: { weight, paths: [DISK] } },
      });
      const master = stage.run([reader('light', 10), reader('heavy', 10_000)]);
      const groups = [cgroupOf(await master.started('light')), cgroupOf(await master.started('heavy'))];
      for (const group of groups) await eventually(() => bytesRead(group) > 0);
      // Of bfq the most is 1000.
      expect(readCgroup(groups[1] ?? '', 'io.bfq.weight')).toBe('default 1000');
      const begun = groups.map(bytesRead);
      await delay(SECONDS * 1000);
      const [few = 0, many = 0] = groups.map((group, index) => bytesRead(group) - (begun[index] ?? 0));
      expect(many / few).toBeGreaterThan(2);
      expect((await master.stop()).code).toBe(0);
    } finally {
      writeFileSync(scheduler, before);
    }
  });

  it('a worker of a real-time class goes before an ordinary one', TIMED, async ({ stage }) => {
    const spinner = (id: string, cpu: object) => ({
      id,
      command: creature('print', 'up', 'spin'),
      limits: { cpu: { affinity: '1', ...cpu } },
    });
    const master = stage.run([
      spinner('ordinary', {}),
      spinner('first', { scheduler: { policy: 'fifo', priority: 10 } }),
    ]);
    const ordinary = cgroupOf(await master.started('ordinary'));
    const first = cgroupOf(await master.started('first'));
    const [few, many] = await Promise.all([percentOfCore(ordinary, SECONDS), percentOfCore(first, SECONDS)]);
    // The kernel keeps a twentieth for the others.
    expect(many / few).toBeGreaterThan(5);
    expect((await master.stop()).code).toBe(0);
  });
});
