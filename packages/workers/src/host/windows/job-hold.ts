import type {
  LimitReport,
  LimitsSpec,
  Milliseconds,
  ProcessIdentity,
  QuotaSpec,
  TreeUsage,
} from '@hsu-master/core';
import type {
  WindowsCpuControl,
  WindowsEngine,
  WindowsFailure,
  WindowsJob,
  WindowsJobLimits,
  WindowsJobNews,
} from '@hsu-master/native';
import type { Hold } from '../hold.ts';
import { signalNumber } from '../signals.ts';
import { KILLED } from './exit.ts';
import { type JobMeans, type JobPlan, NO_JOB_PLAN, planJob, reportsOfQuota, withRefusals } from './limits.ts';
import type { WindowsSystem } from './system.ts';

/** What all runs of a host share. */
export interface JobSurroundings {
  readonly engine: WindowsEngine;
  readonly system: WindowsSystem;
  readonly means: JobMeans;
}

/** How often those born while the others were being stopped are looked for. */
const ROUNDS = 8;

/** A Job Object around the tree of one run. */
export class JobHold implements Hold {
  readonly job: WindowsJob;
  readonly budgets: readonly [] = [];
  readonly #around: JobSurroundings;
  #plan: JobPlan = NO_JOB_PLAN;
  #reports: readonly LimitReport[] = [];
  #killOnClose: boolean;
  #hits = { memory: 0, processes: 0, cpu: 0 };
  #released = false;

  readonly #ofQuotas: readonly LimitReport[];

  /** `killOnClose`: all of it dies with the master, until `letLive`. */
  constructor(
    around: JobSurroundings,
    job: WindowsJob,
    { killOnClose, quotas }: { readonly killOnClose: boolean; readonly quotas: readonly QuotaSpec[] },
  ) {
    this.#around = around;
    this.job = job;
    this.#killOnClose = killOnClose;
    this.#ofQuotas = quotas.flatMap(reportsOfQuota);
    this.#reports = this.#ofQuotas;
  }

  /** Sets the limits. Those that Windows refuses are told as refused. */
  limit(limits: LimitsSpec | null): void {
    const { means } = this.#around;
    const plan = limits === null ? NO_JOB_PLAN : planJob(limits, means);
    const refusals = this.#apply(plan);
    this.#plan = plan;
    this.#reports = [...withRefusals(plan, refusals).reports, ...this.#ofQuotas];
  }

