import {
  type AlertSpec,
  type Bytes,
  formatSize,
  type LimitName,
  type LimitsSpec,
  type Monitoring,
  type Scheduler,
} from '@hsu-master/core';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import type { WrittenCpu, WrittenLimits, WrittenMemory, WrittenQuotaLimits } from '../schema/limits.ts';
import type { CpuRange } from '../schema/quantities.ts';
import { type AnswerDefaults, checkAnswers, NO_RESPONSES, responsesOf } from './responses.ts';

const MONITORING: Monitoring = Object.freeze({ enabled: true, interval: 10_000, retention: 24 * 3_600_000 });
/** Shared budgets are held by the kernel alone. */
const UNWATCHED: Monitoring = Object.freeze({ ...MONITORING, enabled: false });
const NO_PATHS: readonly string[] = Object.freeze([]);
const SHORTEST_INTERVAL = 100;
/** Below this a unit was forgotten. */
const LEAST_MEMORY: Bytes = 64 * 1024;

function memoryOf(written: WrittenLimits['memory']): WrittenMemory {
  return typeof written === 'number' ? { max_rss: written } : (written ?? {});
}

/** Collects values; 0 is none, as in the original, unless it means something of its own. */
class Values {
  readonly all: { [K in LimitName]?: number } = {};

  add(limit: LimitName, value: number | undefined): void {
    if (value !== undefined && value !== 0) this.all[limit] = value;
  }

  addZero(limit: LimitName, value: number | undefined): void {
    if (value !== undefined) this.all[limit] = value;
  }
}

/**
 * Weight on the scale of cgroup v2 of shares on that of v1, as the kernel itself converts them (kernel/sched/sched.h,
 * sched_weight_to_cgroup): weight · 100 / 1024, rounded, within 1 to 10000. What is ordinary stays so, and ratios stay what they
 * were; runc’s older line from 2…262144 to 1…10000 made 39 of the ordinary 1024.
 */
function weightOfShares(shares: number): number {
  return Math.min(10_000, Math.max(1, Math.round((shares * 100) / 1024)));
}

/** What the limits of one worker depend on besides themselves. */
export interface LimitsPlace {
  readonly at: Path;
  /** The worker’s TMPDIR, if it is given one. */
  readonly temp: string | null;
  readonly defaults: AnswerDefaults;
}

/** Limits of one worker; null where none are given. */
export function normaliseLimits(
  written: WrittenLimits | undefined,
  place: LimitsPlace,
  findings: Findings,
): LimitsSpec | null {
  if (written === undefined) return null;
  const { at } = place;
  const memory = memoryOf(written.memory);
  const cpu: WrittenCpu = written.cpu ?? {};
  checkMemory(memory, [...at, 'memory'], findings);
  checkCpu(written, cpu, at, findings);
  const monitoring = monitoringOf(written.monitoring, [...at, 'monitoring'], findings);
  const values = new Values();
  addShared(values, written, memory, cpu);
  addOwn(values, written, memory);
  const scheduler = schedulerOf(cpu.scheduler, [...at, 'cpu', 'scheduler'], findings);
  if (scheduler !== null) values.addZero('cpu.scheduler', scheduler.priority);
  if (scheduler !== null && scheduler.priority > 0 && cpu.nice !== undefined) {
    findings.noticeAt('nice of real-time', [...at, 'cpu', 'nice'], () => ({
      message: 'nice means nothing to the classes fifo and round-robin',
    }));
  }
  const affinity = affinityOf(cpu.affinity);
  if (affinity !== null) values.add('cpu.affinity', affinity.length);
  const responses = responsesOf({ ...written, memory, cpu }, monitoring, place.defaults, at, findings);
  const throttlePercent = written.throttle_percent ?? null;
  const alerts = alertsOf(written, at, findings);
  checkAnswers(
    { written, memory, cpu, values: values.all, responses, monitoring, throttlePercent },
    at,
    findings,
  );
  checkFiles(written, place, findings);
  const nothing = Object.keys(values.all).length === 0;
  if (nothing && written.monitoring === undefined && alerts === null) return null;
  return {
    values: values.all,
    affinity,
    scheduler,
    ioPaths: written.io?.paths ?? NO_PATHS,
    tempDirectory: written.storage?.temp_directory ?? place.temp,
    required: written.required ?? false,
    responses,
    throttlePercent,
    monitoring,
    alerts,
  };
}

