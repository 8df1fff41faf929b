import type { LimitName, LimitReport } from '@hsu-master/core';

/** What holds a limit where a certain kind of group is there, or none. */
export interface Support {
  readonly status: LimitReport['status'];
  /** Empty where impossible. */
  readonly mechanism: string;
  /** What is particular, or why not better; may be empty. */
  readonly note: string;
  /** Control file without which this does not apply; null: none. */
  readonly file: string | null;
}

/** The controllers that limits are about: name in v2 and in v1. */
export type Controller = 'memory' | 'cpu' | 'cpuset' | 'io' | 'pids';

export interface LimitSupport {
  /** null: it is no matter of groups. */
  readonly controller: Controller | null;
  readonly cgroup2: Support;
  readonly cgroup1: Support;
  /** Without a group of that controller. */
  readonly neither: Support;
}

export const SAMPLING = 'sampling';

function group2(file: string, note = ''): Support {
  return { status: 'enforced', mechanism: `cgroup2 ${file}`, note, file };
}

function group1(file: string, note = ''): Support {
  return { status: 'enforced', mechanism: `cgroup1 ${file}`, note, file };
}

function enforced(mechanism: string, note = ''): Support {
  return { status: 'enforced', mechanism, note, file: null };
}

function watched(note: string, mechanism = SAMPLING): Support {
  return { status: 'watched', mechanism, note, file: null };
}

function impossible(note: string): Support {
  return { status: 'impossible', mechanism: '', note, file: null };
}

function everywhere(support: Support): LimitSupport {
  return { controller: null, cgroup2: support, cgroup1: support, neither: support };
}

/** A rate of a device. Of what is written v1 reaches only what a process writes out itself. */
function rate(key: string, file: string, neither: string): LimitSupport {
  const later = key.startsWith('w') ? '; what the kernel writes back later is not counted' : '';
  return {
    controller: 'io',
    cgroup2: group2('io.max', `${key} of each device`),
    cgroup1: group1(file, `of each device${later}`),
    neither: watched(neither),
  };
}

const BYTES_SAMPLED = 'of all devices together, as /proc/PID/io counts it';
const CALLS_SAMPLED = 'counts calls of the processes, not requests to the device';

const cpuQuota: LimitSupport = {
  controller: 'cpu',
  cgroup2: group2('cpu.max'),
  cgroup1: group1('cpu.cfs_quota_us'),
  neither: watched('no limit of a process is about its share of the time (RLIMIT_CPU counts its whole life)'),
};

const NO_GROUPS = 'macOS has no groups of processes that hold their members';

/** What holds a limit on macOS, where that differs from Linux without groups. It was never tried there. */
export const MACOS_SUPPORT: Readonly<Partial<Record<LimitName, Support>>> = {
  'memory.max_rss': watched('RLIMIT_RSS and RLIMIT_AS are one number there, and nobody is held to it'),
  'memory.high': watched(NO_GROUPS),
  'memory.max_swap': impossible(NO_GROUPS),
  'memory.max_virtual': watched('RLIMIT_RSS and RLIMIT_AS are one number there, and nobody is held to it'),
  'memory.max_heap': enforced(
    'RLIMIT_DATA',
    'holds for each process, for brk alone: malloc does not use that',
  ),
  'cpu.affinity': impossible('macOS binds no process to a CPU'),
  'cpu.scheduler': impossible('macOS has scheduling classes for threads only'),
  'cpu.weight': impossible(`${NO_GROUPS}; cpu.nice is for processes`),
  'io.weight': impossible(NO_GROUPS),
  'io.max_read_ops': impossible('macOS counts the bytes of a process, not its operations'),
  'io.max_write_ops': impossible('macOS counts the bytes of a process, not its operations'),
  'process.oom_score_adj': impossible('macOS has no such score'),
  'process.no_new_privs': impossible('macOS has no such bit'),
};

/**
 * What holds each limit at best, by the kind of group there is. The planner goes by this table and docs/platforms.md shows it. What
 * this machine, its rights or the other limits spoil is found by the planner and said in its reports.
 */
