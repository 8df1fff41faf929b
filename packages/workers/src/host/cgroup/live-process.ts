import type { LimitName } from '@hsu-master/core';
import type { NativeProcessLimits, NativeRlimit } from '@hsu-master/native';
import { mayBeNice, POLICIES } from './cpu-limits.ts';
import type { LimitPlan, Setting } from './limit-plan.ts';
import { hardLimit, ownRlimit, RLIMIT_NAMES } from './process-limits.ts';

/** What one limit of a living process changes to, or why it cannot. */
type Change<T> = { readonly to: T | null } | { readonly denied: string };

const same = { to: null };

interface Denied {
  readonly limits: readonly LimitName[];
  readonly reason: string;
}

/** What changes for each process of a living tree. What is lifted goes back to the master’s own. */
export function changeProcess(
  before: LimitPlan,
  after: LimitPlan,
  setting: Setting,
): { readonly process: NativeProcessLimits; readonly denials: readonly Denied[] } {
  const denials: Denied[] = [];
  const settle = <T>(limit: LimitName, change: Change<T>): T | null => {
    if ('to' in change) return change.to;
    denials.push({ limits: [limit], reason: change.denied });
    return null;
  };
  const rlimits = rlimitChanges(before, after, setting).flatMap(({ resource, change }) => {
    const limit = RLIMIT_NAMES.get(resource) as LimitName;
    return settle(limit, change) ?? [];
  });
  settle('process.no_new_privs', noNewPrivs(before, after));
  const process = {
    rlimits,
    nice: settle('cpu.nice', niceness(before, after, setting)),
    affinity: affinity(before, after, setting),
    scheduler: settle('cpu.scheduler', scheduler(before, after, setting)),
    ioPriority: null,
    oomScoreAdj: settle('process.oom_score_adj', oomScore(before, after, setting)),
  };
  return { process, denials };
}

/** Above a hard limit that was set nobody comes without the right to; what was not limited has the master’s own. */
function rlimitChanges(
  { process: before }: LimitPlan,
  { process: after }: LimitPlan,
  { facilities: { rights } }: Setting,
): { resource: number; change: Change<NativeRlimit> }[] {
  const resources = new Set([...before.rlimits, ...after.rlimits].map(({ resource }) => resource));
  return [...resources].map((resource) => {
    const find = (rlimits: readonly NativeRlimit[]): NativeRlimit =>
      rlimits.find((one) => one.resource === resource) ?? ownRlimit(rights, resource);
    const from = find(before.rlimits);
    const to = find(after.rlimits);
    if (from.soft === to.soft && from.hard === to.hard) return { resource, change: same };
    return !rights.resource && to.hard > Math.min(from.hard, hardLimit(rights, resource))
      ? { resource, change: { denied: 'to raise it again takes CAP_SYS_RESOURCE' } }
      : { resource, change: { to } };
  });
}

function niceness(before: LimitPlan, after: LimitPlan, setting: Setting): Change<number> {
  const from = before.process.nice ?? setting.machine.niceness;
  const to = after.process.nice ?? setting.machine.niceness;
  if (from === to) return same;
  return mayBeNice(to, from, setting) ? { to } : { denied: `from ${from} down takes CAP_SYS_NICE` };
}

function affinity(before: LimitPlan, after: LimitPlan, { facilities }: Setting): readonly number[] | null {
  const own = facilities.rights.cpus;
  const from = before.process.affinity ?? own;
  const to = after.process.affinity ?? own;
  return String(from) === String(to) ? null : to;
}

function scheduler(
  before: LimitPlan,
  after: LimitPlan,
  setting: Setting,
): Change<{ policy: number; priority: number }> {
  const ordinary = { policy: POLICIES.other, priority: 0 };
  const from = before.process.scheduler ?? ordinary;
  const to = after.process.scheduler ?? ordinary;
  if (from.policy === to.policy && from.priority === to.priority) return same;
  if (after.avoids.length > 0 && before.avoids.length === 0) {
    return { denied: 'counts from the next start: it began in the cpu group, whose cpu.rt_runtime_us is 0' };
  }
  const nice = after.process.nice ?? setting.machine.niceness;
  return from.policy === POLICIES.idle && !mayBeNice(nice, 20, setting)
    ? { denied: 'to leave the idle class takes CAP_SYS_NICE' }
    : { to };
}

function oomScore(before: LimitPlan, after: LimitPlan, { facilities: { rights } }: Setting): Change<number> {
  const from = before.process.oomScoreAdj ?? rights.oomScoreAdj;
  const to = after.process.oomScoreAdj ?? rights.oomScoreAdj;
  if (from === to) return same;
  return to > from || rights.resource ? { to } : { denied: `from ${from} down takes CAP_SYS_RESOURCE` };
}

function noNewPrivs({ process: before }: LimitPlan, { process: after }: LimitPlan): Change<never> {
  if (before.noNewPrivs === after.noNewPrivs) return same;
  return after.noNewPrivs
    ? { denied: 'counts from the next start: a process can only set it itself' }
    : { denied: 'cannot be taken back: it ends with the run' };
}
