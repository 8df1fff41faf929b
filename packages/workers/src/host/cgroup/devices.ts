import { posix } from 'node:path';
import { type SystemView, systemView } from './system-view.ts';

/** A whole block device, as cgroups name it. */
export interface Device {
  /** `major:minor`. */
  readonly id: string;
  /** `vda`, `dm-0`. */
  readonly name: string;
  /** What shares it between groups by weight; null: nothing does. */
  readonly weighs: 'bfq' | 'cfq' | 'iocost' | null;
}

/** Where the files of a path are kept. */
export interface DeviceLookup {
  /** As it was asked. */
  readonly path: string;
  /** Several for a file system over several disks; none: `reason` says why. */
  readonly devices: readonly Device[];
  readonly reason: string;
}

/** A line of /proc/self/mountinfo, see proc(5). */
interface Mount {
  readonly point: string;
  readonly type: string;
  readonly source: string;
}

/** File systems that are reached through something else than a disk of this machine. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  overlay: 'an overlay, whose layers may be on any disk; name a path that is on one itself',
  tmpfs: 'a tmpfs, which is memory',
  ramfs: 'a ramfs, which is memory',
  zfs: 'zfs, which keeps its disks to itself',
};
const NETWORK = /^(nfs|nfs4|cifs|smb3|9p|ceph|afs|virtiofs|glusterfs|fuse(\..*)?)$/;

/** The root group’s file that tells for which disks `io.weight` works. */
const IO_COST = '/sys/fs/cgroup/io.cost.qos';

/** What each of these absolute paths is on. Of one that does not exist yet, what its nearest directory is on. */
export function findDevices(
  paths: readonly string[],
  view: SystemView = systemView,
): readonly DeviceLookup[] {
  return paths.map((path) => {
    const ids = deviceIds(path, view);
    if (typeof ids === 'string') return { path, devices: [], reason: ids };
    const devices = [...new Set(ids.map((id) => wholeOf(id, view)))].flatMap(
      (id) => describe(id, view) ?? [],
    );
    const reason = devices.length === 0 ? `/sys knows no block device ${ids.join(', ')}` : '';
    return { path, devices, reason };
  });
}

/** The block devices below the file system of a path, or why there is none. */
function deviceIds(path: string, view: SystemView): readonly string[] | string {
  let nearest = path;
  while (view.realPath(nearest) === null && nearest !== posix.dirname(nearest))
    nearest = posix.dirname(nearest);
  const real = view.realPath(nearest);
  const id = real === null ? null : view.deviceOf(real);
  if (real === null || id === null) return 'cannot be looked at';
  if (!isAnonymous(id)) return [id];
  // The kernel made up this number: btrfs, for one, does so for each subvolume.
  const mount = mountOf(real, view.readText('/proc/self/mountinfo') ?? '');
  if (mount === null) return 'is on no mount that is known';
  const sources = mount.source.startsWith('/dev/') ? mount.source.split(':') : [];
  const found = sources.flatMap((source) => view.deviceOf(source) ?? []).filter((one) => !isAnonymous(one));
  if (found.length === 0) return elsewhere(mount);
  return mount.type === 'btrfs' ? membersOfBtrfs(found, view) : found;
}

function isAnonymous(id: string): boolean {
  return id.startsWith('0:');
}

function elsewhere({ type }: Mount): string {
  const known = ELSEWHERE[type];
  if (known !== undefined) return `on ${known}`;
  return NETWORK.test(type)
    ? `on ${type}, which is no disk of this machine`
    : `on ${type}, which has no disk`;
}

/** The mount that a path is on: the one with the longest path, of several there the last, which covers the others. */
export function mountOf(path: string, mountinfo: string): Mount | null {
  let best: Mount | null = null;
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    const point = unescape(before?.split(' ')[4] ?? '');
    const [type, source] = after?.split(' ') ?? [];
    if (point === '' || type === undefined || source === undefined) continue;
    const isOver = point === '/' || path === point || path.startsWith(`${point}/`);
    if (isOver && point.length >= (best?.point.length ?? 0)) best = { point, type, source: unescape(source) };
  }
  return best;
}

/** Blanks, tabs, line ends and backslashes are octal there. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** All disks of the btrfs that these are part of; themselves where that cannot be told. */
function membersOfBtrfs(ids: readonly string[], view: SystemView): readonly string[] {
  for (const id of view.list('/sys/fs/btrfs') ?? []) {
    const names = view.list(`/sys/fs/btrfs/${id}/devices`) ?? [];
    const members = names.flatMap((name) => view.readText(`/sys/class/block/${name}/dev`) ?? []);
    if (members.some((member) => ids.includes(member))) return members;
  }
  return ids;
}

/** Groups know whole devices only: of a partition its disk. */
function wholeOf(id: string, view: SystemView): string {
  const entry = entryOf(id);
  if (view.readText(`${entry}/partition`) === null) return id;
  // Through the link: the directory of a partition is in that of its disk.
  return view.readText(`${entry}/../dev`) ?? id;
}

/**
 * What is stacked (LVM, dm-crypt, md) is throttled as such: then a limit is that of the file system, whatever the number of disks
 * below. Weights count where requests are queued, on those disks.
 */
function describe(id: string, view: SystemView): Device | null {
  const name = /^DEVNAME=(.+)$/m.exec(view.readText(`${entryOf(id)}/uevent`) ?? '')?.[1];
  if (name === undefined) return null;
  const ways = new Set(disksBelow(id, view).map((disk) => wayOfWeighing(disk, view)));
  const weighs = (['bfq', 'cfq', 'iocost'] as const).find((way) => ways.has(way)) ?? null;
  return { id, name, weighs };
}

function disksBelow(id: string, view: SystemView): readonly string[] {
  const slaves = view.list(`${entryOf(id)}/slaves`) ?? [];
  if (slaves.length === 0) return [id];
  return slaves.flatMap((name) => {
    const slave = view.readText(`/sys/class/block/${name}/dev`);
    return slave === null ? [] : disksBelow(wholeOf(slave, view), view);
  });
}

function wayOfWeighing(id: string, view: SystemView): Device['weighs'] {
  const scheduler = /\[(.+)\]/.exec(view.readText(`${entryOf(id)}/queue/scheduler`) ?? '')?.[1];
  if (scheduler === 'bfq' || scheduler === 'cfq') return scheduler;
  const costs = view.readText(IO_COST)?.split('\n') ?? [];
  return costs.some((line) => line.startsWith(`${id} `) && line.includes('enable=1')) ? 'iocost' : null;
}

function entryOf(id: string): string {
  return `/sys/dev/block/${id}`;
}
