import { posix } from 'node:path';
import type { Facilities } from './facilities.ts';
import type { Machine } from './limit-plan.ts';
import { MACOS_SUPPORT } from './limit-support.ts';
import { parseList } from './rights.ts';
import { type SystemView, systemView } from './system-view.ts';

/** Type of the entry that tells the size of a page, see getauxval(3). */
const AT_PAGESZ = 6n;
const ORDINARY_PAGE = 4096;

/** Looks at the machine once; `facilities` tell where its groups are. What cannot be read is taken to be ordinary. */
export function readMachine(
  facilities: Facilities,
  view: SystemView = systemView,
  platform: NodeJS.Platform = process.platform,
): Machine {
  const { rights, trees1 } = facilities;
  const number = (file: string): number => Number(view.readText(file) ?? Number.NaN);
  const memory = /^MemTotal:\s*(\d+) kB$/m.exec(view.readText('/proc/meminfo') ?? '')?.[1];
  const online = parseList(view.readText('/sys/devices/system/cpu/online') ?? '').length;
  const cpuset = trees1.get('cpuset');
  const nodes =
    (cpuset === undefined ? '' : (view.readText(posix.join(cpuset, 'cpuset.effective_mems')) ?? '')) ||
    (view.readText('/sys/devices/system/node/online') ?? '');
  return {
    cpus: online === 0 ? rights.cpus.length : online,
    totalMemory: memory === undefined ? Number.POSITIVE_INFINITY : Number(memory) * 1024,
    pageSize: pageSize(view.readBytes('/proc/self/auxv')),
    memoryNodes: nodes === '' ? '0' : nodes,
    maxOpenFiles: number('/proc/sys/fs/nr_open') || Number.POSITIVE_INFINITY,
    corePattern: view.readText('/proc/sys/kernel/core_pattern') ?? 'core',
    niceness: view.niceness(),
    groupsSessions: number('/proc/sys/kernel/sched_autogroup_enabled') === 1,
    files: controlFiles(facilities, view),
    cpuCeiling: cpuCeiling(trees1.get('cpu'), view),
    ...(platform === 'darwin' ? { supports: MACOS_SUPPORT } : {}),
  };
}

/** Reads the auxiliary vector of a 64-bit process: pairs of type and value. */
export function pageSize(auxv: Uint8Array | null): number {
  if (auxv === null) return ORDINARY_PAGE;
  const data = new DataView(auxv.buffer, auxv.byteOffset, auxv.byteLength);
  for (let at = 0; at + 16 <= data.byteLength; at += 16) {
    if (data.getBigUint64(at, true) === AT_PAGESZ) return Number(data.getBigUint64(at + 8, true));
  }
  return ORDINARY_PAGE;
}

/** Those of the directories in which groups are made; groups in them have the same. */
function controlFiles({ tree2, trees1 }: Facilities, view: SystemView): ReadonlySet<string> | null {
  const directories = [...(tree2 === null ? [] : [tree2.base]), ...trees1.values()];
  const listings = directories.map((directory) => view.list(directory));
  const names = new Set<string>();
  for (const listing of listings) {
    if (listing === null) return null;
    for (const name of listing) names.add(name);
  }
  return names;
}

/** The least CPU quota of the v1 groups around, in percent of one core; null: none has one. */
function cpuCeiling(base: string | undefined, view: SystemView): number | null {
  let least = Number.POSITIVE_INFINITY;
  for (let at = base; at !== undefined && at !== '/'; at = posix.dirname(at)) {
    const quota = view.readText(posix.join(at, 'cpu.cfs_quota_us'));
    const period = view.readText(posix.join(at, 'cpu.cfs_period_us'));
    if (quota === null || period === null) break;
    if (Number(quota) >= 0) least = Math.min(least, (Number(quota) / Number(period)) * 100);
  }
  return Number.isFinite(least) ? least : null;
}
