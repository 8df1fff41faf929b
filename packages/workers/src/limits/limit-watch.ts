import type { Clock, Host, RunContext, RunHook, UsageDetail, WallTime, WorkerId } from '@hsu-master/core';
import { Alerts } from './alerts.ts';
import { BudgetWatch } from './budget-watch.ts';
import { type Excesses, RunWatch, type WatchParts } from './run-watch.ts';
import { Sampler } from './sampler.ts';
import { Slots } from './sizes.ts';
import { UsageHistory, type UsagePoint, type WorkerUsage } from './usage-history.ts';

export interface LimitWatchParts {
  readonly host: Host;
  readonly clock: Clock;
  /** The files that a worker’s output is in, those rotated included; they need not be there. */
  logFiles(spec: RunContext['spec']): readonly string[];
  /** Hears of what cannot have happened. */
  defect(error: unknown): void;
}

/** Watches what all runs use: judges it by their limits, remembers it, and tells whom it concerns. */
export interface LimitWatch {
  /** Accompanies each run. One without limits costs an entry in a map and no timer. */
  readonly hook: RunHook;
  /**
   * What the worker’s living tree uses, from a look at it now, with pressure and descriptors unless `detail` says otherwise; the newest
   * sample where nothing of it runs, null where there is none.
   */
  usage(workerId: WorkerId, detail?: Partial<UsageDetail>): WorkerUsage | null;
  /** What was sampled, over restarts, the oldest first. */
  history(workerId: WorkerId, since?: WallTime): readonly UsagePoint[];
  /** The worker’s limits were changed: takes note now, not with the next sample. */
  renew(workerId: WorkerId): void;
  /** There is no such worker any more. */
  forget(workerId: WorkerId): void;
  /** Gives up alerts that are under way. */
  close(): void;
}

const USUAL: UsageDetail = { pss: false, connections: false, pressure: true, descriptors: true, peak: true };
const NONE: Excesses = new Map();

export function watchLimits({ host, clock, logFiles, defect }: LimitWatchParts): LimitWatch {
  const history = new UsageHistory(clock);
  const alerts = new Alerts(host, clock);
  const sampler = new Sampler({ host, clock, defect: once(defect) });
  const parts: WatchParts = {
    sampler,
    history,
    alerts,
    slots: new Slots(),
    logFiles: ({ spec }) => logFiles(spec),
  };
  const budgets = new BudgetWatch(clock, once(defect));
  const runs = new Map<WorkerId, RunWatch>();
  const left = new Map<WorkerId, Excesses>();
  const hook: RunHook = {
    name: 'limits',
    begin(context) {
      const { id } = context.spec;
      const watch = new RunWatch(context, parts, new Map(left.get(id) ?? NONE));
      left.delete(id);
      runs.set(id, watch);
      const leave = budgets.begin(context);
      return () => {
        leave();
        const excesses = watch.end();
        if (excesses.size > 0) left.set(id, excesses);
        if (runs.get(id) === watch) runs.delete(id);
      };
    },
  };
  return {
    hook,
    usage(workerId, detail = {}) {
      const context = runs.get(workerId)?.context;
      const usage = context === undefined ? null : sampler.look(context.tree, { ...USUAL, ...detail });
      if (context === undefined || usage === null) return history.latest(workerId);
      return history.asOf(workerId, context.run, usage);
    },
    history: (workerId, since) => history.points(workerId, since),
    renew: (workerId) => runs.get(workerId)?.renew(),
    forget(workerId) {
      history.forget(workerId);
      left.delete(workerId);
    },
    close: () => alerts.close(),
  };
}

/** Says the same thing once: what fails with one sample fails with the next. */
function once(say: (error: unknown) => void): (error: unknown) => void {
  let last: string | null = null;
  return (error) => {
    const text = String(error);
    if (text !== last) say(error);
    last = text;
  };
}
