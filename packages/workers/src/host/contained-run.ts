import type {
  Clock,
  Exit,
  ExitUsage,
  LimitName,
  LimitReport,
  LimitsSpec,
  Milliseconds,
  MonotonicTime,
  ProcessIdentity,
  QuotaSpec,
  TreeUsage,
} from '@hsu-master/core';
import type { Native, NativeGroupUsage, NativeTree, NativeTreeUsage } from '@hsu-master/native';
import type { Budget } from './cgroup/budget.ts';
import type { GroupPlan } from './cgroup/facilities.ts';
import type { Group } from './cgroup/group.ts';
import type { Groups, OpenedGroup } from './cgroup/groups.ts';
import { giveBack } from './cgroup/lent.ts';
import type { LimitPlan, Setting } from './cgroup/limit-plan.ts';
import {
  type Denial,
  limitsOfStep,
  planLive,
  planRelease,
  planThrottle,
  withDenials,
} from './cgroup/live-limits.ts';
import { RLIMIT_NAMES } from './cgroup/process-limits.ts';
import { Refusals } from './cgroup/refusals.ts';
import { CpuMeter } from './cpu-meter.ts';
import { FreshCount } from './fresh-count.ts';
import type { Hold } from './hold.ts';

/** What a run needs of that which makes such runs. */
export interface Keeper {
  readonly native: Native;
  readonly groups: Groups;
  readonly clock: Clock;
  settingOf(
    group: Group | null,
    limits: LimitsSpec | null,
    quotas: readonly QuotaSpec[],
    isRoot: boolean,
    without?: string,
  ): Setting;
  write(group: Group | null, plan: GroupPlan): readonly Denial[];
  systemHadOom(): boolean;
}

interface Origin {
  readonly limits: LimitsSpec | null;
  /** Those around it, the outermost first. */
  readonly budgets: readonly Budget[];
  /** The worker runs as root. */
  readonly isRoot: boolean;
  readonly opened: OpenedGroup | null;
  readonly plan: LimitPlan | null;
  /** What its group had counted when it was found; null for a new one. */
  readonly before?: NativeGroupUsage | null;
  /** Of a process that somebody else started: brings it and what descends from it to its group. Returns why that cannot be. */
  readonly bring?: () => string | null;
  /** Why there is no group. */
  readonly without?: string;
}

/** What the kernel counts from where it was taken, and not what a process had before it came. */
const COUNTED_BEFORE: ReadonlySet<LimitName> = new Set(['memory.max_rss', 'memory.high', 'memory.max_swap']);
const ONLY_NEW = 'the kernel counts what it takes from now on, and what it had taken before is watched';

/**
 * The kernel kills by CPU time counted in ticks and reports it measured more exactly, which was up to a fifth less on a busy machine
 * (Linux 6.18). Where somebody else kills so shortly before that is taken for the same.
 */
const MEASURED = 0.75;

/** One run as the native host holds it, with a group or without. */
export class ContainedRun implements Hold {
  readonly #keeper: Keeper;
  readonly #origin: Origin;
  readonly #meter = new CpuMeter();
  readonly #kills: FreshCount;
  readonly #refusals: Refusals | null;
  readonly #leaveBudgets: readonly (() => void)[];
  #limits: LimitsSpec | null;
  #plan: LimitPlan | null;
  #told: { readonly parts: readonly (readonly LimitReport[])[]; readonly all: readonly LimitReport[] };
  #killed = { all: 0, own: 0 };
  #condemned = false;
  #released = false;
  #onRelease: () => void = () => undefined;

  constructor(keeper: Keeper, origin: Origin) {
    const { opened, before, budgets } = origin;
    this.#keeper = keeper;
    this.#origin = origin;
    this.#limits = origin.limits;
    this.#plan = origin.plan;
    this.#told = { parts: [], all: [] };
    this.#kills = new FreshCount(before?.oomKills ?? 0);
    this.#refusals = opened === null ? null : new Refusals(opened.group, budgets, before?.processHits ?? 0);
    this.#leaveBudgets = opened === null ? [] : budgets.map((one) => one.join(() => this.#lookAtRefusals()));
  }

