import {
  type ExcessState,
  followOn,
  hit,
  isSilent,
  judgeUsage,
  type LimitName,
  type LimitPolicy,
  type LimitResponse,
  type LimitsSpec,
  type LimitVerdict,
  type Look,
  measure,
  noExcess,
  type RunContext,
  responseTo,
  type TreeUsage,
  throttleShare,
  type UsageDetail,
} from '@hsu-master/core';
import type { Alerts } from './alerts.ts';
import { describeExcess } from './reason.ts';
import type { Sampler } from './sampler.ts';
import { Sizes, type Slots } from './sizes.ts';
import type { UsageHistory } from './usage-history.ts';

/** How far escalations of a worker have come; what the next run begins with. */
export type Excesses = Map<LimitName, ExcessState>;

/** What all watched runs share. */
export interface WatchParts {
  readonly sampler: Sampler;
  readonly history: UsageHistory;
  readonly alerts: Alerts;
  readonly slots: Slots;
  logFiles(context: RunContext): readonly string[];
}

const ENDING: ReadonlySet<LimitPolicy> = new Set([
  'graceful_shutdown',
  'immediate_kill',
  'restart',
  'restart_adjusted',
]);

/** What `throttle` lowers by holding the tree back. */
const RATES: ReadonlySet<LimitName> = new Set([
  'cpu.max_percent',
  'cpu.max_cores',
  'io.max_read_bps',
  'io.max_write_bps',
  'io.max_read_ops',
  'io.max_write_ops',
]);
/** Of what throttling leaves a tree: who uses less does not need more. */
const PRESSES_FROM = 0.8;

/** One limit that is judged with each sample. */
interface Judged {
  readonly limit: LimitName;
  readonly allowed: number;
  readonly response: LimitResponse;
}

/** Samples one run as its limits ask, judges each sample, and says what follows. Limits that change while it lasts hold from the next sample. */
export class RunWatch {
  readonly context: RunContext;
  readonly #parts: WatchParts;
  readonly #states: Excesses;
  /** The limits of which a step asked for the end of the run. */
  readonly #ending = new Set<LimitName>();
  #limits: LimitsSpec | null = null;
  #judged: readonly Judged[] = [];
  #sizes: Sizes | null = null;
  #previous: TreeUsage | null = null;
  #stopSampling: () => void = () => undefined;
  #ended = false;

  constructor(context: RunContext, parts: WatchParts, states: Excesses) {
    this.context = context;
    this.#parts = parts;
    this.#states = states;
    this.renew();
  }

  /** Takes the limits that hold now. */
  renew(): void {
    const { limits } = this.context;
    if (this.#ended || limits === this.#limits) return;
    this.#stopSampling();
    this.#stopSampling = () => undefined;
    this.#sizes?.end();
    this.#sizes = null;
    this.#limits = limits;
    this.#judged = limits === null ? [] : judgedOf(limits);
    this.#clearDropped();
    if (limits === null || !limits.monitoring.enabled) return;
    this.#sizes = this.#sizesOf(limits);
    this.#stopSampling = this.#parts.sampler.add({
      run: this.context.tree,
      interval: limits.monitoring.interval,
      detail: detailOf(this.#judged),
      take: (usage) => this.#take(usage),
    });
  }