/** A budget that several workers share; null where it limits nothing. */
export function normaliseQuota(
  written: WrittenQuotaLimits | undefined,
  at: Path,
  findings: Findings,
): LimitsSpec | null {
  if (written === undefined) return null;
  const memory = memoryOf(written.memory);
  const cpu: WrittenCpu = written.cpu ?? {};
  checkMemory(memory, [...at, 'memory'], findings);
  checkCpu(written, cpu, at, findings);
  const values = new Values();
  addShared(values, written, memory, cpu);
  const paths = written.io?.paths ?? NO_PATHS;
  const perDevice = (['max_read_bps', 'max_write_bps', 'max_read_ops', 'max_write_ops'] as const).find(
    (key) => written.io?.[key],
  );
  if (perDevice !== undefined && paths.length === 0) {
    findings.errorAt([...at, 'io', perDevice], {
      message: `"paths" is missing: several workers have no one directory whose device ${perDevice} could be for`,
      hint: 'write paths: [/var/lib]',
    });
  }
  if (Object.keys(values.all).length === 0) return null;
  return {
    values: values.all,
    affinity: null,
    scheduler: null,
    ioPaths: paths,
    tempDirectory: null,
    required: written.required ?? false,
    responses: NO_RESPONSES,
    throttlePercent: null,
    monitoring: UNWATCHED,
    alerts: null,
  };
}

/** What a worker and a group can have alike. */
function addShared(
  values: Values,
  written: WrittenQuotaLimits,
  memory: WrittenMemory,
  cpu: WrittenCpu,
): void {
  values.add('memory.max_rss', memory.max_rss);
  values.add('memory.high', memory.high);
  values.add('memory.max_swap', memory.max_swap);
  values.add('cpu.max_percent', cpu.max_percent);
  values.add('cpu.max_cores', cpu.max_cores);
  values.add('cpu.weight', cpu.weight || (written.cpu_shares && weightOfShares(written.cpu_shares)));
  const { io = {} } = written;
  values.add('io.weight', io.weight);
  values.add('io.max_read_bps', io.max_read_bps);
  values.add('io.max_write_bps', io.max_write_bps);
  values.add('io.max_read_ops', io.max_read_ops);
  values.add('io.max_write_ops', io.max_write_ops);
  values.add('process.max_processes', written.process?.max_processes);
}

function addOwn(values: Values, written: WrittenLimits, memory: WrittenMemory): void {
  const { process = {}, network = {}, storage = {} } = written;
  const cpu: WrittenCpu = written.cpu ?? {};
  values.add('memory.max_virtual', memory.max_virtual);
  values.add('memory.max_heap', memory.max_heap);
  values.addZero('memory.max_locked', memory.max_locked);
  values.add('memory.max_working_set', memory.max_working_set);
  values.add('cpu.max_time', cpu.max_time);
  values.addZero('cpu.nice', cpu.nice ?? (written.priority || undefined));
  values.add('process.max_file_descriptors', process.max_file_descriptors);
  values.add('process.max_child_processes', process.max_child_processes);
  values.addZero('process.max_core_size', process.max_core_size);
  values.addZero('process.oom_score_adj', process.oom_score_adj);
  values.add('process.no_new_privs', process.no_new_privs === true ? 1 : 0);
  values.add('process.no_desktop', process.no_desktop === true ? 1 : 0);
  values.add('network.max_connections', network.max_connections);
  values.add('network.max_bandwidth', network.max_bandwidth);
  values.add('storage.max_temp_size', storage.max_temp_size);
  values.add('storage.max_log_size', storage.max_log_size);
}

function checkMemory(memory: WrittenMemory, at: Path, findings: Findings): void {
  const { max_rss: max, high, max_swap: swap } = memory;
  if (high && max && high > max) {
    findings.errorAt([...at, 'high'], {
      message: 'high is more than max_rss, so it would never be reached',
      hint: 'write less than max_rss',
    });
  }
  for (const key of ['max_rss', 'max_virtual', 'max_heap'] as const) {
    const size = memory[key];
    if (!size || size >= LEAST_MEMORY) continue;
    findings.noticeAt(`tiny ${key}`, [...at, key], () => ({
      message: `${formatSize(size)} is less than any program needs to start`,
      hint: 'write a unit: 512MB',
    }));
  }
  if (swap === undefined || max) return;
  if (swap > 0) {
    findings.errorAt([...at, 'max_swap'], {
      message: 'max_swap needs max_rss: swap is used for what memory does not hold',
      hint: 'write max_rss too',
    });
  } else {
    findings.noticeAt('max_swap of 0', [...at, 'max_swap'], () => ({
      message: '0 is no limit; without max_rss nothing limits the swap',
    }));
  }
}

