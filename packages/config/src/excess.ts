import { familyOf, type LimitFamily, type LimitName, type LimitValues } from '@hsu-master/core';

/** What only steers, or what the kernel refuses without anybody seeing it: nothing can be above it. */
const NEVER_EXCEEDED: ReadonlySet<LimitName> = new Set<LimitName>([
  'memory.max_heap',
  'memory.max_locked',
  'cpu.weight',
  'cpu.nice',
  'cpu.affinity',
  'cpu.scheduler',
  'io.weight',
  'process.max_core_size',
  'process.oom_score_adj',
  'process.no_new_privs',
  'process.no_desktop',
  'network.max_bandwidth',
]);

/** The families with a limit that can be exceeded at all. */
export function excessive(values: LimitValues): ReadonlySet<LimitFamily> {
  const limits = Object.keys(values) as LimitName[];
  return new Set(limits.filter((limit) => !NEVER_EXCEEDED.has(limit)).map(familyOf));
}
