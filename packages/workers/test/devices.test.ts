import { mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findDevices, mountOf } from '../src/host/cgroup/devices.ts';
import { pageSize, readMachine } from '../src/host/cgroup/machine.ts';
import { rightsOfMaster } from '../src/host/cgroup/rights.ts';
import { formatDevice, type SystemView, systemView } from '../src/host/cgroup/system-view.ts';
import { tree2, trees1, user } from './limit-settings.ts';

interface System {
  readonly files?: Readonly<Record<string, string>>;
  /** Paths that exist, and the device each is on. */
  readonly paths?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly directories?: Readonly<Record<string, readonly string[]>>;
  readonly auxv?: Uint8Array;
}

function viewOf({ files = {}, paths = {}, links = {}, directories = {}, auxv }: System): SystemView {
  return {
    readText: (file) => files[file] ?? null,
    readBytes: () => auxv ?? null,
    list: (directory) => directories[directory] ?? null,
    realPath: (path) => links[path] ?? (path in paths ? path : null),
    deviceOf: (path) => paths[path] ?? null,
    niceness: () => 3,
  };
}

/** A disk with a partition. */
const sda = {
  '/sys/dev/block/8:0/uevent': 'MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk',
  '/sys/dev/block/8:0/queue/scheduler': 'none mq-deadline [bfq]',
  '/sys/dev/block/8:1/uevent': 'DEVNAME=sda1',
  '/sys/dev/block/8:1/partition': '1',
  '/sys/dev/block/8:1/../dev': '8:0',
  '/sys/class/block/sda1/dev': '8:1',
};
const sdb = {
  '/sys/dev/block/8:16/uevent': 'DEVNAME=sdb',
  '/sys/dev/block/8:16/queue/scheduler': '[none]',
  '/sys/class/block/sdb/dev': '8:16',
};

const mounts = (...lines: readonly string[]): Readonly<Record<string, string>> => ({
  '/proc/self/mountinfo': lines.map((line) => `36 35 ${line}`).join('\n'),
});

