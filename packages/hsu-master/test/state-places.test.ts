import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { runsOn } from './adoption.ts';
import { it, type Stage } from './drive.ts';
import { NOBODY, unsuitableForNobody } from './ordinary.ts';

const isRoot = process.getuid?.() === 0;
const MOUNT = '/bin/mount';

/** Fills the folder’s file system; returns the file that does. */
function fill(folder: string): string {
  const file = join(folder, 'ballast');
  for (const size of [4096, 1]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Full.
    }
  }
  return file;
}

/** Runs the action with a file system of 256 KiB; false where none may be mounted. */
async function withSmallDisk(stage: Stage, action: (folder: string) => Promise<void>): Promise<boolean> {
  const folder = stage.path('small');
  mkdirSync(folder);
  try {
    execFileSync(MOUNT, ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return false;
  }
  try {
    await action(folder);
  } finally {
    execFileSync('/bin/umount', ['-l', folder]);
  }
  return true;
}

describe.runIf(isRoot && existsSync(MOUNT))('a full disk for the state (root: mounts a tmpfs)', () => {
  it('G3: keeps what was written, begins nothing, says so; the next master takes charge, and all goes on with room again', async ({
    stage,
    skip,
  }) => {
    const mounted = await withSmallDisk(stage, async (small) => {
      const restart = { policy: 'always', delay: '100ms', max_delay: '200ms', max_retries: 1000 };
      const workers = [
        { id: 'stays', command: zoo.sleeps().argv },
        { id: 'falls', command: ['sh', '-c', 'sleep 0.1; exit 1'], restart },
        { id: 'rests', command: zoo.sleeps().argv },
      ];
      const config = stage.config(workers);
      const args = ['run', config, '--state-dir', small, '--log-dir', stage.path('logs')];
      const first = stage.hsu(args);
      const stays = await first.started('stays');
      await first.started('rests');
      const stop = await stage.hsu(['stop', 'rests', '--state-dir', small]).end();
      expect(stop.code).toBe(0);
      const desired = readFileSync(join(small, 'desired.json'), 'utf8');
      const ballast = fill(small);
      await first.line(/^falls: cannot start .*: its run record cannot be written: ENOSPC/);
      await first.stop('SIGKILL');
      const second = stage.hsu(args);
      expect(await runsOn(second, 'stays')).toBe(stays);
      await second.line(/^falls: cannot start .*ENOSPC/);
      expect(readFileSync(join(small, 'desired.json'), 'utf8')).toBe(desired);
      rmSync(ballast);
      await second.next(/^falls: started/);
      expect((await second.stop()).code).toBe(0);
      expect(second.matching(/^rests: started/)).toEqual([]);
    });
    if (!mounted) skip('mounting is not permitted here');
    expect(stage.processes()).toEqual([]);
  });

  it('G3: an operator’s stop that cannot be written is told; it holds until the master is killed, and beyond where there was room again', async ({
    stage,
    skip,
  }) => {
    const mounted = await withSmallDisk(stage, async (small) => {
      const restart = { policy: 'always', delay: '100ms', max_delay: '200ms', max_retries: 1000 };
      const config = stage.config([
        { id: 'late', command: zoo.sleeps().argv },
        { id: 'early', command: zoo.sleeps().argv },
        { id: 'falls', command: ['sh', '-c', 'sleep 0.1; exit 1'], restart },
      ]);
      const args = ['run', config, '--state-dir', small, '--log-dir', stage.path('logs')];
      const stop = async (id: string): Promise<void> => {
        expect((await stage.hsu(['stop', id, '--state-dir', small]).end()).code).toBe(0);
      };
      const first = stage.hsu(args);
      for (const id of ['late', 'early']) await first.started(id);
      const ballast = fill(small);
      // What is left of the last block is used up.
      await first.line(/^falls: cannot start .*: its run record cannot be written: ENOSPC/);
      await stop('late');
      await first.line(/could not be written down, trying again: .*ENOSPC/);
      await first.stop('SIGKILL');
      rmSync(ballast);
      const second = stage.hsu(args);
      // Nobody could know.
      await second.started('late');
      const again = fill(small);
      await second.line(/^falls: cannot start .*: its run record cannot be written: ENOSPC/);
      await stop('early');
      rmSync(again);
      await second.next(/^falls: started/);
      await second.stop('SIGKILL');
      const third = stage.hsu(args);
      await runsOn(third, 'late');
      await third.next(/^falls: started/);
      expect(third.matching(/^early: (started|runs on)/)).toEqual([]);
      expect((await third.stop()).code).toBe(0);
    });
    if (!mounted) skip('mounting is not permitted here');
    expect(stage.processes()).toEqual([]);
  });
});

describe.runIf(isRoot)('an ordinary user without a home that can be written', () => {
  it('G4: is told the place and what names another', async ({ stage, skip }) => {
    const unsuitable = unsuitableForNobody(stage);
    if (unsuitable !== null) skip(unsuitable);
    const home = stage.path('read-only');
    mkdirSync(home);
    chmodSync(home, 0o555);
    const bare = { HSU_HOME: undefined, XDG_RUNTIME_DIR: undefined, XDG_STATE_HOME: undefined };
    for (const HOME of [home, undefined]) {
      const options = { uid: NOBODY, gid: NOBODY, env: { ...bare, HOME } };
      const master = stage.run([{ id: 'job', command: 'true' }], [], options);
      expect((await master.end()).code).toBe(1);
      expect(master.stderr).toMatch(
        /^hsu-master: cannot use the state directory \S+: (?:EACCES|ENOENT).*; name another with --state-dir or HSU_HOME\n$/,
      );
    }
  });
});
