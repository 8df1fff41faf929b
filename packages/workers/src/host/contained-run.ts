import type {
  Exit,
  LimitReport,
  LimitsSpec,
  Milliseconds,
  MonotonicTime,
  ProcessIdentity,
  QuotaSpec,
} from '@hsu-master/core';
import type { NativeTree, NativeTreeUsage } from '@hsu-master/native';
import type { Group } from './cgroup/group.ts';
import type { OpenedGroup } from './cgroup/groups.ts';
import type { LimitPlan, Setting } from './cgroup/limit-plan.ts';
import {
  type Denial,
  limitsOfStep,
  planLive,
  planRelease,
  planThrottle,
  withDenials,
} from './cgroup/live-limits.ts';
import type { Containing } from './containing.ts';
import { CpuMeter } from './cpu-meter.ts';
import type { Hold } from './hold.ts';
import { KillCount } from './kill-count.ts';
import type { Launch } from './prepare.ts';

interface Origin {
  readonly launch: Pick<Launch, 'limits' | 'quotas'>;
  /** The worker runs as root. */
  readonly isRoot: boolean;
  readonly opened: OpenedGroup | null;
  readonly plan: LimitPlan | null;
  /** What its group had counted when it was found; 0 for a new one. */
  readonly oomKills?: number;
}

/** One run as the native host holds it, with a group or without. */
export class ContainedRun implements Hold {
  readonly #containing: Containing;
  readonly #origin: Origin;
  readonly #meter = new CpuMeter();
  readonly #kills: KillCount;
  #limits: LimitsSpec | null;
  #plan: LimitPlan | null;
  #condemned = false;
  #released = false;
  #onRelease: () => void = () => undefined;

  constructor(containing: Containing, origin: Origin) {
    this.#containing = containing;
    this.#origin = origin;
    this.#limits = origin.launch.limits;
    this.#plan = origin.plan;
    this.#kills = new KillCount(origin.oomKills);
  }

  get #group(): Group | null {
    return this.#released ? null : (this.#origin.opened?.group ?? null);
  }

  get hasGroup(): boolean {
    return this.#group !== null;
  }

  /** Of how many directories its group consists: controllers may be added while it runs. */
  get directories(): number {
    const group = this.#group;
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
    const { quotas } = this.#origin.launch;
    const setting = this.#settingFor(this.#limits, quotas);
    const plan = planThrottle(percentOfCore ?? 100, this.#limits, setting);
    if (plan === null) return false;
    if (percentOfCore !== null) return this.#containing.write(group, plan.apply).length === 0;
    // What was never held back is in no cpu group of v1, and need not enter one.
    const isThere = plan.restore.writes1.length === 0 || group.controllers.has('cpu');
    return !isThere || this.#containing.write(group, plan.restore).length === 0;
  }

  reports(): readonly LimitReport[] {
    return this.#plan?.reports ?? [];
  }

  change(limits: LimitsSpec, members: readonly ProcessIdentity[]): readonly LimitReport[] {
    const { quotas } = this.#origin.launch;
    const setting = this.#settingFor(limits, quotas);
    const live = planLive(this.#plan, limits, setting);
    const denials: Denial[] = [...this.#containing.write(this.#group, live.writes)];
    for (const { pid, startedAt } of members) {
      for (const { step, call, code } of this.#containing.native.limitProcess(pid, startedAt, live.process)) {
        if (code === 'ESRCH') continue;
        denials.push({ limits: limitsOfStep(step, live.plan), reason: `${call} of process ${pid}: ${code}` });
      }
    }
    this.#limits = limits;
    this.#plan = withDenials(live.plan, denials);
    return this.#plan.reports;
  }

  /** Without a group of its own it has the means of a system without groups. */
  #settingFor(limits: LimitsSpec | null, quotas: readonly QuotaSpec[]): Setting {
    const { opened, isRoot } = this.#origin;
    return this.#containing.settingOf(opened?.group ?? null, limits, quotas, isRoot);
  }

  cpuTime(members: readonly ProcessIdentity[]): Milliseconds | null {
    const detail = { pss: false, connections: false, pressure: false, descriptors: false, peak: false };
    const [usage] = this.#containing.native.sampleTrees([this.source(members)], detail);
    return usage === undefined ? null : this.metered(usage);
  }

  /** Where the system finds it; `members` are those that are known otherwise. */
  source(members: readonly ProcessIdentity[]): NativeTree {
    const group = this.#group;
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

  /** A sample has counted so many kills for want of memory. */
  noteOomKills(count: number, at: MonotonicTime): void {
    this.#kills.see(count, at);
  }

  oomKilled(): NonNullable<Exit['oomKilled']> | null {
    const group = this.#group;
    const kills = group?.oomKills() ?? null;
    if (kills === null) return this.#containing.systemHadOom() ? 'system' : null;
    if (!this.#kills.explains(kills, this.#containing.clock.now())) return null;
    if (group?.memoryRefused() === true) return 'limit';
    const around = this.#origin.opened?.around ?? [];
    return around.some((one) => one.memoryRefused()) ? 'quota' : 'system';
  }

  /** Calls it once, when the run gives back what it has. */
  whenReleased(action: () => void): void {
    this.#onRelease = action;
  }

  /** Its group could not be made: there is nothing to remove. */
  forgo(): void {
    if (this.#released) return;
    this.#released = true;
    this.#onRelease();
    const { opened } = this.#origin;
    if (opened !== null) this.#containing.groups.forgo(opened.group, opened.around);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#onRelease();
    const { opened } = this.#origin;
    if (opened !== null) this.#containing.groups.close(opened.group, opened.around);
  }
}
