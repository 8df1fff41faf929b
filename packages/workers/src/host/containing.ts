import {
  type AccompanyRequest,
  type AttachRequest,
  type Capability,
  type Clock,
  type Failure,
  type LimitReport,
  type LimitsSpec,
  type ProcessIdentity,
  type QuotaName,
  type QuotaSpec,
  type WorkerId,
} from '@hsu-master/core';
import type { Native, NativeGroupUsage, NativeLimits, ProcessRow } from '@hsu-master/native';
import type { Containment } from './cgroup/acquire.ts';
import { Budget } from './cgroup/budget.ts';
import { findDevices } from './cgroup/devices.ts';
import type { Controller1, GroupPlan } from './cgroup/facilities.ts';
import { planUnknown } from './cgroup/found-limits.ts';
import type { Group } from './cgroup/group.ts';
import { budgetPath, Groups, type OpenedGroup, type Opening, systemOomKills } from './cgroup/groups.ts';
import { bring } from './cgroup/lent.ts';
import type { LimitPlan, Machine, Setting } from './cgroup/limit-plan.ts';
import { type Denial, withDenials } from './cgroup/live-limits.ts';
import { readMachine } from './cgroup/machine.ts';
import { planLimits, planQuota } from './cgroup/plan.ts';
import { ContainedRun } from './contained-run.ts';
import type { Launch } from './prepare.ts';

/** What a run begins in. */
export type Contained =
  | { readonly ok: true; readonly run: ContainedRun; readonly limits: NativeLimits | null }
  | { readonly ok: false; readonly failure: Failure; readonly transient: boolean };

/** Makes what holds the runs of one host: groups where the system gives them, and limits by whatever means there are. */
export class Containing {
  readonly native: Native;
  readonly groups: Groups;
  readonly clock: Clock;
  readonly #containment: Containment;
  readonly #uid: number;
  readonly #budgets = new Map<string, Budget>();
  #machine: Machine | null = null;
  /** As it was when the last SIGKILL that was nobody’s was looked at, or a sample taken. */
  #oomKills: number | null = systemOomKills();

  constructor(native: Native, containment: Containment, clock: Clock, uid: number) {
    this.native = native;
    this.clock = clock;
    this.#containment = containment;
    this.#uid = uid;
    this.groups = new Groups(containment.facilities, clock);
  }