  /** Ends the watching; returns with what that of the next run begins. */
  end(): Excesses {
    this.#ended = true;
    this.#stopSampling();
    this.#sizes?.end();
    const left: Excesses = new Map();
    for (const { limit, response } of this.#judged) {
      const state = this.#states.get(limit);
      if (state !== undefined && this.#ending.has(limit)) left.set(limit, followOn(state, response));
    }
    return left;
  }

  #take(usage: TreeUsage | null): void {
    this.renew();
    const limits = this.#limits;
    if (usage === null || limits === null) return;
    const { context } = this;
    this.#parts.history.record(context.spec.id, context.run, limits.monitoring, usage);
    const previous = this.#previous;
    this.#previous = usage;
    const known = this.#sizes?.known ?? {};
    this.#sizes?.refresh();
    const cpu = measure('cpu.max_percent', usage, previous) ?? 0;
    // Small shares come in pieces: one sample may hold less than its part of them.
    const isHeld = (usage.hits?.cpu ?? 0) > (previous?.hits?.cpu ?? 0);
    const reports = context.tree.limitReports();
    const presses = (limit: LimitName): boolean =>
      RATES.has(limit) && (isHeld || cpu >= throttleShare(limits, limit, reports) * PRESSES_FROM);
    for (const { limit, allowed, response } of this.#judged) {
      if (this.#ended) return;
      const value = measure(limit, usage, previous, known);
      const isHit = hit(limit, allowed, usage, previous);
      this.#judge(limit, response, {
        value,
        limit: allowed,
        hit: isHit,
        pressing: presses(limit),
        now: usage.at,
      });
    }
  }

  #judge(limit: LimitName, response: LimitResponse, look: Look): void {
    const before = this.#states.get(limit) ?? noExcess;
    const { state, verdicts } = judgeUsage(before, response, look);
    if (state === before) return;
    this.#states.set(limit, state);
    const reason =
      verdicts.length === 0 ? '' : describeExcess(limit, look, look.now - (state.since ?? look.now));
    for (const verdict of verdicts) this.#say(limit, verdict, look, reason);
  }

  #say(limit: LimitName, verdict: LimitVerdict, { value, limit: allowed }: Look, reason: string): void {
    const { context } = this;
    switch (verdict.kind) {
      case 'warned':
        if (value !== null) context.publish({ type: 'limit.warned', payload: { limit, value, allowed } });
        return;
      case 'exceeded':
        context.publish({ type: 'limit.exceeded', payload: { limit, value, allowed, quota: null, reason } });
        return;
      case 'cleared':
        context.publish({ type: 'limit.cleared', payload: { limit, value, allowed, quota: null } });
        context.tell({ kind: 'limit-cleared', limit });
        return;
      case 'step':
        this.#answer(limit, verdict.policy, value, allowed, reason);
    }
  }

  #answer(
    limit: LimitName,
    policy: LimitPolicy,
    value: number | null,
    allowed: number,
    reason: string,
  ): void {
    const { context } = this;
    const alerts = this.#limits?.alerts ?? null;
    if (policy === 'alert' && alerts !== null) {
      const { spec, run, process } = context;
      const message = `worker "${spec.id}": ${reason}`;
      const publish = context.publish.bind(context);
      this.#parts.alerts.raise(
        { spec, run, process, limit, value, allowed, policy, message, publish },
        alerts,
      );
    }
    if (ENDING.has(policy)) this.#ending.add(limit);
    // Also of what only tells: it takes the place of a throttling before it.
    context.tell({ kind: 'limit-exceeded', limit, policy, reason });
  }

  /** An excess of a limit that is no limit any more has ended. */
  #clearDropped(): void {
    const kept = new Set(this.#judged.map(({ limit }) => limit));
    for (const [limit, { exceeded }] of this.#states) {
      if (kept.has(limit)) continue;
      this.#states.delete(limit);
      if (exceeded) this.context.tell({ kind: 'limit-cleared', limit });
    }
  }

  #sizesOf({ tempDirectory }: LimitsSpec): Sizes | null {
    const asks = (limit: LimitName): boolean => this.#judged.some((one) => one.limit === limit);
    const temp = asks('storage.max_temp_size') ? tempDirectory : null;
    const logs = asks('storage.max_log_size') ? this.#parts.logFiles(this.context) : null;
    if (temp === null && logs === null) return null;
    const { clock } = this.context;
    return new Sizes({ clock, slots: this.#parts.slots, tempDirectory: temp, logFiles: logs });
  }
}

/** The limits whose excess is at least told. */
function judgedOf(limits: LimitsSpec): readonly Judged[] {
  const names = Object.keys(limits.values) as LimitName[];
  return names.flatMap((limit) => {
    const response = responseTo(limits, limit);
    const allowed = limits.values[limit];
    return isSilent(response) || allowed === undefined ? [] : [{ limit, allowed, response }];
  });
}

function detailOf(judged: readonly Judged[]): UsageDetail {
  const asks = (limit: LimitName): boolean => judged.some((one) => one.limit === limit);
  return {
    pss: false,
    pressure: false,
    connections: asks('network.max_connections'),
    descriptors: asks('process.max_file_descriptors'),
    peak: false,
  };
}