  get #group(): Group | null {
    return this.#released ? null : (this.#origin.opened?.group ?? null);
  }

  /** Whether the group knows what all of the tree uses. */
  get hasGroup(): boolean {
    return this.#group !== null && !this.#isLent;
  }

  get #isLent(): boolean {
    return this.#origin.bring !== undefined;
  }

  /** Of how many directories its group consists: controllers may be added while it runs. */
  get directories(): number {
    const group = this.#isLent ? null : this.#group;
    return group === null ? 0 : group.controllers.size + (group.unified === null ? 0 : 1);
  }

  pids(): readonly number[] {
    return this.#group?.pids() ?? [];
  }

  isPopulated(): boolean {
    return this.#group?.isPopulated() === true;
  }

  kill(): boolean {
    const group = this.#group;
    if (group === null) return false;
    if (this.#plan !== null && !this.#condemned) group.write(planRelease(this.#plan));
    this.#condemned = true;
    return group.kill();
  }

  freeze(frozen: boolean): boolean {
    return this.#group?.freeze(frozen) === true;
  }

  throttle(percentOfCore: number | null): boolean {
    const group = this.#group;
    if (group === null) return false;
    const setting = this.#settingFor(this.#limits, this.#quotas);
    const plan = planThrottle(percentOfCore ?? 100, this.#limits, setting);
    if (plan === null) return false;
    if (percentOfCore !== null) return this.#keeper.write(group, plan.apply).length === 0;
    // What was never held back is in no cpu group of v1, and need not enter one.
    const isThere = plan.restore.writes1.length === 0 || group.controllers.has('cpu');
    return !isThere || this.#keeper.write(group, plan.restore).length === 0;
  }

  /** Its own, then those of its budgets; the same list as long as nothing of it has changed. */
  reports(): readonly LimitReport[] {
    const parts = [this.#plan?.reports ?? [], ...this.budgets.map(({ reports }) => reports)];
    if (parts.some((part, index) => part !== this.#told.parts[index]))
      this.#told = { parts, all: parts.flat() };
    return this.#told.all;
  }

  get budgets(): readonly Budget[] {
    return this.#origin.budgets;
  }

  get #quotas(): readonly QuotaSpec[] {
    return this.budgets.map(({ quota }) => quota);
  }

  change(limits: LimitsSpec, members: readonly ProcessIdentity[]): readonly LimitReport[] {
    const setting = this.#settingFor(limits, this.#quotas);
    const live = planLive(this.#plan, limits, setting);
    const denials: Denial[] = [...this.#keeper.write(this.#group, live.writes)];
    for (const { pid, startedAt } of members) {
      for (const { step, call, code } of this.#keeper.native.limitProcess(pid, startedAt, live.process)) {
        if (code === 'ESRCH') continue;
        denials.push({ limits: limitsOfStep(step, live.plan), reason: `${call} of process ${pid}: ${code}` });
      }
    }
    denials.push(...this.#brought(live.plan));
    this.#limits = limits;
    this.#plan = withDenials(live.plan, denials);
    return this.reports();
  }

  /** What that comes to for its limits. */
  #brought(plan: LimitPlan): readonly Denial[] {
    const { bring } = this.#origin;
    const group = this.#group;
    if (bring === undefined || group === null) return [];
    const held = [...plan.writes1, ...plan.writes2].flatMap(({ limits }) => limits);
    if (held.length === 0) return [];
    const why = bring();
    if (why !== null) {
      giveBack(group);
      return [{ limits: [...new Set(held)], reason: `it cannot be moved: ${why}` }];
    }
    const limits = [...new Set(held)].filter((limit) => COUNTED_BEFORE.has(limit));
    return limits.length === 0 ? [] : [{ limits, reason: ONLY_NEW }];
  }

  /** Without a group of its own it has the means of a system without groups. */
  #settingFor(limits: LimitsSpec | null, quotas: readonly QuotaSpec[]): Setting {
    const { opened, isRoot, without } = this.#origin;
    return this.#keeper.settingOf(opened?.group ?? null, limits, quotas, isRoot, without);
  }

  cpuTime(members: readonly ProcessIdentity[]): Milliseconds | null {
    const detail = { pss: false, connections: false, pressure: false, descriptors: false, peak: false };
    const [usage] = this.#keeper.native.sampleTrees([this.source(members)], detail);
    return usage === undefined ? null : this.metered(usage);
  }

  /** Where the system finds it; `members` are those that are known otherwise. */
  source(members: readonly ProcessIdentity[]): NativeTree {
    const group = this.#isLent ? null : this.#group;
    return {
      cgroup: group?.unified ?? null,
      controllers: Object.fromEntries(group?.controllers ?? []),
      pids: members.map(({ pid }) => pid),
    };
  }

  /** CPU time since the run began: of its group, which forgets nobody, or added up. */
  metered(usage: NativeTreeUsage): Milliseconds {
    return usage.group?.cpuMs ?? this.#meter.add(usage.processes);
  }

  /** What a sample has counted of its group, of this run alone and, of forks, at its own limit. */
  counted(group: NativeGroupUsage | null, at: MonotonicTime): Pick<TreeUsage, 'hits' | 'oomKills'> {
    if (group === null) return { hits: null, oomKills: null };
    const { memoryHits, processHits, cpuThrottled, oomKills } = group;
    if (oomKills !== null) this.#kills.see(oomKills, at);
    if (processHits !== null) this.#refusals?.see(processHits, at);
    const { before } = this.#origin;
    const news = (count: number | null, old: number | null | undefined): number =>
      Math.max(0, (count ?? 0) - (old ?? 0));
    const isCounted = memoryHits !== null || processHits !== null || cpuThrottled !== null;
    return {
      hits: isCounted
        ? {
            memory: news(memoryHits, before?.memoryHits),
            processes: this.#refusals?.own ?? 0,
            cpu: news(cpuThrottled, before?.cpuThrottled),
          }
        : null,
      oomKills: oomKills === null ? null : this.#ownKills(news(oomKills, before?.oomKills)),
    };
  }

  /** Of so many kills for want of memory, those at its own limit: a budget around it, or the whole system, may have been short of it. */
  #ownKills(all: number): number {
    const fresh = all - this.#killed.all;
    if (fresh > 0)
      this.#killed = { all, own: this.#killed.own + (this.#group?.memoryRefused() === true ? fresh : 0) };
    return this.#killed.own;
  }

  oomKilled(): NonNullable<Exit['oomKilled']> | null {
    const group = this.#group;
    const kills = group?.oomKills() ?? null;
    if (kills === null) return this.#keeper.systemHadOom() ? 'system' : null;
    if (!this.#kills.explains(kills, this.#keeper.clock.now())) return null;
    if (group?.memoryRefused() === true) return 'limit';
    return this.budgets.some((one) => one.group?.memoryRefused() === true) ? 'quota' : 'system';
  }

  ranOutOfCpuTime({ userTime, systemTime }: ExitUsage): boolean {
    const limit = this.#plan?.process.rlimits.find(
      ({ resource }) => RLIMIT_NAMES.get(resource) === 'cpu.max_time',
    );
    return limit !== undefined && userTime + systemTime >= limit.hard * 1000 * MEASURED;
  }

  forksRefused(): Exit['forksRefused'] | null {
    const limitsForks = (spec: LimitsSpec | null): boolean =>
      spec?.values['process.max_processes'] !== undefined;
    const isLimited = limitsForks(this.#limits) || this.#quotas.some(({ limits }) => limitsForks(limits));
    if (!isLimited) return null;
    this.#lookAtRefusals();
    return this.#refusals?.explain(this.#keeper.clock.now()) ?? null;
  }

  #lookAtRefusals(): void {
    const tried = this.#group?.crowd()?.tried;
    if (tried !== undefined) this.#refusals?.see(tried, this.#keeper.clock.now());
  }

  /** Calls it once, when the run gives back what it has. */
  whenReleased(action: () => void): void {
    this.#onRelease = action;
  }

  /** Its group could not be made: there is nothing to remove. */
  forgo(): void {
    if (this.#released) return;
    this.#free();
    const { opened } = this.#origin;
    if (opened !== null) this.#keeper.groups.forgo(opened.group, opened.around);
  }

  release(): void {
    if (this.#released) return;
    this.#free();
    const { opened } = this.#origin;
    if (opened !== null) this.#keeper.groups.close(opened.group, opened.around);
  }

  #free(): void {
    this.#released = true;
    this.#onRelease();
    for (const leave of this.#leaveBudgets) leave();
  }
}