function checkCpu(written: WrittenLimits, cpu: WrittenCpu, at: Path, findings: Findings): void {
  const { max_percent: max, max_cores: cores } = cpu;
  if (max && cores && Math.abs(max - cores * 100) > 1e-6) {
    findings.noticeAt('max_percent and max_cores', [...at, 'cpu', 'max_cores'], () => ({
      message: 'max_percent and max_cores say different things: the smaller holds',
      hint: 'keep one',
    }));
  }
  if (written.cpu_shares && cpu.weight) {
    findings.errorAt([...at, 'cpu_shares'], {
      message: 'cpu_shares and cpu.weight are two names of one thing',
      hint: `keep one; ${written.cpu_shares} shares are a weight of ${weightOfShares(written.cpu_shares)}`,
    });
  }
  if (written.priority && cpu.nice !== undefined) {
    findings.errorAt([...at, 'priority'], {
      message: 'priority and cpu.nice are two names of one thing',
      hint: 'keep one',
    });
  }
}

function schedulerOf(written: WrittenCpu['scheduler'], at: Path, findings: Findings): Scheduler | null {
  if (written === undefined) return null;
  const { policy, priority } =
    typeof written === 'string' ? { policy: written } : { priority: undefined, ...written };
  if (policy === 'fifo' || policy === 'round-robin') {
    if (priority === 0)
      findings.errorAt([...at, 'priority'], { message: `${policy} takes a priority from 1 to 99` });
    return { policy, priority: priority ?? 1 };
  }
  if (priority) {
    findings.errorAt([...at, 'priority'], {
      message: `${policy} takes no priority`,
      hint: 'write fifo or round-robin, or cpu.nice',
    });
  }
  return { policy, priority: 0 };
}

/** The CPUs in the order of their numbers, each once. */
function affinityOf(written: WrittenCpu['affinity']): readonly number[] | null {
  const ranges = (written ?? []).flatMap((item) => (isRange(item) ? [item] : item));
  if (ranges.length === 0) return null;
  const cpus: number[] = [];
  let next = 0;
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    for (let cpu = Math.max(from, next); cpu <= to; cpu += 1) cpus.push(cpu);
    next = Math.max(next, to + 1);
  }
  return cpus;
}

function isRange(item: CpuRange | readonly CpuRange[]): item is CpuRange {
  return typeof item[0] === 'number';
}

function monitoringOf(written: WrittenLimits['monitoring'], at: Path, findings: Findings): Monitoring {
  if (written === undefined) return MONITORING;
  const interval = written.interval || MONITORING.interval;
  if (interval < SHORTEST_INTERVAL) {
    findings.errorAt([...at, 'interval'], {
      message: 'is shorter than a sample is worth',
      hint: `write at least ${SHORTEST_INTERVAL}ms`,
    });
  }
  return {
    enabled: written.enabled ?? true,
    interval,
    retention: written.history_retention || MONITORING.retention,
  };
}

function alertsOf(written: WrittenLimits, at: Path, findings: Findings): AlertSpec | null {
  const { alerts } = written;
  if (alerts === undefined) return null;
  const { exec: command, webhook = null } = alerts;
  const refuse = (path: Path, message: string, hint: string): null => {
    findings.errorAt([...at, 'alerts', ...path], { message, hint });
    return null;
  };
  if (command === undefined && webhook === null)
    return refuse([], 'says nowhere to send an alert', 'write exec or webhook; event and log have it anyway');
  let exec: [string, ...string[]] | null = null;
  if (command !== undefined) {
    const words = 'line' in command ? command.split : command;
    if ('wrong' in words)
      return refuse(['exec'], words.wrong, 'give a list, ["/bin/sh", "-c", "…"], to have a shell run it');
    const [program, ...args] = words;
    if (program === undefined || program === '')
      return refuse(['exec'], 'names no program', 'write the program and its arguments');
    exec = [program, ...args];
  }
  if (written.monitoring?.alerting_enabled === false) return null;
  return { exec, webhook, timeout: alerts.timeout ?? 10_000, every: alerts.every ?? 300_000 };
}

function checkFiles(written: WrittenLimits, place: LimitsPlace, findings: Findings): void {
  const { storage = {}, network = {}, required } = written;
  const at = [...place.at, 'storage'];
  if (storage.max_temp_size && storage.temp_directory === undefined && place.temp === null) {
    findings.errorAt([...at, 'max_temp_size'], {
      message: 'max_temp_size needs temp_directory',
      hint: 'write temp_directory, or give the worker a TMPDIR in its environment',
    });
  }
  if (storage.temp_directory !== undefined && !storage.max_temp_size) {
    findings.noticeAt('temp_directory unused', [...at, 'temp_directory'], () => ({
      message: 'not used, because max_temp_size is not given',
    }));
  }
  if (!network.max_bandwidth) return;
  const where = [...place.at, 'network', 'max_bandwidth'];
  const message = 'no system can hold a tree of processes to a bandwidth';
  if (required === true)
    findings.errorAt(where, { message: `${message}, and limits.required is true`, hint: 'remove it' });
  else findings.noticeAt('max_bandwidth', where, () => ({ message: `${message}: it stays without effect` }));
}
