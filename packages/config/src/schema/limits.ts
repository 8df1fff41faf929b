import { LIMITS, type LimitName, type Scheduler } from '@hsu-master/core';
import {
  as,
  forms,
  list,
  object,
  type Read,
  required,
  type ScalarField,
  scalar,
  type Written,
} from './fields.ts';
import { webAddress } from './health.ts';
import { IGNORED } from './ignored.ts';
import { commandLine } from './process.ts';
import { cores, cpuAmount, cpus, level, operations, percent, rate } from './quantities.ts';
import { answerKeys } from './response.ts';
import { duration, flag, integer, lines, path, size } from './scalars.ts';

/** What the key means, by the one list of all limits. */
function means(limit: LimitName, note = ''): string {
  const text: string = LIMITS[limit].means;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.${note === '' ? '' : ` ${note}`}`;
}

const count = (limit: LimitName, note?: string) => integer({ min: 0 }, means(limit, note));
const bytes = (limit: LimitName, note?: string) => size(means(limit, note));
const weight = (limit: LimitName) => integer({ min: 0, max: 10_000 }, means(limit));

const rssNote = 'Swap is not counted: see `max_swap`.';
const swapNote = 'Where `max_rss` is given and this is not, or is 0, there is no swap.';

const shared = {
  memory: {
    max_rss: bytes('memory.max_rss', rssNote),
    high: bytes('memory.high', 'At most `max_rss`.'),
    max_swap: bytes('memory.max_swap', swapNote),
  },
  cpu: {
    max_percent: percent(means('cpu.max_percent', '150% is one and a half cores.')),
    max_cores: cores(means('cpu.max_cores', 'Another way to say max_percent; the smaller holds.')),
    weight: weight('cpu.weight'),
  },
  io: {
    weight: weight('io.weight'),
    max_read_bps: rate(means('io.max_read_bps')),
    max_write_bps: rate(means('io.max_write_bps')),
    max_read_ops: operations(means('io.max_read_ops')),
    max_write_ops: operations(means('io.max_write_ops')),
  },
  process: { max_processes: count('process.max_processes') },
};

const cpuShares = integer(
  { min: 0, max: 262_144 },
  'Share among competing workers on the scale of cgroup v1, 2 to 262144, 1024 is ordinary; becomes cpu.weight, a tenth of it roughly.',
);
const isRequired = (what: string) =>
  flag(`true: a limit that cannot be enforced here fails ${what}.`, 'false');
const memoryForms = <F extends Parameters<typeof forms>[0]['map'] & object>(map: F, meaning: string) =>
  forms({ scalar: size(''), map }, `${meaning}: a map, or just max_rss.`);
const cpuForms = <F extends Parameters<typeof forms>[0]['map'] & object>(map: F, meaning: string) =>
  forms({ scalar: cpuAmount(''), map }, `${meaning}: a map, or just max_percent (50%) or max_cores (1.5).`);

const SCHEDULERS: Readonly<Record<string, Scheduler['policy']>> = {
  other: 'other',
  batch: 'batch',
  idle: 'idle',
  fifo: 'fifo',
  'round-robin': 'round-robin',
  normal: 'other',
  rr: 'round-robin',
};

function readScheduler(text: string): Read<Scheduler['policy']> {
  const bare = text
    .toLowerCase()
    .replace(/^sched_/, '')
    .replaceAll('_', '-');
  const policy = Object.hasOwn(SCHEDULERS, bare) ? SCHEDULERS[bare] : undefined;
  if (policy !== undefined) return { value: policy };
  return { wrong: `${JSON.stringify(text.slice(0, 40))} is none of other, batch, idle, fifo, round-robin` };
}

const schedulerName: ScalarField<Scheduler['policy']> & { readonly required: false } = scalar(
  'other | batch | idle | fifo | round-robin',
  { type: 'string' },
  readScheduler,
  'Scheduling class.',
);

const scheduler = forms(
  {
    scalar: schedulerName,
    map: object(
      {
        policy: required(schedulerName),
        priority: level(
          0,
          99,
          'fifo and round-robin take 1 (last) to 99 (first), the others none',
          'Real-time priority, 1 to 99; for fifo and round-robin only, where it is 1 if not given.',
        ),
      },
      'A scheduling class and its priority.',
      { name: 'Scheduler' },
    ),
  },
  'Scheduling class, or {policy, priority}.',
);

const cpuSet = cpus('');
const NICE = 'the niceness goes from -20 (first) to 19 (last); 0 is ordinary';

const memory = object(
  {
    ...shared.memory,
    max_virtual: bytes('memory.max_virtual'),
    max_heap: bytes('memory.max_heap'),
    max_locked: bytes('memory.max_locked', '0: none.'),
    max_working_set: bytes(
      'memory.max_working_set',
      'Held on Windows; what is beyond it goes to the paging file.',
    ),
    ...answerKeys('0'),
  },
  'Limits of memory.',
  { name: 'MemoryLimits', ignored: IGNORED.memory },
);

const cpu = object(
  {
    ...shared.cpu,
    max_time: duration(means('cpu.max_time')),
    nice: level(-20, 19, NICE, means('cpu.nice', '-20 is served first.')),
    affinity: forms(
      { scalar: cpuSet, list: list(cpuSet, '') },
      means('cpu.affinity', 'Written like `0-3,5`, or as a list.'),
    ),
    scheduler,
    ...answerKeys('one sampling interval'),
  },
  'Limits of CPU.',
  { name: 'CpuLimits', ignored: IGNORED.cpu },
);

const paths = (fallback: string | null) =>
  list(path(''), 'Paths whose devices the limits per device are for.', fallback);

const io = object(
  { ...shared.io, paths: paths('the working directory'), ...answerKeys('one sampling interval') },
  'Limits of disk input and output.',
  { name: 'IoLimits' },
);

const processes = object(
  {
    ...shared.process,
    max_file_descriptors: count('process.max_file_descriptors'),
    max_child_processes: count('process.max_child_processes'),
    max_core_size: bytes('process.max_core_size', '0: no core dumps.'),
    oom_score_adj: level(
      -1000,
      1000,
      'oom_score_adj goes from -1000 (never killed) to 1000 (killed first)',
      means('process.oom_score_adj', '1000 is killed first; less than the master’s own takes root.'),
    ),
    no_new_privs: flag(means('process.no_new_privs'), 'false'),
    no_desktop: flag(means('process.no_desktop', 'On Windows.'), 'false'),
    ...answerKeys('0'),
  },
  'Limits of processes and descriptors.',
  { name: 'ProcessLimits' },
);

const network = object(
  {
    max_connections: count('network.max_connections'),
    max_bandwidth: rate(means('network.max_bandwidth', 'No kernel can hold a tree of processes to it.')),
    ...answerKeys('0'),
  },
  'Limits of the network.',
  { name: 'NetworkLimits' },
);

const storage = object(
  {
    temp_directory: path(
      'Temporary directory of the worker, for max_temp_size.',
      'TMPDIR of its environment',
    ),
    max_temp_size: bytes('storage.max_temp_size'),
    max_log_size: bytes('storage.max_log_size'),
    ...answerKeys('0'),
  },
  'Limits of files.',
  { name: 'StorageLimits' },
);

const monitoring = object(
  {
    enabled: flag(
      'Whether usage is sampled; where it is not, only what the kernel enforces holds, and no policy is taken.',
      'true',
    ),
    interval: duration(
      'Time between samples, and so between looks for excesses; at least 100ms; 0 means the default.',
      '10s',
    ),
    history_retention: duration(
      'How long samples are kept, within a bound of their number; 0 means the default.',
      '24h',
    ),
    alerting_enabled: flag('false: alerts go to event and log only.', 'true'),
  },
  'Sampling.',
  { name: 'Monitoring' },
);

const alerts = object(
  {
    exec: forms(
      { scalar: commandLine, list: list(lines(), '') },
      'Program that is run for each alert: a command line, or a list of words. It runs as the master’s user in the worker’s directory and finds HSU_ALERT_WORKER, _RUN, _PID, _LIMIT, _VALUE, _MAXIMUM, _POLICY and _MESSAGE in its environment; numbers are in bytes, milliseconds, percent of one core, or counts.',
    ),
    webhook: as(
      webAddress,
      'Address to which each alert is POSTed as JSON; http or https. It has arrived when the answer is 200 to 299; redirects are not followed.',
    ),
    timeout: duration('Time that either may take; what failed is tried once more.', '10s', {
      positive: true,
    }),
    every: duration('The same limit of a worker alerts at most once in this time.', '5m'),
  },
  'Where alerts go besides event and log.',
  { name: 'Alerts' },
);

export const limits = object(
  {
    priority: level(-20, 19, NICE, 'Another name of cpu.nice, but 0 means: not set.'),
    cpu_shares: cpuShares,
    memory: memoryForms(memory, 'Memory'),
    cpu: cpuForms(cpu, 'CPU'),
    io,
    process: processes,
    network,
    storage,
    required: isRequired('the start'),
    throttle_percent: percent(
      'What policy throttle leaves the tree, in percent of one core; more than 0. Where it is not written and the excess is one of CPU whose limit the kernel does not enforce, it is that limit.',
      '20%',
      { above: 0 },
    ),
    monitoring,
    alerts,
  },
  'Limits of one worker with all its processes. A limit that is not given, or is 0, is none, unless its row says otherwise.',
  { name: 'ResourceLimits', ignored: IGNORED.limits },
);
export type WrittenLimits = Written<typeof limits>;
export type WrittenMemory = Written<typeof memory>;
export type WrittenCpu = Written<typeof cpu>;

const EACH = 'it holds for each process by itself: write it in the limits of the workers';
const ANSWER = 'the kernel holds a group to its limits; policies belong to the limits of the workers';
const WATCHED = 'it is watched worker by worker: write it in the limits of the workers';
const WORKERS = 'write it in the limits of the workers';
const NO_ANSWERS = Object.fromEntries(Object.keys(answerKeys('')).map((key) => [key, ANSWER]));

/** What several workers can share: limits that a containment holds as a whole. */
export const quotaLimits = object(
  {
    cpu_shares: cpuShares,
    memory: memoryForms(
      object(shared.memory, 'Memory of all together.', {
        name: 'SharedMemory',
        renamed: {
          ...NO_ANSWERS,
          max_virtual: EACH,
          max_heap: EACH,
          max_locked: EACH,
          max_working_set: EACH,
        },
      }),
      'Memory of all together',
    ),
    cpu: cpuForms(
      object(shared.cpu, 'CPU of all together.', {
        name: 'SharedCpu',
        renamed: { ...NO_ANSWERS, max_time: WATCHED, nice: EACH, affinity: EACH, scheduler: EACH },
      }),
      'CPU of all together',
    ),
    io: object({ ...shared.io, paths: paths(null) }, 'Disk input and output of all together.', {
      name: 'SharedIo',
      renamed: NO_ANSWERS,
    }),
    process: object(shared.process, 'Processes of all together.', {
      name: 'SharedProcess',
      renamed: {
        ...NO_ANSWERS,
        max_file_descriptors: EACH,
        max_child_processes: WATCHED,
        max_core_size: EACH,
        oom_score_adj: EACH,
        no_new_privs: EACH,
        no_desktop: EACH,
      },
    }),
    required: isRequired('the start of every worker in it'),
  },
  'Limits that several workers share: all together get no more than this, whatever each is allowed by itself.',
  {
    name: 'SharedLimits',
    renamed: {
      priority: EACH,
      network: WATCHED,
      storage: WATCHED,
      throttle_percent: ANSWER,
      monitoring: WORKERS,
      alerts: WORKERS,
    },
  },
);
export type WrittenQuotaLimits = Written<typeof quotaLimits>;