  /**
   * Makes the groups of a run and its quotas, and says what its child has to do by itself. `how`: `later` leaves it to who makes
   * the process to make the group, where that is all there is to do.
   */
  begin(launch: Launch, workerId: WorkerId, uid: number | null, how: 'now' | 'later'): Contained {
    const { limits, quotas } = launch;
    const isRoot = (uid ?? this.#uid) === 0;
    const isFree = limits === null && quotas.length === 0;
    const budgets = this.#budgetsOf(quotas);
    if (isFree && !this.groups.any) {
      return {
        ok: true,
        run: new ContainedRun(this, { limits, budgets, isRoot, opened: null, plan: null }),
        limits: null,
      };
    }
    const plan = isFree ? null : planLimits(limits, this.setting(limits, quotas, isRoot));
    const opened = this.groups.any ? this.groups.open(workerId, budgets, plan, how) : null;
    if (opened?.ok === false) {
      const message = `worker "${workerId}": its cgroup cannot be made: ${opened.reason}`;
      return { ok: false, failure: { code: 'E_CONTAINMENT', message }, transient: opened.transient };
    }
    const settled = plan === null ? null : withDenials(plan, denialsOf(opened));
    const run = new ContainedRun(this, { limits, budgets, isRoot, opened, plan: settled });
    const lacking = lackingOf(launch, settled, budgets);
    if (lacking !== null) {
      run.release();
      const message = `worker "${workerId}": ${lacking}`;
      return { ok: false, failure: { code: 'E_LIMIT_REQUIRED', message }, transient: false };
    }
    return { ok: true, run, limits: nativeLimits(settled, opened) };
  }

  /** What an earlier master made for this process, if it did. `isAlive`: it is that very process that has the pid. */
  found(
    { process, mark, limits, limitsHold, quotas }: AttachRequest,
    isAlive: boolean,
    uid: number | null,
  ): ContainedRun {
    const isRoot = (uid ?? this.#uid) === 0;
    const hasMark = (pid: number): boolean => this.native.environOf(pid, 'HSU_RUN') === mark;
    const asked = this.#budgetsOf(quotas);
    const opened = this.groups.claim(isAlive ? process.pid : null, hasMark, asked);
    const group = opened?.group ?? null;
    const setting = this.settingOf(group, limits, quotas, isRoot);
    const isFree = limits === null && quotas.length === 0;
    const holding = isFree ? null : planLimits(limits, setting);
    const plan = limitsHold ? holding : group === null ? null : planUnknown(group, setting);
    const before = group === null ? null : this.#countersOf(group);
    // Where groups are made it is in those of its budgets, or in none.
    const budgets = opened?.around ?? (this.groups.any ? [] : asked);
    return new ContainedRun(this, { limits, budgets, isRoot, opened, plan, before });
  }

  /** What somebody else started: limited by what can be set from outside, and by a group where it may be brought to one. */
  foreign({ process, limits, mayMove }: AccompanyRequest, isRoot: boolean): ContainedRun {
    const bare = { limits: null, budgets: [], isRoot, opened: null, plan: null };
    if (limits === null || !this.groups.any) return new ContainedRun(this, bare);
    const opened = mayMove ? this.groups.lend(process.pid) : NOT_MOVED;
    if (!opened.ok) return new ContainedRun(this, { ...bare, without: opened.reason });
    const look = (): readonly ProcessIdentity[] => descendants(this.native.processTable(), process);
    const isThere = ({ pid, startedAt }: ProcessIdentity): boolean =>
      this.native.identify(pid)?.startTime === startedAt;
    return new ContainedRun(this, { ...bare, opened, bring: () => bring(opened.group, look, isThere) });
  }

  /** The setting of a run that was found, perhaps without a group. */
  settingOf(
    group: Group | null,
    limits: LimitsSpec | null,
    quotas: readonly QuotaSpec[],
    isRoot: boolean,
    without = 'it was started without a cgroup that this master may use',
  ): Setting {
    const setting = this.setting(limits, quotas, isRoot);
    if (group !== null || !this.groups.any) return setting;
    const missing = new Map([['', without]]);
    return {
      ...setting,
      facilities: { ...setting.facilities, tree2: null, trees1: new Map(), countsSwap: false, missing },
    };
  }

  setting(limits: LimitsSpec | null, quotas: readonly QuotaSpec[], isRoot: boolean): Setting {
    const { facilities } = this.#containment;
    this.#machine ??= readMachine(facilities);
    const wantsDevices = Object.keys(limits?.values ?? {}).some((name) => name.startsWith('io.'));
    const devices = wantsDevices ? findDevices(limits?.ioPaths ?? []) : [];
    return { facilities, machine: this.#machine, devices, isRoot, quotas };
  }

  explain(limits: LimitsSpec, of: 'worker' | 'quota', quotas: readonly QuotaSpec[]): readonly LimitReport[] {
    const plan = of === 'quota' ? planQuota : planLimits;
    return plan(limits, this.setting(limits, quotas, this.#uid === 0)).reports;
  }

  /** Changes the limits of a budget for all that share it, now and later. Returns what became of each. */
  setQuota(quota: QuotaSpec): readonly LimitReport[] {
    const isIt = (one: QuotaName): boolean => one.kind === quota.kind && one.id === quota.id;
    const changed = [...this.#budgets.values()].filter(({ chain }) => chain.some(isIt));
    for (const budget of changed) {
      const chain = budget.chain.map((one) => (isIt(one) ? quota : one));
      this.#replan(budget, chain);
    }
    const own = changed.find(({ quota: one }) => isIt(one));
    if (own !== undefined) return own.reports;
    const { kind, id } = quota;
    return this.#planned([quota]).reports.map((report) => ({ ...report, quota: { kind, id } }));
  }

  /** Gives a group the v1 controllers that these writes need, then writes. */
  write(group: Group | null, plan: GroupPlan): readonly Denial[] {
    if (group === null) return [];
    this.groups.extend(group, [...new Set(plan.writes1.map(({ controller }) => controller as Controller1))]);
    return [...group.write(plan)].map(([limit, reason]) => ({ limits: [limit], reason }));
  }

  /** A sample is taken: kills before it explain no later end. */
  noteOomKills(): void {
    this.#oomKills = systemOomKills();
  }

  /** Whether the kernel has killed anybody for want of memory since this was asked last. */
  systemHadOom(): boolean {
    const before = this.#oomKills;
    this.#oomKills = systemOomKills();
    return before !== null && this.#oomKills !== null && this.#oomKills > before;
  }

  capabilities(): readonly Capability[] {
    const { tree2, trees1, missing, origin, above } = this.#containment.facilities;
    const limits = above.length === 0 ? '' : `; around it: ${above.join(', ')}`;
    const why = (name: string): string =>
      missing.get(name) ?? missing.get('') ?? 'no such hierarchy is mounted';
    const controllers = [...(tree2?.controllers ?? [])].join(' ') || 'none';
    const old = [...trees1.keys()].join(' ');
    const freezer =
      tree2?.canFreeze === true ? 'cgroup.freeze' : trees1.has('freezer') ? 'freezer.state' : null;
    return [
      tree2 === null
        ? { feature: 'cgroup2', status: 'impossible', reason: why('') }
        : {
            feature: 'cgroup2',
            status: 'enforced',
            reason: `${tree2.base} (${origin}), controllers: ${controllers}${told(missing, tree2.controllers)}${limits}`,
          },
      trees1.size === 0
        ? { feature: 'cgroup1', status: 'impossible', reason: why('memory') }
        : { feature: 'cgroup1', status: 'enforced', reason: `${origin}, controllers: ${old}${limits}` },
      {
        feature: 'kill-tree',
        status: tree2?.canKill === true ? 'enforced' : 'watched',
        reason: tree2?.canKill === true ? 'cgroup.kill' : 'SIGKILL to each member until nobody is left',
      },
      {
        feature: 'freeze-tree',
        status: freezer === null ? 'watched' : 'enforced',
        reason: freezer ?? 'SIGSTOP to each member',
      },
    ];
  }

  close(): void {
    this.groups.shut();
    this.#containment.release();
  }

  /** One for each, the outermost first; those that another run shares already are the same. */
  #budgetsOf(quotas: readonly QuotaSpec[]): readonly Budget[] {
    return quotas.map((quota, index) => {
      const chain = quotas.slice(0, index + 1);
      const path = budgetPath(chain);
      const known = this.#budgets.get(path);
      if (known === undefined) {
        const budget = new Budget(path, chain, this.#planned(chain), () => this.clock.now());
        this.#budgets.set(path, budget);
        return budget;
      }
      if (known.quota !== quota) this.#replan(known, chain);
      return known;
    });
  }

  #replan(budget: Budget, chain: readonly QuotaSpec[]): void {
    const before = budget.plan;
    budget.become(chain, this.#planned(chain));
    this.groups.change(budget, before);
  }

  /** The plan of the innermost. */
  #planned(chain: readonly QuotaSpec[]): LimitPlan {
    const { limits } = chain.at(-1) as QuotaSpec;
    return planQuota(limits, this.setting(limits, chain, true));
  }

  #countersOf(group: Group): NativeGroupUsage | null {
    const place = { cgroup: group.unified, controllers: Object.fromEntries(group.controllers), pids: [] };
    const detail = { pss: false, connections: false, pressure: false, descriptors: false, peak: false };
    return this.native.sampleTrees([place], detail)[0]?.group ?? null;
  }
}

const NOT_MOVED = { ok: false, reason: 'control.can_move is not true' } as const;

/** A living process and what descends from it. */
function descendants(rows: readonly ProcessRow[], { pid, startedAt }: ProcessIdentity): ProcessIdentity[] {
  const children = new Map<number, ProcessRow[]>();
  for (const row of rows) children.set(row.ppid, [...(children.get(row.ppid) ?? []), row]);
  const found: ProcessIdentity[] = [];
  const isDead = ({ state }: ProcessRow): boolean => state === 'Z' || state === 'X';
  const add = (row: ProcessRow): void => {
    if (found.some((one) => one.pid === row.pid)) return;
    if (!isDead(row)) found.push({ pid: row.pid, startedAt: row.startTime });
    for (const child of children.get(row.pid) ?? []) add(child);
  };
  const leader = rows.find((row) => row.pid === pid && row.startTime === startedAt);
  if (leader !== undefined) add(leader);
  return found;
}

function told(missing: ReadonlyMap<string, string>, there: ReadonlySet<string>): string {
  const reasons = [...missing].filter(([name]) => name !== '' && !there.has(name));
  const texts = new Map<string, string[]>();
  for (const [name, reason] of reasons) texts.set(reason, [...(texts.get(reason) ?? []), name]);
  return [...texts].map(([reason, names]) => `; not ${names.join(' ')}: ${reason}`).join('');
}

function nativeLimits(plan: LimitPlan | null, opened: OpenedGroup | null): NativeLimits | null {
  if (plan === null && opened === null) return null;
  const bare = {
    rlimits: [],
    nice: null,
    affinity: null,
    scheduler: null,
    ioPriority: null,
    oomScoreAdj: null,
  };
  return {
    ...bare,
    noNewPrivs: false,
    ...plan?.process,
    cgroup: opened?.group.unified ?? null,
    makeCgroup: opened?.toMake === true,
    joins: opened?.group.joins ?? [],
  };
}

function denialsOf(opened: Opening | null): readonly Denial[] {
  if (opened?.ok !== true) return [];
  return [...opened.refusals].map(([limit, reason]) => ({ limits: [limit], reason }));
}

/** All that must be enforced and is not; null: nothing. */
function lackingOf({ limits }: Launch, plan: LimitPlan | null, budgets: readonly Budget[]): string | null {
  const lacking = (reports: readonly LimitReport[]) =>
    reports.filter(({ status }) => status !== 'enforced').map(describe);
  const own = limits?.required === true ? lacking(plan?.reports ?? []) : [];
  const shared = budgets
    .filter(({ quota }) => quota.limits.required)
    .flatMap(({ quota, reports }) => lacking(reports).map((text) => `${text}${whose(quota)}`));
  const all = [...own, ...shared];
  return all.length === 0 ? null : all.join('; ');
}

function whose({ kind, id }: QuotaName): string {
  return ` (${kind} "${id}")`;
}

function describe({ limit, status, reason }: LimitReport): string {
  const why = reason === '' ? '' : `: ${reason}`;
  return `${limit} is required and only ${status === 'watched' ? 'watched' : 'wished for'} here${why}`;
}
