import {
  type AttachRequest,
  type Capability,
  type Clock,
  type Failure,
  type LimitReport,
  type LimitsSpec,
  type QuotaSpec,
  type WorkerId,
} from '@hsu-master/core';
import type { Native, NativeLimits } from '@hsu-master/native';
import type { Containment } from './cgroup/acquire.ts';
import { findDevices } from './cgroup/devices.ts';
import type { Controller1, GroupPlan } from './cgroup/facilities.ts';
import { planUnknown } from './cgroup/found-limits.ts';
import type { Group } from './cgroup/group.ts';
import {
  Groups,
  type OpenedGroup,
  type Opening,
  type PlannedQuota,
  systemOomKills,
} from './cgroup/groups.ts';
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
    if (isFree && !this.groups.any) {
      return {
        ok: true,
        run: new ContainedRun(this, { launch, isRoot, opened: null, plan: null }),
        limits: null,
      };
    }
    const plan = isFree ? null : planLimits(limits, this.setting(limits, quotas, isRoot));
    const planned = quotas.map((quota) => this.#planned(quota, quotas, isRoot));
    const opened = this.groups.any ? this.groups.open(workerId, planned, plan, how) : null;
    if (opened?.ok === false) {
      const message = `worker "${workerId}": its cgroup cannot be made: ${opened.reason}`;
      return { ok: false, failure: { code: 'E_CONTAINMENT', message }, transient: opened.transient };
    }
    const settled = plan === null ? null : withDenials(plan, denialsOf(opened));
    const run = new ContainedRun(this, { launch, isRoot, opened, plan: settled });
    const lacking = lackingOf(launch, settled, planned, opened);
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
    const planned = quotas.map((quota) => this.#planned(quota, quotas, isRoot));
    const hasMark = (pid: number): boolean => this.native.environOf(pid, 'HSU_RUN') === mark;
    const opened = this.groups.claim(isAlive ? process.pid : null, hasMark, planned);
    const group = opened?.group ?? null;
    const setting = this.settingOf(group, limits, quotas, isRoot);
    const isFree = limits === null && quotas.length === 0;
    const holding = isFree ? null : planLimits(limits, setting);
    const plan = limitsHold ? holding : group === null ? null : planUnknown(group, setting);
    const oomKills = group?.oomKills() ?? 0;
    return new ContainedRun(this, { launch: { limits, quotas }, isRoot, opened, plan, oomKills });
  }

  /** What somebody else started: it stays where it is, and is limited by what can be set from outside. */
  foreign(isRoot: boolean): ContainedRun {
    const launch = { limits: null, quotas: [] };
    return new ContainedRun(this, { launch, isRoot, opened: null, plan: null });
  }

  /** The setting of a run that was found, perhaps without a group. */
  settingOf(
    group: Group | null,
    limits: LimitsSpec | null,
    quotas: readonly QuotaSpec[],
    isRoot: boolean,
  ): Setting {
    const setting = this.setting(limits, quotas, isRoot);
    if (group !== null || !this.groups.any) return setting;
    const missing = new Map([['', 'it was started without a cgroup that this master may use']]);
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

  #planned(quota: QuotaSpec, quotas: readonly QuotaSpec[], isRoot: boolean): PlannedQuota {
    return { quota, plan: planQuota(quota.limits, this.setting(quota.limits, quotas, isRoot)) };
  }
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
function lackingOf(
  { limits }: Launch,
  plan: LimitPlan | null,
  planned: readonly PlannedQuota[],
  opened: Opening | null,
): string | null {
  const lacking = (reports: readonly LimitReport[]) =>
    reports.filter(({ status }) => status !== 'enforced').map(describe);
  const own = limits?.required === true ? lacking(plan?.reports ?? []) : [];
  const refused = opened?.ok === true ? opened.quotaRefusals : [];
  const all = [
    ...own,
    ...refused
      .filter(({ quota }) => quota.limits.required)
      .map(({ limit, quota, reason }) => `${limit} is required and not enforced: ${reason}${whose(quota)}`),
    ...planned
      .filter(({ quota }) => quota.limits.required)
      .flatMap(({ quota, plan: shared }) => lacking(shared.reports).map((text) => `${text}${whose(quota)}`)),
  ];
  return all.length === 0 ? null : all.join('; ');
}

function whose({ kind, id }: QuotaSpec): string {
  return ` (${kind} "${id}")`;
}

function describe({ limit, status, reason }: LimitReport): string {
  const why = reason === '' ? '' : `: ${reason}`;
  return `${limit} is required and only ${status === 'watched' ? 'watched' : 'wished for'} here${why}`;
}
