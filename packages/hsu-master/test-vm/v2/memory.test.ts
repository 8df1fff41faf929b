import { dirname } from 'node:path';
import { creature } from '@hsu-master/testkit';
import { describe, expect, it } from 'vitest';
import { cgroupNumbers, cgroupOf, readCgroup } from '../../test/cgroups.ts';
import { isAlive } from '../../test/proc.ts';
import { ORDINARY, oneMaster } from '../guest.ts';

const MIB = 1 << 20;
const max = { max_rss: '24MiB' };
const never = 'never';
const OOM = 'killed by SIGKILL \\(out of memory: at its limit\\)';

const workers = [
  {
    id: 'hog',
    command: creature('hog', '64', 'sleep'),
    limits: { memory: max },
    restart: { policy: 'on-failure', delay: '10ms', backoff_rate: 1, max_retries: 2, give_up: true },
  },
  { id: 'never', command: creature('hog', '64', 'sleep'), limits: { memory: max }, restart: never },
  {
    id: 'adjusted',
    command: creature('hog', '28', 'print', 'enough', 'sleep'),
    limits: {
      memory: { ...max, policy: 'restart_adjusted', adjust: { factor: 2, max_factor: 4 } },
    },
    restart: { policy: 'on-failure', delay: '10ms' },
  },
  {
    id: 'child',
    command: creature('child', '{', 'pause', '500', 'hog', '64', 'sleep', '}', 'print', 'up', 'sleep'),
    limits: { memory: max },
    restart: never,
  },
  {
    id: 'slowed',
    command: creature('print', 'up', 'grow', '96', '0', 'sleep'),
    limits: { memory: { high: '16MiB' } },
    restart: never,
  },
  {
    id: 'free',
    command: creature('grow', '96', '0', 'sleep'),
    depends_on: ['slowed'],
    restart: never,
  },
  { id: 'swapless', command: creature('sleep'), limits: { memory: '24MiB' } },
  { id: 'swapping', command: creature('sleep'), limits: { memory: { ...max, max_swap: '8MiB' } } },
  {
    id: 'virtual',
    command: creature('map', '128', 'map', '4', 'sleep'),
    limits: { memory: { max_virtual: '64MiB' } },
  },
  {
    id: 'heap',
    command: creature('hog', '64', 'hog', '4', 'sleep'),
    limits: { memory: { max_heap: '32MiB' } },
  },
  {
    id: 'locked',
    command: creature('lock', '1', 'sleep'),
    user: String(ORDINARY),
    cwd: '/',
    limits: { memory: { max_locked: '64KiB' } },
  },
  {
    id: 'lockless',
    command: creature('lock', '1', 'sleep'),
    user: String(ORDINARY),
    cwd: '/',
    limits: { memory: { max_locked: 0 } },
  },
];

describe('limits of memory', () => {
  const one = oneMaster('memory', workers);

  it('G5: who takes more than max_rss is killed, so reported, and restarted by the policy', async () => {
    const { master } = one;
    await master.line(new RegExp(`^hog: ${OOM} after`));
    expect(await master.line(/^hog: killed by the kernel/)).toContain('its limit memory.max_rss of 24MiB');
    await master.started('hog', 3);
    await master.line(/^hog: failed for good/);
    expect(master.matching(new RegExp(`^hog: ${OOM}`))).toHaveLength(3);
    expect(master.matching(/^hog: started/)).toHaveLength(3);
    // What the groups of the runs counted is kept by the one above.
    const base = dirname(cgroupOf(await master.started('swapless')));
    expect(cgroupNumbers(base, 'memory.events').oom_kill).toBeGreaterThanOrEqual(3);
  });

  it('who is not to be restarted is not', async () => {
    await one.master.line(new RegExp(`^never: ${OOM}`));
    await one.master.line(/^never: (stopped|failed)/);
    expect(one.master.matching(/^never: started/)).toHaveLength(1);
  });

  it('restart_adjusted gives a worker that was killed at its limit more', async () => {
    const { master } = one;
    expect(await master.line(/^adjusted: its limit/)).toContain('raised from 24MiB to 48MiB');
    await master.line(/^adjusted +\| enough/);
    const group = cgroupOf(await master.started('adjusted', 2));
    expect(readCgroup(group, 'memory.max')).toBe(String(48 * MIB));
  });

  it('the whole tree dies when a child took too much', async () => {
    const pid = await one.master.started('child');
    await one.master.line(new RegExp(`^child: ${OOM}`));
    expect(isAlive(pid)).toBe(false);
    expect(one.stage.processes().filter(({ command }) => command.includes('pause 500'))).toEqual([]);
  });

  it('memory.high slows down who is above it', async () => {
    const { master } = one;
    const group = cgroupOf(await master.started('slowed'));
    await master.line(/^free +\| grow 96 ok/);
    expect(master.matching(/^slowed +\| grow/)).toEqual([]);
    expect(cgroupNumbers(group, 'memory.events').high).toBeGreaterThan(0);
    expect(cgroupNumbers(group, 'memory.events').oom_kill).toBe(0);
    expect(Number(readCgroup(group, 'memory.current'))).toBeLessThan(64 * MIB);
  });

  it('max_rss gives no swap, unless max_swap does', async () => {
    const swap = async (id: string) => readCgroup(cgroupOf(await one.master.started(id)), 'memory.swap.max');
    expect(await swap('swapless')).toBe('0');
    expect(await swap('swapping')).toBe(String(8 * MIB));
  });

  it('max_virtual refuses address space', async () => {
    await one.master.line(/^virtual +\| map 128 ENOMEM/);
    await one.master.line(/^virtual +\| map 4 ok/);
  });

  it('max_heap refuses malloc', async () => {
    await one.master.line(/^heap +\| hog 64 ENOMEM/);
    await one.master.line(/^heap +\| hog 4 ok/);
  });

  it('max_locked refuses locked memory, 0 all of it', async () => {
    await one.master.line(/^locked +\| lock 1 (ENOMEM|EAGAIN)/);
    await one.master.line(/^lockless +\| lock 1 EPERM/);
  });
});