  /** It survives the master from now on. */
  letLive(): void {
    if (!this.#killOnClose) return;
    this.#killOnClose = false;
    this.#apply(this.#plan);
  }

  pids(): readonly number[] {
    if (this.#released) return [];
    return this.#around.system.withoutConsoles(this.#around.engine.jobPids(this.job));
  }

  isPopulated(): boolean {
    return this.pids().length > 0;
  }

  kill(): boolean {
    return !this.#released && this.#around.engine.terminateJob(this.job, KILLED) === null;
  }

  freeze(frozen: boolean): boolean {
    const { system } = this.#around;
    const signal = signalNumber(frozen ? 'SIGSTOP' : 'SIGCONT');
    const done = new Set<number>();
    for (let round = 0; round < ROUNDS; round += 1) {
      system.table(true);
      const fresh = this.pids().filter((pid) => !done.has(pid));
      if (fresh.length === 0) break;
      for (const pid of fresh) {
        done.add(pid);
        const row = system.table().get(pid);
        if (row !== undefined) system.signalProcess({ pid, startedAt: row.startTime }, signal);
      }
    }
    return done.size > 0;
  }

  throttle(percentOfCore: number | null): boolean {
    if (this.#released) return false;
    const { engine, means } = this.#around;
    const own = this.#plan.cpu;
    const rate =
      percentOfCore === null ? null : Math.min(100, Math.max(0.01, percentOfCore / means.processors));
    const isLess = rate !== null && (own === null || !('rate' in own) || rate < own.rate);
    const wanted: WindowsCpuControl = isLess ? { rate } : own;
    return engine.controlCpu(this.job, wanted) === null;
  }

  reports(): readonly LimitReport[] {
    return this.#reports;
  }

  change(limits: LimitsSpec): readonly LimitReport[] {
    if (!this.#released) this.limit(limits);
    return this.#reports;
  }

  /** The job counts those that have ended; where it counts nobody, those that live. */
  cpuTime(members: readonly ProcessIdentity[]): Milliseconds | null {
    if (this.#released) return null;
    const { userMs, kernelMs } = this.#around.engine.jobUsage(this.job);
    const counted = (userMs ?? 0) + (kernelMs ?? 0);
    const table = this.#around.system.table();
    const living = members.reduce((sum, { pid, startedAt }) => {
      const row = table.get(pid);
      return row?.startTime === startedAt ? sum + row.userMs + row.kernelMs : sum;
    }, 0);
    return Math.max(counted, living);
  }

  /** A message of the job: it was held back at a limit. */
  note(news: WindowsJobNews): void {
    const { memory, processes, cpu } = this.#hits;
    if (news === 'job-memory' || news === 'process-memory')
      this.#hits = { memory: memory + 1, processes, cpu };
    else if (news === 'process-limit') this.#hits = { memory, processes: processes + 1, cpu };
    else if (news === 'job-time' || news === 'process-time') this.#hits = { memory, processes, cpu: cpu + 1 };
  }

  get hits(): TreeUsage['hits'] {
    return this.#hits;
  }

  oomKilled(): null {
    return null;
  }

  ranOutOfCpuTime(): boolean {
    return false;
  }

  forksRefused(): null {
    return null;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#around.engine.closeJob(this.job);
  }

  /** Mechanisms that were refused. */
  #apply({ job, cpu, desktop, network }: JobPlan): ReadonlyMap<string, WindowsFailure> {
    const { engine } = this.#around;
    const refusals = new Map<string, WindowsFailure>();
    const base: WindowsJobLimits = {
      dieOnUnhandledException: true,
      ...(this.#killOnClose ? { killOnClose: true } : {}),
    };
    if (engine.limitJob(this.job, { ...base, ...job }) !== null) this.#applyEach(base, job, refusals);
    const cpuFailure = cpu === null && this.#plan.cpu === null ? null : engine.controlCpu(this.job, cpu);
    if (cpuFailure !== null) {
      for (const kind of ['hard cap', 'weight']) refusals.set(`job CpuRateControl ${kind}`, cpuFailure);
    }
    const desktopFailure = desktop === this.#plan.desktop ? null : engine.restrictUi(this.job, desktop);
    if (desktopFailure !== null) refusals.set('job UIRestrictions', desktopFailure);
    const networkFailure =
      network === null && this.#plan.network === null ? null : engine.limitNetwork(this.job, network);
    if (networkFailure !== null) refusals.set('job NetRateControl', networkFailure);
    return refusals;
  }

  /** One refusal must not cost the others: finds out which are taken, then sets those. */
  #applyEach(base: WindowsJobLimits, job: WindowsJobLimits, refusals: Map<string, WindowsFailure>): void {
    const { engine } = this.#around;
    let taken = base;
    for (const [key, value] of Object.entries(job)) {
      const tried = { ...taken, [key]: value as unknown } as WindowsJobLimits;
      const failure = engine.limitJob(this.job, tried);
      if (failure === null) taken = tried;
      else refusals.set(MECHANISMS[key as keyof WindowsJobLimits] ?? key, failure);
    }
    engine.limitJob(this.job, taken);
  }
}

/** As the reports of limits.ts name them. */
const MECHANISMS: Readonly<Partial<Record<keyof WindowsJobLimits, string>>> = {
  jobMemory: 'job JobMemoryLimit',
  processMemory: 'job ProcessMemoryLimit',
  jobTime: 'sampling, job PerJobUserTimeLimit',
  activeProcesses: 'job ActiveProcessLimit',
  priority: 'job PriorityClass',
  workingSet: 'job WorkingSet',
  affinity: 'job Affinity',
};
