import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { groupsIn } from '../../test/cgroups.ts';
import { it, PATIENCE, type Stage } from '../../test/drive.ts';
import { CGROUPS } from '../guest.ts';

const CAPABILITIES = ['CAP_KILL', 'CAP_SETUID', 'CAP_SETGID', 'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER'];
const MEMORY = 384 << 20;

/** A container of runc, with the guest’s own files, 384 MiB and 200 processes. `cgroups`: how it sees its own group. */
function bundle(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  cgroups: 'rw' | 'ro',
) {
  const types = ['pid', 'mount', 'ipc', 'uts', 'cgroup'];
  return {
    ociVersion: '1.0.2',
    root: { path: 'rootfs', readonly: false },
    process: {
      user: { uid: 0, gid: 0 },
      args,
      cwd: '/',
      env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      noNewPrivileges: false,
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: ['nosuid', 'noexec', 'nodev', cgroups],
      },
    ],
    linux: {
      namespaces: types.map((type) => ({ type })),
      cgroupsPath: '/hsu-container',
      resources: { memory: { limit: MEMORY }, pids: { limit: 200 } },
    },
  };
}

/** Runs the command in a container to its end. */
function inContainer(stage: Stage, words: readonly string[], cgroups: 'rw' | 'ro' = 'rw') {
  const folder = stage.path('bundle');
  mkdirSync(`${folder}/rootfs`, { recursive: true });
  const environment = Object.fromEntries(
    Object.entries(stage.environment()).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
  const config = bundle([process.execPath, stage.bin, ...words], environment, cgroups);
  writeFileSync(`${folder}/config.json`, JSON.stringify(config));
  execFileSync('mount', ['--rbind', '/', `${folder}/rootfs`]);
  execFileSync('mount', ['--make-rprivate', `${folder}/rootfs`]);
  try {
    const ran = spawnSync('runc', ['run', '-b', folder, 'hsu-container'], {
      encoding: 'utf8',
      timeout: 2 * PATIENCE,
    });
    return { code: ran.status, said: ran.stdout + ran.stderr };
  } finally {
    execFileSync('umount', ['--recursive', '--lazy', `${folder}/rootfs`]);
  }
}

describe('a master in a container of runc', () => {
  const config = [
    {
      id: 'hog',
      command: creature('hog', '128', 'sleep'),
      restart: 'never',
      limits: { memory: '64MiB', process: { max_processes: 5 } },
    },
    { id: 'calm', command: creature('print', 'up', 'sleep') },
  ];

  it('finds and uses the group that it is given, and shows the limits of the container', ({ stage }) => {
    const before = groupsIn(CGROUPS);
    const { said: told } = inContainer(stage, ['doctor']);
    expect(told).toMatch(/^cgroup2 +enforced +.*controllers: .*memory.*around it: .*memory\.max 384MiB/m);
    expect(told).toMatch(/pids\.max 200/);
    const { said } = inContainer(stage, ['run', stage.config(config), '--run-duration', '5']);
    expect(said).toMatch(/^hog: killed by the kernel at its limit memory\.max_rss of 64MiB$/m);
    expect(said).toMatch(/^calm +\| up$/m);
    expect(said).not.toMatch(/its limit .* (is watched|cannot be kept)/);
    expect(groupsIn(CGROUPS)).toEqual(before);
  });

  it('goes without where the group may only be looked at, and says so', ({ stage }) => {
    const { said } = inContainer(stage, ['run', stage.config(config), '--run-duration', '5'], 'ro');
    expect(said).toMatch(/^hog: its limit memory\.max_rss is watched, not enforced: /m);
    expect(said).toMatch(/^calm +\| up$/m);
  });
});
