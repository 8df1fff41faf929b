import {
  type Clock,
  type ExcessState,
  familyOf,
  type HostBudget,
  hit,
  isSilent,
  judgeUsage,
  type LimitName,
  type Look,
  type MonotonicTime,
  measure,
  noExcess,
  type RunContext,
  responseToQuota,
  type TreeUsage,
} from '@hsu-master/core';
import { describeExcess } from './reason.ts';

const PLAIN = { pss: false, connections: false, pressure: false, descriptors: false, peak: false };

/** What is to be told of one limit. */
interface News {
  readonly verdict: 'exceeded' | 'cleared';
  readonly limit: LimitName;
  readonly look: Look;
  readonly since: MonotonicTime | null;
}

/** One budget that living runs share. */
interface Watched {
  readonly runs: Set<RunContext>;
  readonly states: Map<LimitName, ExcessState>;
  previous: TreeUsage | null;
  cancel: () => void;
}

/**
 * Looks at budgets as long as runs share them, each in its own interval, and tells when one is used up: of the run that uses the most
 * of it. The kernel holds a budget; no policy of its own ends or throttles anybody.
 */
export class BudgetWatch {
  readonly #clock: Clock;
  readonly #defect: (error: unknown) => void;
  readonly #watched = new Map<HostBudget, Watched>();

  constructor(clock: Clock, defect: (error: unknown) => void) {
    this.#clock = clock;
    this.#defect = defect;
  }

  /** A run shares its budgets from now on, until the returned function is called. */
  begin(context: RunContext): () => void {
    const budgets = context.tree.budgets();
    for (const budget of budgets) this.#join(budget, context);
    return () => {
      for (const budget of budgets) this.#leave(budget, context);
    };
  }

  #join(budget: HostBudget, context: RunContext): void {
    let watched = this.#watched.get(budget);
    if (watched === undefined) {
      // What was counted before is no news.
      const previous = budget.usage();
      if (previous === null) return;
      watched = { runs: new Set(), states: new Map(), previous, cancel: () => undefined };
      this.#watched.set(budget, watched);
      this.#lookLater(budget, watched);
    }
    watched.runs.add(context);
  }

  #leave(budget: HostBudget, context: RunContext): void {
    const watched = this.#watched.get(budget);
    watched?.runs.delete(context);
    if (watched === undefined || watched.runs.size > 0) return;
    watched.cancel();
    this.#watched.delete(budget);
  }

  #lookLater(budget: HostBudget, watched: Watched): void {
    const { interval } = budget.quota.limits.monitoring;
    watched.cancel = this.#clock.after(interval, () => {
      this.#lookLater(budget, watched);
      try {
        this.#look(budget, watched);
      } catch (error) {
        this.#defect(error);
      }
    });
  }

  #look(budget: HostBudget, watched: Watched): void {
    const usage = budget.usage();
    if (usage === null) return;
    const { previous, states } = watched;
    watched.previous = usage;
    const { limits } = budget.quota;
    for (const limit of Object.keys(limits.values) as LimitName[]) {
      const response = responseToQuota(limits, limit);
      const allowed = limits.values[limit];
      if (allowed === undefined || isSilent(response)) continue;
      const value = measure(limit, usage, previous);
      const look = { value, limit: allowed, hit: hit(limit, allowed, usage, previous), now: usage.at };
      const before = states.get(limit) ?? noExcess;
      const { state, verdicts } = judgeUsage(before, { ...response, warning: null }, look);
      states.set(limit, state);
      for (const { kind } of verdicts) {
        if (kind === 'exceeded' || kind === 'cleared')
          this.#tell({ verdict: kind, limit, look, since: state.since }, budget, watched);
      }
    }
  }

  #tell({ verdict, limit, look, since }: News, { quota }: HostBudget, { runs }: Watched): void {
    const { value, limit: allowed, now } = look;
    const payload = { limit, value, allowed, quota: { kind: quota.kind, id: quota.id } };
    const whose = greediest(limit, [...runs]);
    if (verdict === 'cleared') whose?.publish({ type: 'limit.cleared', payload });
    else {
      const reason = describeExcess(limit, look, now - (since ?? now));
      whose?.publish({ type: 'limit.exceeded', payload: { ...payload, reason } });
    }
  }
}

/** Who uses the most of what a limit is about. */
function greediest(limit: LimitName, runs: readonly RunContext[]): RunContext | null {
  const [first] = runs;
  if (first === undefined) return null;
  const usages = first.host.sample(
    runs.map(({ tree }) => tree),
    PLAIN,
  );
  const uses = usages.map((usage) => (usage === null ? -1 : partOf(limit, usage)));
  return runs[uses.indexOf(Math.max(...uses))] ?? first;
}

function partOf(limit: LimitName, { threads, rss, cpuTime }: TreeUsage): number {
  const family = familyOf(limit);
  return family === 'memory' ? rss : family === 'process' ? threads : cpuTime;
}
