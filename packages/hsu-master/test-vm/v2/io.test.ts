import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { cgroupOf, deviceOf, readCgroup } from '../../test/cgroups.ts';
import { eventually, it, TIMED } from '../../test/drive.ts';
import { DISK } from '../guest.ts';

const MIB = 1 << 20;
const SECONDS = 4;
const KEYS = ['rbytes', 'wbytes', 'rios', 'wios'] as const;
type Key = (typeof KEYS)[number];

/** What a group has read and written of the disk. */
function transferred(group: string): Readonly<Record<Key, number>> {
  const line = readCgroup(group, 'io.stat')
    .split('\n')
    .find((one) => one.startsWith(`${deviceOf(DISK)} `));
  const number = (key: Key) => Number(new RegExp(`${key}=(\\d+)`).exec(line ?? '')?.[1] ?? 0);
  return { rbytes: number('rbytes'), wbytes: number('wbytes'), rios: number('rios'), wios: number('wios') };
}

/** Per second, from when it has begun. */
async function rate(group: string, key: Key): Promise<number> {
  await eventually(() => transferred(group)[key] > 0);
  const begun = performance.now();
  const before = transferred(group)[key];
  await delay(SECONDS * 1000);
  return ((transferred(group)[key] - before) * 1000) / (performance.now() - begun);
}

describe('limits of disks', () => {
  it('readers and writers are held to their bytes and operations per second', TIMED, async ({ stage }) => {
    const dd = (...words: readonly string[]) => ['dd', 'status=none', ...words];
    const paths = [DISK];
    const file = (name: string) => join(DISK, name);
    try {
      const master = stage.run([
        {
          id: 'writer',
          command: creature('write-direct', file('written'), '64', 'sleep'),
          limits: { io: { max_write_bps: '4MiB/s', paths } },
        },
        {
          id: 'slow-writer',
          command: dd('if=/dev/zero', `of=${file('in-pieces')}`, 'bs=4k', 'oflag=direct', 'count=4000'),
          limits: { io: { max_write_ops: 20, paths } },
        },
        {
          id: 'reader',
          command: dd('if=/dev/vdb', 'of=/dev/null', 'bs=256k', 'iflag=direct'),
          limits: { io: { max_read_bps: '2MiB/s', paths } },
        },
        {
          id: 'slow-reader',
          command: dd('if=/dev/vdb', 'of=/dev/null', 'bs=4k', 'iflag=direct'),
          limits: { io: { max_read_ops: 30, paths } },
        },
      ]);
      const group = async (id: string) => cgroupOf(await master.started(id));
      const expected = [
        [await group('writer'), 'wbytes', 4 * MIB],
        [await group('slow-writer'), 'wios', 20],
        [await group('reader'), 'rbytes', 2 * MIB],
        [await group('slow-reader'), 'rios', 30],
      ] as const;
      const rates = await Promise.all(expected.map(([of, key]) => rate(of, key)));
      for (const [index, [, , allowed]] of expected.entries()) {
        expect(rates[index]).toBeGreaterThan(allowed * 0.75);
        expect(rates[index]).toBeLessThan(allowed * 1.25);
      }
      expect((await master.stop()).code).toBe(0);
    } finally {
      for (const name of ['written', 'in-pieces']) rmSync(file(name), { force: true });
    }
  });
});