export const LIMIT_SUPPORT: Readonly<Record<LimitName, LimitSupport>> = {
  'memory.max_rss': {
    controller: 'memory',
    cgroup2: group2('memory.max', 'an OOM kill takes the whole tree (memory.oom.group)'),
    cgroup1: group1('memory.limit_in_bytes', 'an OOM kill takes one process of the tree'),
    neither: watched('Linux limits resident memory by groups only; RLIMIT_RSS has no effect'),
  },
  'memory.high': {
    controller: 'memory',
    cgroup2: group2('memory.high'),
    cgroup1: watched(
      'cgroup v1 has no such mark; memory.soft_limit_in_bytes counts only while the whole machine is short',
    ),
    neither: watched('only a cgroup v2 slows down who is above a mark'),
  },
  'memory.max_swap': {
    controller: 'memory',
    cgroup2: enforced('cgroup2 memory.swap.max'),
    cgroup1: enforced('cgroup1 memory.memsw.limit_in_bytes', 'memory and swap together: max_rss + max_swap'),
    neither: impossible('only a memory cgroup counts the swap of a tree'),
  },
  'memory.max_virtual': everywhere(enforced('RLIMIT_AS', 'holds for each process')),
  'memory.max_heap': everywhere(enforced('RLIMIT_DATA', 'holds for each process')),
  'memory.max_locked': everywhere(enforced('RLIMIT_MEMLOCK', 'holds for each process, not for root')),
  'memory.max_working_set': everywhere(watched('RLIMIT_RSS has no effect')),
  'cpu.max_percent': cpuQuota,
  'cpu.max_cores': cpuQuota,
  'cpu.weight': {
    controller: 'cpu',
    cgroup2: group2('cpu.weight'),
    cgroup1: group1('cpu.shares', '1024 shares are a weight of 100'),
    neither: impossible(
      'without groups the kernel shares between processes, not trees; cpu.nice is for those',
    ),
  },
  'cpu.max_time': everywhere(
    watched(
      'RLIMIT_CPU ends each process, in whole seconds; that of the tree is summed',
      'sampling, RLIMIT_CPU',
    ),
  ),
  'cpu.nice': everywhere(enforced('setpriority', 'each process may make itself nicer')),
  'cpu.affinity': {
    controller: 'cpuset',
    cgroup2: group2('cpuset.cpus'),
    cgroup1: group1('cpuset.cpus'),
    neither: enforced('sched_setaffinity', 'a process may give itself other CPUs'),
  },
  'cpu.scheduler': everywhere(
    enforced('sched_setscheduler', 'a process with the rights for it may change its own'),
  ),
  'io.weight': {
    controller: 'io',
    cgroup2: enforced('cgroup2 io.bfq.weight or io.weight', 'where bfq or iocost shares the disk'),
    cgroup1: enforced('cgroup1 blkio.bfq.weight or blkio.weight', 'where bfq or cfq shares the disk'),
    neither: impossible('without groups disks are shared between processes, not trees'),
  },
  'io.max_read_bps': rate('rbps', 'blkio.throttle.read_bps_device', BYTES_SAMPLED),
  'io.max_write_bps': rate('wbps', 'blkio.throttle.write_bps_device', BYTES_SAMPLED),
  'io.max_read_ops': rate('riops', 'blkio.throttle.read_iops_device', CALLS_SAMPLED),
  'io.max_write_ops': rate('wiops', 'blkio.throttle.write_iops_device', CALLS_SAMPLED),
  'process.max_processes': {
    controller: 'pids',
    cgroup2: group2('pids.max'),
    cgroup1: group1('pids.max'),
    neither: watched(
      'RLIMIT_NPROC counts all processes of the user, not the tree, and does not hold for root',
    ),
  },
  'process.max_file_descriptors': everywhere(enforced('RLIMIT_NOFILE', 'holds for each process')),
  'process.max_child_processes': everywhere(watched('the kernel limits processes and threads together only')),
  'process.max_core_size': everywhere(enforced('RLIMIT_CORE', 'holds for each process')),
  'process.oom_score_adj': everywhere(enforced('oom_score_adj', 'a process may raise its own')),
  'process.no_new_privs': everywhere(enforced('PR_SET_NO_NEW_PRIVS')),
  'process.no_desktop': everywhere(impossible('jobs of Windows have this')),
  'network.max_connections': everywhere(watched('the kernel has no such limit')),
  'network.max_bandwidth': everywhere(impossible('cgroups have no controller for the network')),
  'storage.max_temp_size': everywhere(watched('the directory is measured')),
  'storage.max_log_size': everywhere(watched('the files are measured')),
};
