/** What a limit is about; policies are given per family. */
export type LimitFamily = 'memory' | 'cpu' | 'io' | 'process' | 'network' | 'storage';

/** What a limit’s number counts. */
export type LimitUnit =
  | 'bytes'
  | 'bytes-per-second'
  | 'operations-per-second'
  | 'percent-of-core'
  | 'cores'
  | 'milliseconds'
  | 'count'
  | 'weight'
  | 'level'
  | 'flag';

export interface LimitMeaning {
  readonly family: LimitFamily;
  readonly unit: LimitUnit;
  readonly means: string;
  /** No system enforces it: that it is watched is no loss. */
  readonly watchedByNature?: true;
}

/** All limits by the key below `limits` that sets them. `affinity` and `scheduler` carry a list and a class besides the number. */
export const LIMITS = {
  'memory.max_rss': {
    family: 'memory',
    unit: 'bytes',
    means: 'memory of the whole tree, page cache included where the kernel counts it',
  },
  'memory.high': {
    family: 'memory',
    unit: 'bytes',
    means: 'memory of the whole tree above which the kernel slows it down and reclaims',
  },
  'memory.max_swap': { family: 'memory', unit: 'bytes', means: 'swap of the whole tree' },
  'memory.max_virtual': { family: 'memory', unit: 'bytes', means: 'address space of each process' },
  'memory.max_heap': {
    family: 'memory',
    unit: 'bytes',
    means: 'data segment and private mappings of each process',
  },
  'memory.max_locked': { family: 'memory', unit: 'bytes', means: 'memory that each process may lock' },
  'memory.max_working_set': {
    family: 'memory',
    unit: 'bytes',
    means: 'memory that each process may keep resident',
  },
  'cpu.max_percent': {
    family: 'cpu',
    unit: 'percent-of-core',
    means: 'CPU of the whole tree in percent of one core',
  },
  'cpu.max_cores': { family: 'cpu', unit: 'cores', means: 'CPU of the whole tree in cores' },
  'cpu.weight': {
    family: 'cpu',
    unit: 'weight',
    means: 'share among competing workers, 1 to 10000, 100 is ordinary',
  },
  'cpu.max_time': {
    family: 'cpu',
    unit: 'milliseconds',
    means: 'CPU time of the whole tree in its life',
    watchedByNature: true,
  },
  'cpu.nice': { family: 'cpu', unit: 'level', means: 'niceness, -20 to 19' },
  'cpu.affinity': { family: 'cpu', unit: 'count', means: 'the CPUs that it may run on' },
  'cpu.scheduler': { family: 'cpu', unit: 'level', means: 'scheduling class and real-time priority' },
  'io.weight': {
    family: 'io',
    unit: 'weight',
    means: 'share of the disk among competing workers, 1 to 10000, 100 is ordinary',
  },
  'io.max_read_bps': { family: 'io', unit: 'bytes-per-second', means: 'bytes read per second and device' },
  'io.max_write_bps': {
    family: 'io',
    unit: 'bytes-per-second',
    means: 'bytes written per second and device',
  },
  'io.max_read_ops': { family: 'io', unit: 'operations-per-second', means: 'reads per second and device' },
  'io.max_write_ops': { family: 'io', unit: 'operations-per-second', means: 'writes per second and device' },
  'process.max_processes': {
    family: 'process',
    unit: 'count',
    means: 'processes and threads of the whole tree',
  },
  'process.max_file_descriptors': { family: 'process', unit: 'count', means: 'open files of each process' },
  'process.max_child_processes': {
    family: 'process',
    unit: 'count',
    means: 'processes of the tree besides the main one',
    watchedByNature: true,
  },
  'process.max_core_size': { family: 'process', unit: 'bytes', means: 'size of a core dump' },
  'process.oom_score_adj': {
    family: 'process',
    unit: 'level',
    means: 'whom the kernel kills first when memory is out, -1000 to 1000',
  },
  'process.no_new_privs': {
    family: 'process',
    unit: 'flag',
    means: 'exec gives no rights (set-user-ID, file capabilities)',
  },
  'process.no_desktop': {
    family: 'process',
    unit: 'flag',
    means:
      'nothing of the user’s desktop: its clipboard, windows of others, settings of display and system, the end of its session',
  },
  'network.max_connections': {
    family: 'network',
    unit: 'count',
    means: 'open TCP connections of the whole tree',
    watchedByNature: true,
  },
  'network.max_bandwidth': {
    family: 'network',
    unit: 'bytes-per-second',
    means: 'bytes sent and received per second',
  },
  'storage.max_temp_size': {
    family: 'storage',
    unit: 'bytes',
    means: 'size of the worker’s temporary directory',
    watchedByNature: true,
  },
  'storage.max_log_size': {
    family: 'storage',
    unit: 'bytes',
    means: 'size of the worker’s log files, rotated ones included',
    watchedByNature: true,
  },
} as const satisfies Record<string, LimitMeaning>;

export type LimitName = keyof typeof LIMITS;

export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

export function familyOf(limit: LimitName): LimitFamily {
  return LIMITS[limit].family;
}

/** No system enforces it: that it is watched is no loss. */
export function isWatchedByNature(limit: LimitName): boolean {
  const meaning: LimitMeaning = LIMITS[limit];
  return meaning.watchedByNature === true;
}
