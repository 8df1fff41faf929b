import type * as core from '@hsu-master/core';
import { fleetHealth } from '@hsu-master/core';
import type * as wire from './contract/index.ts';

// From core's values to what goes over the wire: moments as text, spans with their unit in the name.

function moment(at: core.WallTime): string {
  return new Date(at).toISOString();
}

function momentOrNull(at: core.WallTime | null): string | null {
  return at === null ? null : moment(at);
}

export function worker(view: core.WorkerView): wire.Worker {
  const { lastEnd, usage: used } = view;
  return {
    id: view.id,
    name: view.name,
    namespace: view.namespace,
    group: view.group,
    enabled: view.enabled,
    phase: view.phase,
    desired: view.desired,
    doing: view.doing,
    ready: view.ready,
    probed: view.probed,
    completed: view.completed,
    run: view.run,
    process: view.process,
    port: view.port,
    startedAt: momentOrNull(view.startedAt),
    restarts: view.restarts,
    failuresInARow: view.failuresInARow,
    breaker: view.breaker,
    nextTry: momentOrNull(view.nextTry),
    waiting: [...view.waiting],
    failure: view.failure,
    lastEnd: lastEnd && end(lastEnd),
    throttled: [...view.throttled],
    degraded: [...view.degraded],
    usage: used && usage(used),
  };
}

export function usage({ cpuPercent, memory, processes }: core.UsageView): NonNullable<wire.Worker['usage']> {
  return { cpuPercent, memoryBytes: memory, processes };
}

function end({ run, exit, says, success, uptime, at }: core.EndView): NonNullable<wire.Worker['lastEnd']> {
  const { code = null, signal = null } = exit ?? {};
  return { run, code, signal, says, success, uptimeMs: uptime, at: moment(at) };
}

export function workerDetail(view: core.WorkerView, detail: core.WorkerDetail): wire.WorkerDetail {
  const { stop, ...rest } = detail;
  const told = {
    ...worker(view),
    ...rest,
    stop: { signal: stop.signal, graceMs: stop.grace },
  };
  // Only what is readonly there differs.
  return told as unknown as wire.WorkerDetail;
}

export function process(
  workerId: core.WorkerId,
  { cpu, memory, argv, ...rest }: core.ProcessView,
): wire.Process {
  return { worker: workerId, ...rest, argv: [...argv], cpuMs: cpu, memoryBytes: memory };
}

export function ticket({ workerId, askedAt, settledAt, ...rest }: core.Ticket): wire.Ticket {
  return { ...rest, worker: workerId, askedAt: moment(askedAt), settledAt: momentOrNull(settledAt) };
}

export function explanation(told: core.Explanation): wire.Explanation {
  return {
    worker: told.workerId,
    headline: told.headline,
    history: told.history.map(({ at, ...rest }) => ({ at: moment(at), ...rest })),
    cause: told.cause,
    lastWords: [...told.lastWords],
    next: [...told.next],
  };
}

export function version({ id, startedAt, ...rest }: core.MasterView): wire.Version {
  return { master: id, api: 1, ...rest, startedAt: moment(startedAt) };
}

/** `until` of a payload is a moment as well. */
export function event({ seq, at, type, workerId, run, payload }: core.HsuEvent): wire.Event {
  const told = 'until' in payload ? { ...payload, until: moment(payload.until) } : { ...payload };
  return { seq, at: moment(at), type, workerId, run, payload: told };
}

export function line({ workerId, at, ...rest }: core.LogLine): wire.LogLine {
  return { worker: workerId, at: moment(at), ...rest };
}

/** What a list of workers comes to as a whole. */
export function health(workers: readonly core.WorkerView[]): wire.Health {
  return fleetHealth(workers);
}

export function plan({ workers, unchanged, settings }: core.ConfigPlan): wire.Plan {
  return {
    workers: workers.map(({ parts, ...change }) => ({ ...change, parts: [...parts] })),
    unchanged: [...unchanged],
    settings: [...settings],
  };
}

export function planned({ ok, issues, workers, revision, plan: found }: core.Planned): wire.Planned {
  return {
    ok,
    issues: [...issues],
    workers: [...workers],
    revision,
    plan: found === null ? null : plan(found),
  };
}

/** @param outcome null: it is under way */
export function applied(
  accepted: core.Accepted & { readonly id?: core.WorkerId },
  outcome: core.ChangeOutcome | null,
): wire.Applied {
  const { id, revision, warnings } = accepted;
  return {
    ...(id === undefined ? {} : { id }),
    revision,
    plan: plan(accepted.plan),
    warnings: [...warnings],
    state: outcome?.state ?? 'pending',
    failures: (outcome?.failures ?? []).map(({ workerId, code, message }) => ({
      worker: workerId,
      code,
      message,
    })),
  };
}

export function config(view: core.ConfigView): wire.Config {
  const { created, replaced, removed, acceptedAt, workers, ...rest } = view;
  return {
    ...rest,
    acceptedAt: moment(acceptedAt),
    created: [...created],
    replaced: [...replaced],
    removed: [...removed],
    workers: workers as wire.Config['workers'],
  };
}

/** Nothing of the token itself: more is kept beside what is told. */
export function token({ createdAt, expiresAt, ...view }: core.TokenView): wire.Token {
  const { id, name, role, plus, minus, workers, namespaces } = view;
  return {
    id,
    name,
    role,
    plus: [...plus],
    minus: [...minus],
    workers: [...workers],
    namespaces: [...namespaces],
    createdAt: moment(createdAt),
    expiresAt: momentOrNull(expiresAt),
  };
}
