import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHierarchies } from '../src/host/cgroup/hierarchies.ts';

const V2 =
  '31 23 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate';

/** What a system shows, and where its process is. */
interface System {
  readonly cgroup: string;
  readonly mountinfo: string;
  readonly unified: string | null;
  readonly own: Readonly<Record<string, string | null>>;
}

const SYSTEMS: Readonly<Record<string, System>> = {
  'systemd with cgroup v2': {
    cgroup:
      '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/x\\x2dy.scope',
    mountinfo: `22 1 254:0 / / rw - ext4 /dev/vda rw\n${V2}`,
    unified:
      '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/x\\x2dy.scope',
    own: {},
  },
  'systemd, hybrid': {
    cgroup: [
      '12:pids:/system.slice/web.service',
      '4:cpu,cpuacct:/system.slice/web.service',
      '3:freezer:/',
      '1:name=systemd:/system.slice/web.service',
      '0::/system.slice/web.service',
    ].join('\n'),
    mountinfo: [
      '25 23 0:22 / /sys/fs/cgroup ro,nosuid shared:8 - tmpfs tmpfs ro,mode=755',
      '26 25 0:23 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw,nsdelegate',
      '27 25 0:24 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,xattr,name=systemd',
      '30 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:14 - cgroup cgroup rw,cpu,cpuacct',
      '31 25 0:28 / /sys/fs/cgroup/pids rw shared:15 - cgroup cgroup rw,pids',
      '32 25 0:29 / /sys/fs/cgroup/freezer rw shared:16 - cgroup cgroup rw,freezer',
    ].join('\n'),
    unified: '/sys/fs/cgroup/unified/system.slice/web.service',
    own: {
      pids: '/sys/fs/cgroup/pids/system.slice/web.service',
      cpu: '/sys/fs/cgroup/cpu,cpuacct/system.slice/web.service',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct/system.slice/web.service',
      freezer: '/sys/fs/cgroup/freezer',
    },
  },
  'cgroup v1 alone': {
    cgroup: '8:memory:/a\n2:cpu:/\n1:name=elogind:/1\n',
    mountinfo: [
      '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
      '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu',
    ].join('\n'),
    unified: null,
    own: { memory: '/sys/fs/cgroup/memory/a', cpu: '/sys/fs/cgroup/cpu' },
  },
  'docker on cgroup v1: the mount shows the container’s part': {
    cgroup: '9:memory:/docker/0123abcd\n0::/',
    mountinfo:
      '900 890 0:32 /docker/0123abcd /sys/fs/cgroup/memory ro,nosuid master:17 - cgroup cgroup rw,memory',
    unified: null,
    own: { memory: '/sys/fs/cgroup/memory' },
  },
  'docker on cgroup v2 with a namespace of its own': {
    cgroup: '0::/',
    mountinfo: '900 890 0:28 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw',
    unified: '/sys/fs/cgroup',
    own: {},
  },
  'docker on cgroup v2 in the host’s namespace': {
    cgroup: '0::/system.slice/docker-0123abcd.scope',
    mountinfo: '900 890 0:28 / /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate',
    unified: '/sys/fs/cgroup/system.slice/docker-0123abcd.scope',
    own: {},
  },
  'a bind mount of a part of the tree that we are below': {
    cgroup: '0::/machine/pod/one',
    mountinfo: '900 890 0:28 /machine/pod /cg rw - cgroup2 cgroup rw',
    unified: '/cg/one',
    own: {},
  },
  'a bind mount of another part': {
    cgroup: '0::/machine/pod/one',
    mountinfo: '900 890 0:28 /machine/other /cg rw - cgroup2 cgroup rw',
    unified: null,
    own: {},
  },
  'a namespace whose root is below what is mounted': {
    cgroup: '0::/',
    mountinfo: '900 890 0:28 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw',
    unified: null,
    own: {},
  },
  'outside of its namespace, on a mount from there': {
    cgroup: '0::/../beside',
    mountinfo: '900 890 0:28 /.. /sys/fs/cgroup rw - cgroup2 cgroup rw',
    unified: '/sys/fs/cgroup/beside',
    own: {},
  },
  'a mount that another has covered': {
    cgroup: '0::/x',
    mountinfo: [V2, '99 23 0:50 / /sys/fs/cgroup rw - tmpfs tmpfs rw'].join('\n'),
    unified: null,
    own: {},
  },
  'two mounts, one to be read only': {
    cgroup: '0::/x',
    mountinfo: ['90 23 0:28 / /ro ro - cgroup2 cgroup rw', '91 23 0:28 / /rw rw - cgroup2 cgroup rw'].join(
      '\n',
    ),
    unified: '/rw/x',
    own: {},
  },
  'a cgroup that was removed': {
    cgroup: '0::/gone (deleted)',
    mountinfo: V2,
    unified: '/sys/fs/cgroup/gone',
    own: {},
  },
};

describe('where a process is', () => {
  test.each(Object.entries(SYSTEMS))('%s', (_name, { cgroup, mountinfo, unified, own }) => {
    const found = parseHierarchies(cgroup, mountinfo);
    expect(found.unified?.own ?? null).toBe(unified);
    expect(Object.fromEntries([...found.controllers].map(([name, one]) => [name, one.own]))).toEqual(own);
  });

  test('a mount that may not be written to is told from one that may', () => {
    const { cgroup, mountinfo } = SYSTEMS['docker on cgroup v2 with a namespace of its own'] as System;
    expect(parseHierarchies(cgroup, mountinfo).unified?.readOnly).toBe(true);
    expect(parseHierarchies('0::/', V2).unified?.readOnly).toBe(false);
  });

  const name = fc
    .string({
      minLength: 1,
      maxLength: 8,
      unit: fc.constantFrom('a', 'é', ':', ' ', '\\', '\t', '-', '.x', ','),
    })
    .filter((text) => text !== '.' && text !== '..' && !text.endsWith(' (deleted)'));
  const path = fc.array(name, { maxLength: 4 });
  const escape = (text: string) =>
    text.replace(/[ \t\n\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`);

  test('any names: escapes of mountinfo are undone, the cgroup’s own path is taken as it is', () => {
    fc.assert(
      fc.property(path, path, path, (point, root, below) => {
        const mount = `/${point.join('/')}`;
        const shown = `/${root.join('/')}`;
        const own = `/${[...root, ...below].join('/')}`;
        const mountinfo = `1 2 0:28 ${escape(shown)} ${escape(mount)} rw - cgroup2 none rw`;
        const { unified } = parseHierarchies(`0::${own}`, mountinfo);
        expect(unified?.own).toBe(`/${[...point, ...below].join('/')}`);
      }),
    );
  });

  test('no text makes it fail', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (cgroup, mountinfo) => {
        parseHierarchies(cgroup, mountinfo);
      }),
    );
  });
});