describe('disks of a path', () => {
  test('of a partition the disk, with what shares it by weight', () => {
    const view = viewOf({ files: sda, paths: { '/srv': '8:1' } });
    expect(findDevices(['/srv'], view)).toEqual([
      { path: '/srv', devices: [{ id: '8:0', name: 'sda', weighs: 'bfq' }], reason: '' },
    ]);
  });

  test('of a path that is not there yet that of the nearest directory', () => {
    const view = viewOf({ files: sda, paths: { '/': '8:16', '/srv': '8:0' } });
    expect(findDevices(['/srv/data/new'], view)[0]?.devices).toMatchObject([{ id: '8:0' }]);
  });

  test('of what is stacked the uppermost, with the weights of the disks below', () => {
    const files = {
      ...sda,
      ...sdb,
      '/sys/dev/block/253:1/uevent': 'DEVNAME=dm-1',
      '/sys/class/block/dm-0/dev': '253:0',
    };
    const directories = {
      '/sys/dev/block/253:1/slaves': ['dm-0', 'lost'],
      '/sys/dev/block/253:0/slaves': ['sda1', 'sdb'],
    };
    const view = viewOf({ files, directories, paths: { '/srv': '253:1' } });
    expect(findDevices(['/srv'], view)[0]?.devices).toEqual([{ id: '253:1', name: 'dm-1', weighs: 'bfq' }]);
  });

  test('iocost counts where it is switched on for the disk', () => {
    const on = (text: string) => {
      const files = { ...sdb, '/sys/fs/cgroup/io.cost.qos': text };
      return findDevices(['/srv'], viewOf({ files, paths: { '/srv': '8:16' } }))[0]?.devices[0]?.weighs;
    };
    expect(on('8:0 enable=1 ctrl=auto\n8:16 enable=1 ctrl=auto')).toBe('iocost');
    expect(on('8:0 enable=1 ctrl=auto\n8:16 enable=0 ctrl=auto')).toBeNull();
  });

  test('cfq counts, and a disk without a scheduler has no weights', () => {
    const entry = '/sys/dev/block/8:16';
    const cfq = { ...sdb, [`${entry}/queue/scheduler`]: 'noop deadline [cfq]' };
    expect(
      findDevices(['/srv'], viewOf({ files: cfq, paths: { '/srv': '8:16' } }))[0]?.devices,
    ).toMatchObject([{ weighs: 'cfq' }]);
    const bare = { [`${entry}/uevent`]: 'DEVNAME=sdb' };
    expect(
      findDevices(['/srv'], viewOf({ files: bare, paths: { '/srv': '8:16' } }))[0]?.devices,
    ).toMatchObject([{ weighs: null }]);
  });

  test('of btrfs all its disks', () => {
    const view = viewOf({
      files: { ...sda, ...sdb, ...mounts('0:40 / /srv rw - btrfs /dev/sda1 rw') },
      directories: {
        '/sys/fs/btrfs': ['features', '1f2e'],
        '/sys/fs/btrfs/1f2e/devices': ['sda1', 'lost', 'sdb'],
      },
      paths: { '/srv': '0:41', '/dev/sda1': '8:1' },
    });
    expect(findDevices(['/srv'], view)[0]?.devices.map(({ name }) => name)).toEqual(['sda', 'sdb']);
  });

  test('of btrfs that /sys does not tell about, the one that is mounted', () => {
    const view = viewOf({
      files: { ...sda, ...mounts('0:40 / /srv rw - btrfs /dev/sda1 rw') },
      directories: { '/sys/fs/btrfs': ['features'] },
      paths: { '/srv': '0:41', '/dev/sda1': '8:1' },
    });
    expect(findDevices(['/srv'], view)[0]?.devices.map(({ name }) => name)).toEqual(['sda']);
    const blind = viewOf({
      files: { ...sda, ...mounts('0:40 / /srv rw - btrfs /dev/sda1 rw') },
      paths: { '/srv': '0:41', '/dev/sda1': '8:1' },
    });
    expect(findDevices(['/srv'], blind)[0]?.devices.map(({ name }) => name)).toEqual(['sda']);
  });

  test('of another file system whose device number is made up, the disks of its mount', () => {
    const view = viewOf({
      files: { ...sda, ...sdb, ...mounts('0:40 / /srv rw - bcachefs /dev/sda1:/dev/sdb rw') },
      paths: { '/srv': '0:40', '/dev/sda1': '8:1', '/dev/sdb': '8:16' },
    });
    expect(findDevices(['/srv'], view)[0]?.devices.map(({ name }) => name)).toEqual(['sda', 'sdb']);
  });

  test.each([
    [
      'overlay overlay rw,upperdir=/x',
      'on an overlay, whose layers may be on any disk; name a path that is on one itself',
    ],
    ['tmpfs tmpfs rw', 'on a tmpfs, which is memory'],
    ['zfs pool/data rw', 'on zfs, which keeps its disks to itself'],
    ['nfs4 server:/export rw', 'on nfs4, which is no disk of this machine'],
    ['fuse.sshfs host: rw', 'on fuse.sshfs, which is no disk of this machine'],
    ['proc proc rw', 'on proc, which has no disk'],
    ['btrfs /dev/gone rw', 'on btrfs, which has no disk'],
  ])('none: %s', (mount, reason) => {
    const files = mounts('8:1 / / rw - ext4 /dev/sda1 rw', `0:50 / /srv rw - ${mount}`);
    const view = viewOf({ files, paths: { '/srv': '0:50' } });
    expect(findDevices(['/srv'], view)).toEqual([{ path: '/srv', devices: [], reason }]);
  });

  test('none: what cannot be looked at, is nowhere, or is unknown to /sys', () => {
    expect(findDevices(['/srv'], viewOf({}))[0]?.reason).toBe('cannot be looked at');
    expect(findDevices(['/srv'], viewOf({ links: { '/srv': '/else' } }))[0]?.reason).toBe(
      'cannot be looked at',
    );
    expect(findDevices(['/srv'], viewOf({ paths: { '/srv': '0:9' } }))[0]?.reason).toBe(
      'is on no mount that is known',
    );
    expect(findDevices(['/srv'], viewOf({ paths: { '/srv': '8:7' } }))[0]?.reason).toBe(
      '/sys knows no block device 8:7',
    );
  });

  test('a partition whose disk cannot be read stands for itself', () => {
    const { '/sys/dev/block/8:1/../dev': _disk, ...files } = sda;
    const view = viewOf({ files, paths: { '/srv': '8:1' } });
    expect(findDevices(['/srv'], view)[0]?.devices).toMatchObject([{ id: '8:1' }]);
  });
});

describe('the mount of a path', () => {
  const table = [
    '27 1 254:0 / / rw - ext4 /dev/vda rw',
    '30 27 0:30 / /srv rw shared:1 - tmpfs first rw',
    '31 30 0:31 / /srv rw shared:2 master:3 - xfs /dev/two\\040words rw',
    '32 27 0:32 / /with\\040blank rw - nfs host:/x rw',
    'no mount at all',
    '33 27 0:33 / /half rw - alone',
  ].join('\n');

  test.each([
    ['/srv/data', '/srv', 'xfs'],
    ['/srv', '/srv', 'xfs'],
    ['/srvice', '/', 'ext4'],
    ['/', '/', 'ext4'],
    ['/with blank/x', '/with blank', 'nfs'],
    ['/half', '/', 'ext4'],
  ])('%s is on %s', (path, point, type) => {
    expect(mountOf(path, table)).toMatchObject({ point, type });
  });

  test('names of devices are spelled out', () => {
    expect(mountOf('/srv', table)?.source).toBe('/dev/two words');
    expect(mountOf('/srv', '')).toBeNull();
  });
});

test.each([
  [0n, '0:0'],
  [0x801n, '8:1'],
  [0xfe00n, '254:0'],
  // Minor numbers above 255 and major ones above 4095 are in the upper bits.
  [0x10_0801n, '8:257'],
  [0x1000_0000_0801n, '4104:1'],
])('the device number %d is %s', (device, text) => {
  expect(formatDevice(device)).toBe(text);
});

