import type { Rights } from './facilities.ts';
import { readText } from './files.ts';

/** Bits of CapEff. */
const CAP_SYS_NICE = 23n;
const CAP_SYS_RESOURCE = 24n;

/** Rows of /proc/self/limits in the order of `<sys/resource.h>`. */
const RLIMIT_ROWS = [
  'Max cpu time',
  'Max file size',
  'Max data size',
  'Max stack size',
  'Max core file size',
  'Max resident set',
  'Max processes',
  'Max open files',
  'Max locked memory',
  'Max address space',
  'Max file locks',
  'Max pending signals',
  'Max msgqueue size',
  'Max nice priority',
  'Max realtime priority',
  'Max realtime timeout',
] as const;

/** What this process may do, whatever cgroups say. */
export function rightsOfMaster(uid: number = process.getuid?.() ?? 0): Rights {
  const status = readText('/proc/self/status') ?? '';
  const limits = readText('/proc/self/limits') ?? '';
  const oomScoreAdj = Number(readText('/proc/self/oom_score_adj') ?? 0);
  const rights = { uid, ...parseStatus(status), rlimits: parseRlimits(limits), oomScoreAdj };
  // Without /proc, as on macOS, there are no capabilities: root may all. Node’s own report knows the limits that launchd has given.
  return status === ''
    ? { ...rights, resource: uid === 0, nice: uid === 0, rlimits: rlimitsOfReport() }
    : rights;
}

/** Reads `/proc/self/status`. */
export function parseStatus(status: string): Pick<Rights, 'resource' | 'nice' | 'cpus'> {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const has = (bit: bigint) => ((effective >> bit) & 1n) === 1n;
  const cpus = parseList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '');
  return { resource: has(CAP_SYS_RESOURCE), nice: has(CAP_SYS_NICE), cpus };
}

/** Reads `/proc/self/limits`; keys are the numbers of `<sys/resource.h>`. */
export function parseRlimits(text: string): Rights['rlimits'] {
  const lines = text.split('\n');
  const rlimits = new Map<number, { soft: number; hard: number }>();
  for (const [resource, row] of RLIMIT_ROWS.entries()) {
    const line = lines.find((one) => one.startsWith(`${row} `));
    const [soft, hard] = line?.slice(row.length).trim().split(/\s+/) ?? [];
    if (soft !== undefined && hard !== undefined)
      rlimits.set(resource, { soft: numberOf(soft), hard: numberOf(hard) });
  }
  return rlimits;
}

/** Limits in a report of Node, by the numbers of `<sys/resource.h>` on Linux. */
const REPORTED = {
  cpu_time_seconds: 0,
  file_size_blocks: 1,
  data_seg_size_bytes: 2,
  data_seg_size_kbytes: 2,
  stack_size_bytes: 3,
  core_file_size_blocks: 4,
  max_user_processes: 6,
  open_files: 7,
  max_locked_memory_bytes: 8,
} as const;

interface Report {
  readonly userLimits?: Readonly<
    Record<string, { readonly soft: number | string; readonly hard: number | string }>
  >;
}

/** As `parseRlimits` where there is no /proc, of fewer limits. */
export function rlimitsOfReport(): Rights['rlimits'] {
  const { userLimits = {} } = process.report.getReport() as Report;
  return new Map(
    Object.entries(REPORTED).flatMap(([name, resource]) => {
      const limit = userLimits[name];
      if (limit === undefined) return [];
      return [
        [resource, { soft: numberOf(String(limit.soft)), hard: numberOf(String(limit.hard)) }] as const,
      ];
    }),
  );
}

/** A list of CPUs as the kernel writes it: `0-3,8`. */
export function parseList(text: string): readonly number[] {
  return text.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-');
    if (first === undefined || !/^\d+$/.test(first)) return [];
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index);
  });
}

function numberOf(text: string): number {
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}
