import type { LimitName } from './names.ts';
import type { LimitValues } from './spec.ts';
import type { TreeUsage } from './usage.ts';

/** A tree that the kernel holds back now and then is no excess while it uses less than this share of the limit on the whole. */
const AT_THE_LIMIT = 0.9;

/**
 * What is to be compared with a limit, in the limit’s unit; null where it cannot be told, or not before the next sample (rates).
 * Of what counts for each process the average of the tree is taken, which the largest of them exceeds at least as much: never a
 * false alarm, and exact for a single process. Rates per device are those of all devices together.
 * @param known numbers that no sample holds: sizes of directories, connections counted otherwise. They go first.
 */
export function measure(
  limit: LimitName,
  usage: TreeUsage,
  previous: TreeUsage | null,
  known: LimitValues = {},
): number | null {
  const given = known[limit];
  if (given !== undefined) return given;
  switch (limit) {
    case 'memory.max_rss':
    case 'memory.high':
      return memoryOf(usage);
    case 'memory.max_swap':
      return usage.swap;
    case 'memory.max_virtual':
      return perProcess(usage.virtual, usage);
    case 'memory.max_working_set':
      return perProcess(usage.rss, usage);
    case 'cpu.max_percent':
      return perSecond(usage, previous, (sample) => sample.cpuTime / 10);
    case 'cpu.max_cores':
      return perSecond(usage, previous, (sample) => sample.cpuTime / 1000);
    case 'cpu.max_time':
      return usage.cpuTime;
    case 'io.max_read_bps':
      return perSecond(usage, previous, (sample) => sample.readBytes);
    case 'io.max_write_bps':
      return perSecond(usage, previous, (sample) => sample.writtenBytes);
    case 'io.max_read_ops':
      return perSecond(usage, previous, (sample) => sample.readOps);
    case 'io.max_write_ops':
      return perSecond(usage, previous, (sample) => sample.writeOps);
    case 'process.max_processes':
      return usage.threads;
    case 'process.max_file_descriptors':
      return usage.descriptors === null ? null : perProcess(usage.descriptors, usage);
    case 'process.max_child_processes':
      return Math.max(0, usage.processes - 1);
    case 'network.max_connections':
      return usage.connections;
    default:
      return null;
  }
}

/**
 * Whether the kernel has held the tree back at `limit`, which is `allowed`, since the sample before: refused a fork, killed for
 * want of memory; reclaimed memory or withheld CPU while the tree was at the limit and not only near it for moments.
 */
export function hit(
  limit: LimitName,
  allowed: number,
  usage: TreeUsage,
  previous: TreeUsage | null,
): boolean {
  const value = measure(limit, usage, previous);
  const isThere = value !== null && value >= allowed * AT_THE_LIMIT;
  switch (limit) {
    case 'memory.max_rss':
      return (
        grew(usage.oomKills, previous?.oomKills) ||
        (isThere && grew(usage.hits?.memory, previous?.hits?.memory))
      );
    case 'cpu.max_percent':
    case 'cpu.max_cores':
      return isThere && grew(usage.hits?.cpu, previous?.hits?.cpu);
    case 'process.max_processes':
      return grew(usage.hits?.processes, previous?.hits?.processes);
    case 'process.max_file_descriptors':
      return value !== null && value >= allowed;
    default:
      return false;
  }
}

/**
 * Of the two ways to count memory each counts something too much: the processes what they share, the containment the page cache,
 * which the kernel takes back before anybody suffers. The smaller is nearer to what the tree needs.
 */
function memoryOf({ memory, rss }: TreeUsage): number {
  return memory === null ? rss : Math.min(memory, rss);
}

function perProcess(sum: number, { processes }: TreeUsage): number {
  return sum / Math.max(1, processes);
}

/** Growth per second between two samples; a counter that fell, since a member ended and took its part along, counts as still. */
function perSecond(
  usage: TreeUsage,
  previous: TreeUsage | null,
  counter: (sample: TreeUsage) => number | null,
): number | null {
  if (previous === null || usage.at <= previous.at) return null;
  const now = counter(usage);
  const before = counter(previous);
  if (now === null || before === null) return null;
  return (Math.max(0, now - before) * 1000) / (usage.at - previous.at);
}

/** Counters begin at 0 with the run. */
function grew(now: number | null | undefined, before: number | null | undefined): boolean {
  return (now ?? 0) > (before ?? 0);
}
