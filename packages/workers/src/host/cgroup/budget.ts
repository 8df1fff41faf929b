import { posix } from 'node:path';
import type {
  HostBudget,
  LimitName,
  LimitReport,
  MonotonicTime,
  QuotaName,
  QuotaSpec,
  TreeUsage,
} from '@hsu-master/core';
import type { Crowd } from './crowd.ts';
import { readNumbers, readText } from './files.ts';
import type { Group } from './group.ts';
import type { LimitPlan } from './limit-plan.ts';
import type { RefusingBudget } from './refusals.ts';

/** What several runs share: the same for all of them, as long as the master lives. */
export class Budget implements HostBudget, RefusingBudget {
  /** Below the bases. */
  readonly path: string;
  /** While runs are in it, and groups can be made. */
  group: Group | null = null;
  /** So many runs are in its group. */
  runs = 0;
  readonly #now: () => MonotonicTime;
  /** Those around it, the outermost first, and itself. */
  #chain: readonly QuotaSpec[];
  #plan: LimitPlan;
  #reports: readonly LimitReport[] = [];
  #refused = 0;
  readonly #runs = new Set<() => void>();

  constructor(path: string, chain: readonly QuotaSpec[], plan: LimitPlan, now: () => MonotonicTime) {
    this.path = path;
    this.#now = now;
    this.#chain = chain;
    this.#plan = plan;
    this.settle(new Map());
  }

  get quota(): QuotaSpec {
    return this.#chain.at(-1) as QuotaSpec;
  }

  get chain(): readonly QuotaSpec[] {
    return this.#chain;
  }

  get plan(): LimitPlan {
    return this.#plan;
  }

  get reports(): readonly LimitReport[] {
    return this.#reports;
  }

  /** Has other limits, which are yet to be set. */
  become(chain: readonly QuotaSpec[], plan: LimitPlan): void {
    this.#chain = chain;
    this.#plan = plan;
    this.settle(new Map());
  }

  /** Its limits are set, but for these. */
  settle(refusals: ReadonlyMap<LimitName, string>): void {
    const { kind, id } = this.quota;
    const quota: QuotaName = { kind, id };
    this.#reports = this.#plan.reports.map((report): LimitReport => {
      const reason = refusals.get(report.limit);
      if (reason === undefined) return { ...report, quota };
      return { limit: report.limit, quota, status: 'impossible', mechanism: '', reason };
    });
  }

  crowd(): Crowd | null {
    return this.group?.crowd() ?? null;
  }

  noteRefused(count: number): void {
    this.#refused += count;
  }

  /** `look` has a run in it told what was refused it; the returned function ends that. */
  join(look: () => void): () => void {
    this.#runs.add(look);
    return () => this.#runs.delete(look);
  }

  /** How many processes were refused at its limit: where the kernel does not tell, those of its runs that were told so. */
  #refusedOf({ refused, most, limit }: Crowd): number {
    if (refused !== null) return refused;
    if (most >= limit) for (const look of this.#runs) look();
    return this.#refused;
  }

  usage(): TreeUsage | null {
    const { group } = this;
    if (group === null) return null;
    const asks = (...limits: readonly LimitName[]): boolean =>
      limits.some((limit) => this.quota.limits.values[limit] !== undefined);
    const tasks = asks('process.max_processes') ? group.crowd() : null;
    const memory = asks('memory.max_rss', 'memory.high', 'memory.max_swap') ? memoryOf(group) : null;
    const cpu = asks('cpu.max_percent', 'cpu.max_cores') ? cpuOf(group) : null;
    return {
      ...nothing,
      at: this.#now(),
      processes: tasks?.now ?? 0,
      threads: tasks?.now ?? 0,
      rss: memory?.needed ?? 0,
      memory: memory?.used ?? null,
      swap: memory?.swap ?? null,
      cpuTime: cpu?.time ?? 0,
      hits: {
        memory: memory?.hits ?? 0,
        processes: tasks === null ? 0 : this.#refusedOf(tasks),
        cpu: cpu?.throttled ?? 0,
      },
      oomKills: memory?.kills ?? null,
    };
  }
}

const nothing = {
  virtual: 0,
  pss: null,
  memoryPeak: null,
  readBytes: null,
  writtenBytes: null,
  readOps: null,
  writeOps: null,
  descriptors: null,
  connections: null,
  pressure: null,
};

interface MemoryUse {
  readonly used: number;
  /** Without the page cache that the kernel takes back first. */
  readonly needed: number;
  readonly swap: number | null;
  /** At its own limit, not at one further inside. */
  readonly hits: number;
  readonly kills: number | null;
}

function memoryOf({ unified, controllers }: Group): MemoryUse | null {
  const from2 = unified === null ? null : memory2(unified);
  const directory = controllers.get('memory');
  return from2 ?? (directory === undefined ? null : memory1(directory));
}

function memory2(directory: string): MemoryUse | null {
  const used = numberIn(directory, 'memory.current');
  if (used === null) return null;
  const cache = readNumbers(posix.join(directory, 'memory.stat')).get('inactive_file') ?? 0;
  const events = readNumbers(posix.join(directory, 'memory.events.local'));
  return {
    used,
    needed: Math.max(0, used - cache),
    swap: numberIn(directory, 'memory.swap.current'),
    hits: events.get('max') ?? 0,
    kills: events.get('oom') ?? null,
  };
}

function memory1(directory: string): MemoryUse | null {
  const used = numberIn(directory, 'memory.usage_in_bytes');
  if (used === null) return null;
  const cache = readNumbers(posix.join(directory, 'memory.stat')).get('total_inactive_file') ?? 0;
  const both = numberIn(directory, 'memory.memsw.usage_in_bytes');
  const fails = ['memory.failcnt', 'memory.memsw.failcnt'].map((file) => numberIn(directory, file) ?? 0);
  return {
    used,
    needed: Math.max(0, used - cache),
    swap: both === null ? null : Math.max(0, both - used),
    hits: Math.max(...fails),
    kills: null,
  };
}

function cpuOf({
  unified,
  controllers,
}: Group): { readonly time: number; readonly throttled: number } | null {
  const stat2 = unified === null ? null : readNumbers(posix.join(unified, 'cpu.stat'));
  const throttled2 = stat2?.get('nr_throttled');
  if (throttled2 !== undefined)
    return { time: (stat2?.get('usage_usec') ?? 0) / 1000, throttled: throttled2 };
  const [cpu, account] = [controllers.get('cpu'), controllers.get('cpuacct')];
  if (cpu === undefined || account === undefined) return null;
  const throttled = readNumbers(posix.join(cpu, 'cpu.stat')).get('nr_throttled') ?? 0;
  return { time: (numberIn(account, 'cpuacct.usage') ?? 0) / 1e6, throttled };
}

function numberIn(directory: string, file: string): number | null {
  const text = readText(posix.join(directory, file));
  return text === null ? null : Number(text);
}