describe('this machine', () => {
  test('a directory is on a disk that /sys knows, or it is said on what', () => {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'hsu-devices-')));
    try {
      const [found] = findDevices([join(directory, 'not', 'there')]);
      if (found === undefined || found.devices.length === 0) {
        expect(found?.reason).toMatch(/^on |^\/sys knows/);
        return;
      }
      for (const { id, name } of found.devices) {
        expect(systemView.readText(`/sys/class/block/${name}/dev`)).toBe(id);
        expect(systemView.readText(`/sys/dev/block/${id}/partition`)).toBeNull();
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('/proc is on no disk', () => {
    expect(findDevices(['/proc/self/status'])).toEqual([
      { path: '/proc/self/status', devices: [], reason: 'on proc, which has no disk' },
    ]);
  });

  test('each disk leads to itself by its name in /dev', () => {
    for (const name of systemView.list('/sys/block') ?? []) {
      const node = `/dev/${name}`;
      if (statSync(node, { throwIfNoEntry: false })?.isBlockDevice() !== true) continue;
      expect(findDevices([node])[0]?.devices).toMatchObject([
        { id: systemView.readText(`/sys/block/${name}/dev`), name },
      ]);
    }
  });

  test('has CPUs, memory, pages and a bound on open files', () => {
    const facts = readMachine({
      tree2: null,
      trees1: new Map(),
      countsSwap: false,
      missing: new Map(),
      origin: '',
      rights: rightsOfMaster(),
      above: [],
    });
    expect(facts.cpus).toBeGreaterThanOrEqual(1);
    expect(facts.totalMemory).toBeGreaterThan(16 * 1024 * 1024);
    expect(Math.log2(facts.pageSize) % 1).toBe(0);
    expect(facts.maxOpenFiles).toBeGreaterThan(1000);
    expect(facts.files).toEqual(new Set());
    expect(facts.niceness).toBe(systemView.niceness());
  });

  test('what is not there is null', () => {
    expect(systemView.readText('/nowhere/at/all')).toBeNull();
    expect(systemView.readBytes('/nowhere/at/all')).toBeNull();
    expect(systemView.list('/nowhere/at/all')).toBeNull();
    expect(systemView.realPath('/nowhere/at/all')).toBeNull();
    expect(systemView.deviceOf('/nowhere/at/all')).toBeNull();
  });
});

describe('a machine', () => {
  const facilities = {
    tree2: tree2(),
    trees1: trees1(['cpu', 'cpuset']),
    countsSwap: true,
    missing: new Map(),
    origin: '',
    rights: user,
    above: [],
  };
  const base = '/sys/fs/cgroup/cpu/base';

  test('is read', () => {
    const auxv = new BigUint64Array([16n, 1n, 6n, 65_536n, 0n, 0n]);
    const view = viewOf({
      files: {
        '/proc/meminfo': 'MemTotal:        1024 kB\nMemFree: 3 kB',
        '/sys/devices/system/cpu/online': '0-2,5',
        '/sys/fs/cgroup/cpuset/base/cpuset.effective_mems': '1',
        '/proc/sys/fs/nr_open': '5000',
        '/proc/sys/kernel/core_pattern': '|/x',
        '/proc/sys/kernel/sched_autogroup_enabled': '1',
        [`${base}/cpu.cfs_quota_us`]: '-1',
        [`${base}/cpu.cfs_period_us`]: '100000',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '150000',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      },
      directories: {
        '/sys/fs/cgroup/base': ['memory.max'],
        [base]: ['cpu.shares'],
        '/sys/fs/cgroup/cpuset/base': ['cpuset.cpus'],
      },
      auxv: new Uint8Array(auxv.buffer),
    });
    expect(readMachine(facilities, view)).toEqual({
      cpus: 4,
      totalMemory: 1024 * 1024,
      pageSize: 65_536,
      memoryNodes: '1',
      maxOpenFiles: 5000,
      corePattern: '|/x',
      niceness: 3,
      groupsSessions: true,
      files: new Set(['memory.max', 'cpu.shares', 'cpuset.cpus']),
      cpuCeiling: 150,
    });
  });

  test('that shows nothing is taken to be ordinary', () => {
    expect(readMachine(facilities, viewOf({}))).toEqual({
      cpus: 4,
      totalMemory: Infinity,
      pageSize: 4096,
      memoryNodes: '0',
      maxOpenFiles: Infinity,
      corePattern: 'core',
      niceness: 3,
      groupsSessions: false,
      files: null,
      cpuCeiling: null,
    });
    expect(readMachine({ ...facilities, trees1: new Map() }, viewOf({})).cpuCeiling).toBeNull();
  });

  test('memory nodes are those that are online where no group names some', () => {
    const files = {
      '/sys/fs/cgroup/cpuset/base/cpuset.effective_mems': '',
      '/sys/devices/system/node/online': '0-1',
    };
    expect(readMachine(facilities, viewOf({ files })).memoryNodes).toBe('0-1');
  });

  test('an auxiliary vector that does not tell the size of a page is no harm', () => {
    expect(pageSize(new Uint8Array(new BigUint64Array([16n, 1n, 0n]).buffer))).toBe(4096);
  });
});
