import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { creature } from '@hsu-master/testkit';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { cgroupOf, readCgroup } from '../../test/cgroups.ts';
import { it } from '../../test/drive.ts';
import { DISK } from '../guest.ts';

const FILE = join(DISK, 'swap');

describe('on a machine with swap', () => {
  beforeAll(() => {
    const made = 'fallocate -l 96M "$0" && chmod 600 "$0" && mkswap -q "$0" && swapon "$0"';
    execFileSync('/bin/sh', ['-c', made, FILE], { stdio: 'pipe' });
  });
  afterAll(() => {
    execFileSync('/bin/sh', ['-c', 'swapoff "$0"', FILE]);
    rmSync(FILE);
  });

  it('max_rss leaves a worker none, max_swap as much as it says', async ({ stage }) => {
    const hog = (id: string, memory: object) => ({
      id,
      command: creature('hog', '48', 'sleep'),
      limits: { memory: { max_rss: '32MiB', ...memory } },
      restart: 'never',
    });
    const master = stage.run([
      hog('none', {}),
      hog('little', { max_swap: '4MiB' }),
      hog('enough', { max_swap: '48MiB' }),
    ]);
    await master.line(/^none: killed by SIGKILL \(out of memory: at its limit\)/);
    await master.line(/^little: killed by SIGKILL \(out of memory: at its limit\)/);
    await master.line(/^enough +\| hog 48 ok/);
    const group = cgroupOf(await master.started('enough'));
    expect(Number(readCgroup(group, 'memory.swap.current'))).toBeGreaterThan(8 << 20);
    expect(Number(readCgroup(group, 'memory.peak'))).toBeLessThanOrEqual(32 << 20);
    expect((await master.stop()).code).toBe(0);
  });
});
