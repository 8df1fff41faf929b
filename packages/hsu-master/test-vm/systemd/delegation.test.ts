import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { cgroupOf, makeGroup, readCgroup, writeCgroup } from '../../test/cgroups.ts';
import { it, type Launched } from '../../test/drive.ts';
import { giveStage, ORDINARY, userSession } from '../guest.ts';

const SCOPE = ['systemd-run', '--scope', '--quiet', '-p', 'Delegate=yes'];

async function groupOf(launched: Launched): Promise<string> {
  await launched.line(/^up$/);
  return cgroupOf(launched.pid);
}

describe('a guest with systemd', () => {
  it('has it as PID 1 and mounts version 2 of cgroups only', () => {
    expect(readFileSync('/proc/1/comm', 'utf8')).toBe('systemd\n');
    expect(readCgroup('/sys/fs/cgroup', 'cgroup.controllers').split(' ')).toEqual(
      expect.arrayContaining(['cpu', 'io', 'memory', 'pids']),
    );
  });

  it('gives root a delegated scope', async ({ stage }) => {
    const scope = stage.launch([...SCOPE, '-p', 'MemoryMax=64M', ...creature('print', 'up', 'sleep')]);
    const group = await groupOf(scope);
    expect(basename(group)).toMatch(/\.scope$/);
    expect(readCgroup(group, 'memory.max')).toBe(String(64 << 20));
    const below = makeGroup(group, 'below');
    writeCgroup(below, 'cgroup.procs', scope.pid);
    writeCgroup(group, 'cgroup.subtree_control', '+memory +pids');
    expect(readCgroup(below, 'memory.max')).toBe('max');
    expect(await scope.stop('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('gives an ordinary user one through that user’s manager', async ({ stage }) => {
    giveStage(stage);
    const words = ['systemd-run', '--user', ...SCOPE.slice(1), ...creature('print', 'up', 'sleep')];
    const scope = stage.launch(words, userSession());
    const group = await groupOf(scope);
    expect(group).toContain(`/user@${ORDINARY}.service/`);
    expect(readCgroup(group, 'cgroup.controllers').split(' ').sort()).toEqual(['cpu', 'memory', 'pids']);
    expect(await scope.stop('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' });
  });
});
