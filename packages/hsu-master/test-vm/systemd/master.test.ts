import { execFileSync } from 'node:child_process';
import { creature } from '@hsu-master/testkit';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { runsOn } from '../../test/adoption.ts';
import { allGroups, becoming, cgroupOf, membersOf } from '../../test/cgroups.ts';
import { it, type Launched, PATIENCE, type Stage } from '../../test/drive.ts';
import { isAlive } from '../../test/proc.ts';
import { CGROUPS, giveStage, ORDINARY, userSession } from '../guest.ts';

const workers = [
  {
    id: 'hog',
    command: creature('hog', '64', 'sleep'),
    limits: { memory: '24MiB' },
    restart: 'never',
  },
  {
    id: 'forks',
    command: creature('forks', '40', 'sleep'),
    limits: { process: { max_processes: 10 } },
  },
];

const SERVICE = ['systemd-run', '--pipe', '--wait', '--collect', '--quiet'];

/** As `systemd-run` wants them: properties, and the variables that a service would not have. */
const properties = (...list: readonly string[]) => list.flatMap((property) => ['-p', property]);
const service = (stage: Stage, unit: string, ...list: readonly string[]): readonly string[] => [
  ...SERVICE,
  `--unit=${unit}`,
  ...Object.entries(stage.environment()).map(([name, value]) => `--setenv=${name}=${value}`),
  ...properties(`WorkingDirectory=${stage.folder}`, ...list),
];

/** Resolves when no group is left; systemd removes those of units in its own time. */
async function leavesNone(): Promise<void> {
  const left = () => allGroups().filter((group) => /hsu-(master|test)/.test(group));
  await vi.waitFor(() => expect(left()).toEqual([]), { timeout: PATIENCE, interval: 50 });
}

/** Both limits held by the kernel. */
async function enforces(master: Launched): Promise<string> {
  await master.line(/^forks +\| forks 9 EAGAIN/);
  await master.line(/^hog: killed by SIGKILL \(out of memory: at its limit\)/);
  expect(master.matching(/its limit .* (is watched|cannot)/)).toEqual([]);
  return cgroupOf(await master.started('forks'));
}

describe('a master under systemd', () => {
  it('asks for a delegated scope from a session as of a login, and ends with it', async ({ stage }) => {
    const session = ['systemd-run', '--scope', '--quiet', '--unit=hsu-test-session'];
    const master = stage.run(workers, [], { through: session });
    const group = await enforces(master);
    const scope = /^(.*\/hsu-master-[^/]+\.scope)\//.exec(group)?.[1] ?? '';
    expect(scope).not.toBe('');
    expect(cgroupOf(master.pid).startsWith(`${scope}/`)).toBe(true);
    const name = scope.slice(scope.lastIndexOf('/') + 1);
    const delegated = execFileSync('systemctl', ['show', '-P', 'Delegate', name], { encoding: 'utf8' });
    expect(delegated).toBe('yes\n');
    expect((await master.stop()).code).toBe(0);
    await leavesNone();
  });

  it('finds that scope again after it was killed', async ({ stage }) => {
    const session = ['systemd-run', '--scope', '--quiet'];
    const config = stage.config(workers);
    const first = stage.hsu(['run', config], { through: [...session, '--unit=hsu-test-first'] });
    const group = await enforces(first);
    const held = membersOf(group);
    await first.stop('SIGKILL');
    expect(held.filter(isAlive)).toEqual(held);
    const second = stage.hsu(['run', config], { through: [...session, '--unit=hsu-test-second'] });
    expect(cgroupOf(await runsOn(second, 'forks'))).toBe(group);
    expect(held.filter(isAlive)).toEqual(held);
    expect((await second.stop()).code).toBe(0);
    await leavesNone();
  });

  it('uses its own unit as a service with Delegate=yes, and shows what that allows', async ({ stage }) => {
    const unit = 'hsu-test-delegated.service';
    const through = service(stage, unit, 'Delegate=yes', 'MemoryMax=300M', 'TasksMax=200', 'CPUQuota=150%');
    const master = stage.run(workers, [], { through });
    const group = await enforces(master);
    expect(group).toContain(`/${unit}/`);
    execFileSync('systemctl', ['kill', '--kill-whom=main', '--signal=SIGTERM', unit]);
    expect((await master.end()).code).toBe(0);
    const doctor = stage.hsu(['doctor'], { through });
    expect((await doctor.end()).code).toBe(0);
    expect(doctor.stdout).toMatch(new RegExp(`^cgroup2 +enforced .*delegated unit ${unit}`, 'm'));
    for (const limit of ['memory.max 300MiB', 'pids.max 200', 'cpu.max 150 % of a core']) {
      expect(doctor.stdout).toContain(`${limit} of /system.slice/${unit}`);
    }
    await leavesNone();
  });

  it('says what a service without Delegate lacks, and does with what is left', async ({ stage }) => {
    const unit = 'hsu-test-undelegated.service';
    const through = service(stage, unit);
    const master = stage.run(workers, [], { through });
    expect(await master.line(/^hog: its limit memory\.max_rss is watched, not enforced/)).toContain(
      `${unit} is not delegated: add Delegate=yes to the unit`,
    );
    await master.line(/^forks +\| forks 40 ok/);
    const pid = await master.started('forks');
    expect(cgroupOf(pid)).toBe(`${CGROUPS}/system.slice/${unit}`);
    execFileSync('systemctl', ['kill', '--kill-whom=main', '--signal=SIGTERM', unit]);
    expect((await master.end()).code).toBe(0);
    await leavesNone();
  });

  describe('of an ordinary user', () => {
    let session: ReturnType<typeof userSession>;
    beforeAll(() => {
      session = userSession();
    });
    afterAll(() => {
      execFileSync('systemctl', ['stop', `user@${ORDINARY}.service`]);
    });

    it('asks that user’s manager from a scope of it', async ({ stage }) => {
      giveStage(stage);
      const scope = ['systemd-run', '--user', '--scope', '--quiet', '--unit=hsu-test-user'];
      const master = stage.run(workers, [], { ...session, through: [...becoming(ORDINARY), ...scope] });
      const group = await enforces(master);
      expect(group).toMatch(new RegExp(`/user@${ORDINARY}\\.service/.*/hsu-master-[^/]+\\.scope/`));
      expect((await master.stop()).code).toBe(0);
      await leavesNone();
    });

    it('asks that user’s manager from the scope of a login', async ({ stage }) => {
      giveStage(stage);
      // As logind makes them: a scope of the system's manager in the slice of the user.
      const login = [
        'systemd-run',
        '--scope',
        '--quiet',
        `--slice=user-${ORDINARY}.slice`,
        '--unit=hsu-test-login',
      ];
      const master = stage.run(workers, [], { ...session, through: [...login, ...becoming(ORDINARY)] });
      const group = await enforces(master);
      expect(group).toMatch(new RegExp(`/user@${ORDINARY}\\.service/.*/hsu-master-[^/]+\\.scope/`));
      expect((await master.stop()).code).toBe(0);
      await leavesNone();
    });
  });
});
