import {
  type Clock,
  describeExit,
  type EndView,
  type GivenEnvironment,
  hasReadiness,
  MASK,
  type Milliseconds,
  type MonotonicTime,
  maskText,
  maskWords,
  type RunEnd,
  type UsageView,
  type WallTime,
  type WorkerDetail,
  type WorkerId,
  type WorkerSpec,
  type WorkerView,
} from '@hsu-master/core';
import type { WorkerSnapshot, WorkerUsage } from '@hsu-master/workers';
import type { WorkerHistory } from './control-history.ts';

/** Between two askings the offset of the clocks counts as the same unless it has moved by this. */
const DRIFT: Milliseconds = 50;

/** Tells the same moment by the same number each time, though the two clocks are read one after the other. */
class Calendar {
  readonly #clock: Clock;
  #offset = Number.NaN;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wall(at: MonotonicTime): WallTime {
    const offset = this.#clock.wallNow() - this.#clock.now();
    if (!(Math.abs(offset - this.#offset) < DRIFT)) this.#offset = offset;
    return Math.round(at + this.#offset);
  }
}

/** What everybody may see of workers. A view is kept for as long as its snapshot is the same, and so is all else that it tells. */
export class Views {
  readonly #calendar: Calendar;
  readonly #history: WorkerHistory;
  readonly #kept = new WeakMap<WorkerSnapshot, { readonly spec: WorkerSpec; readonly view: WorkerView }>();

  constructor(clock: Clock, history: WorkerHistory) {
    this.#calendar = new Calendar(clock);
    this.#history = history;
  }

  of(spec: WorkerSpec, snapshot: WorkerSnapshot, usage: UsageView | null): WorkerView {
    const { process, since, run, lastEnd } = snapshot;
    const startedAt =
      process === null || since === null
        ? null
        : (this.#history.startOf(spec.id, run) ?? this.#calendar.wall(since));
    const endedAt = lastEnd === null ? null : this.#calendar.wall(lastEnd.at);
    const kept = this.#kept.get(snapshot);
    const isKept =
      kept?.spec === spec && kept.view.startedAt === startedAt && (kept.view.lastEnd?.at ?? null) === endedAt;
    const view = isKept ? kept.view : viewOf(spec, snapshot, startedAt, endedAt);
    if (!isKept) this.#kept.set(snapshot, { spec, view });
    return usage === null ? view : { ...view, usage };
  }
}

function viewOf(
  spec: WorkerSpec,
  snapshot: WorkerSnapshot,
  startedAt: WallTime | null,
  endedAt: WallTime | null,
): WorkerView {
  const { nextTry, lastEnd } = snapshot;
  return {
    id: spec.id,
    name: spec.name,
    namespace: spec.namespace,
    group: spec.group,
    enabled: spec.enabled,
    phase: snapshot.phase,
    desired: snapshot.desired,
    doing: snapshot.doing,
    ready: snapshot.ready,
    probed: hasReadiness(spec),
    completed: snapshot.completed,
    run: snapshot.run,
    process: snapshot.process,
    port: snapshot.port,
    startedAt,
    restarts: snapshot.restarts,
    failuresInARow: snapshot.failuresInARow,
    breaker: snapshot.breaker,
    nextTry: nextTry === null ? null : Math.round(nextTry),
    waiting: snapshot.waiting,
    failure: snapshot.failure,
    lastEnd: lastEnd === null || endedAt === null ? null : endOf(lastEnd, endedAt),
    throttled: snapshot.throttled,
    degraded: snapshot.degraded,
    usage: null,
  };
}

function endOf({ run, exit, success, uptime }: RunEnd, at: WallTime): EndView {
  const says = exit === null ? 'never started' : describeExit(exit);
  return { run, exit, says, success, uptime: Math.round(uptime), at };
}

/** What a list shows of a sample. */
export function usageOf(sample: WorkerUsage | null): UsageView | null {
  if (sample === null) return null;
  const { cpuPercent, usage } = sample;
  return {
    cpuPercent: cpuPercent === null ? null : Math.round(cpuPercent * 10) / 10,
    memory: usage.memory ?? usage.rss,
    processes: usage.processes,
  };
}

export function detailOf(
  spec: WorkerSpec,
  dependents: readonly WorkerId[],
  members: WorkerDetail['members'],
): WorkerDetail {
  const { command, log } = spec;
  return {
    description: spec.description,
    argv: maskWords(command.argv),
    cwd: command.cwd,
    environment: Object.keys(command.env),
    user: command.user,
    stop: spec.stop,
    dependsOn: spec.dependsOn,
    dependents,
    probes: withoutSecrets(spec.probes),
    log: { stdoutFile: log.stdoutFile, stderrFile: log.stderrFile },
    members,
  };
}

/** Of a variable nobody knows whether it is secret: without `reveal` its name alone is told. */
export function environmentOf({ command }: WorkerSpec, reveal: boolean): GivenEnvironment {
  if (reveal) return { argv: command.argv, variables: command.env };
  const variables = Object.fromEntries(Object.keys(command.env).map((name) => [name, null]));
  return { argv: maskWords(command.argv), variables };
}

/** Headers of a probe often hold a token, and so may a URL. */
function withoutSecrets(probes: WorkerSpec['probes']): WorkerSpec['probes'] {
  const bare = (probe: WorkerSpec['probes']['liveness']): typeof probe => {
    if (probe?.check.type === 'exec')
      return {
        ...probe,
        check: { ...probe.check, argv: maskWords(probe.check.argv) as typeof probe.check.argv },
      };
    if (probe?.check.type !== 'http') return probe;
    const headers = Object.fromEntries(Object.keys(probe.check.headers).map((name) => [name, MASK]));
    return { ...probe, check: { ...probe.check, url: maskText(probe.check.url), headers } };
  };
  return {
    startup: bare(probes.startup),
    liveness: bare(probes.liveness),
    readiness: bare(probes.readiness),
  };
}
