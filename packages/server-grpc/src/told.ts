import type * as core from '@hsu-master/core';
import type * as wire from './messages.ts';

// From core's values to messages.

/** `half-open` of a Breaker is BREAKER_HALF_OPEN. */
type Constant<Prefix extends string, Word extends string> = `${Prefix}_${Uppercase<Underscored<Word>>}`;
type Underscored<Word extends string> = Word extends `${infer A}-${infer B}`
  ? `${A}_${Underscored<B>}`
  : Word;

export function constant<Prefix extends string, Word extends string>(
  prefix: Prefix,
  word: Word,
): Constant<Prefix, Word> {
  return `${prefix}_${word.replaceAll('-', '_').toUpperCase()}` as Constant<Prefix, Word>;
}

export function moment(at: core.WallTime): wire.Timestamp {
  const seconds = Math.floor(at / 1000);
  return { seconds, nanos: Math.round((at - seconds * 1000) * 1e6) };
}

function momentOrNull(at: core.WallTime | null): wire.Timestamp | null {
  return at === null ? null : moment(at);
}

export function span(of: core.Milliseconds): wire.Duration {
  const seconds = Math.trunc(of / 1000);
  return { seconds, nanos: Math.round((of - seconds * 1000) * 1e6) };
}

/** Any JSON value. What JSON leaves out is left out. */
function value(of: unknown): wire.Value {
  if (of === null || of === undefined) return { nullValue: 'NULL_VALUE' };
  if (typeof of === 'number') return { numberValue: of };
  if (typeof of === 'string') return { stringValue: of.toWellFormed() };
  if (typeof of === 'boolean') return { boolValue: of };
  if (Array.isArray(of)) return { listValue: { values: of.map(value) } };
  return { structValue: struct(of) };
}

export function struct(of: object): wire.Struct {
  const entries = Object.entries(of).filter(([, one]) => one !== undefined);
  return { fields: Object.fromEntries(entries.map(([key, one]) => [key, value(one)])) };
}

export function worker(view: core.WorkerView): wire.Worker {
  const { lastEnd, usage } = view;
  return {
    id: view.id,
    name: view.name,
    namespace: view.namespace,
    group: view.group,
    enabled: view.enabled,
    phase: constant('PHASE', view.phase),
    desired: constant('DESIRED', view.desired),
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
    breaker: constant('BREAKER', view.breaker),
    nextTry: momentOrNull(view.nextTry),
    waiting: view.waiting,
    failure: view.failure,
    lastEnd: lastEnd && end(lastEnd),
    throttled: view.throttled,
    degraded: view.degraded,
    usage: usage && { cpuPercent: usage.cpuPercent, memoryBytes: usage.memory, processes: usage.processes },
  };
}

function end({ run, exit, says, success, uptime, at }: core.EndView): wire.RunEnd {
  const { code = null, signal = null } = exit ?? {};
  return { run, code, signal, says, success, uptime: span(uptime), at: moment(at) };
}

export function workerDetail(view: core.WorkerView, detail: core.WorkerDetail): wire.WorkerDetail {
  const { probes, log } = detail;
  return {
    worker: worker(view),
    description: detail.description,
    argv: detail.argv,
    cwd: detail.cwd,
    environment: detail.environment,
    user: detail.user,
    stop: { signal: detail.stop.signal, grace: span(detail.stop.grace) },
    dependsOn: detail.dependsOn,
    dependents: detail.dependents,
    startup: probe(probes.startup),
    liveness: probe(probes.liveness),
    readiness: probe(probes.readiness),
    stdoutFile: log.stdoutFile,
    stderrFile: log.stderrFile,
    members: detail.members,
  };
}

function probe(of: core.Probes['startup']): wire.Probe | null {
  if (of === null) return null;
  return {
    check: struct(of.check),
    interval: span(of.interval),
    timeout: span(of.timeout),
    initialDelay: span(of.initialDelay),
    failureThreshold: of.failureThreshold,
    successThreshold: of.successThreshold,
  };
}

export function graphNode(view: core.WorkerView, dependsOn: readonly core.Dependency[]): wire.GraphNode {
  const { id, namespace, enabled, phase, ready, completed } = view;
  return { id, namespace, enabled, phase: constant('PHASE', phase), ready, completed, dependsOn };
}

export function treeProcess(worker: core.WorkerId, of: core.ProcessView): wire.TreeProcess {
  const { pid, startedAt, ppid, state, argv, user, cpu, memory } = of;
  return {
    worker,
    process: { pid, startedAt },
    ppid,
    state,
    argv: argv.map((word) => word.toWellFormed()),
    user,
    cpu: cpu === null ? null : span(cpu),
    memoryBytes: memory,
  };
}

export function environment({ argv, variables }: core.GivenEnvironment, revealed: boolean): wire.Environment {
  const told = Object.entries(variables).map(([name, given]) => ({ name, value: given }));
  return { revealed, argv, variables: told };
}

export function limitReport({ limit, status, mechanism, reason }: core.LimitReport): wire.LimitReport {
  return { limit, status: constant('SUPPORT', status), mechanism, reason };
}

export function capability({ feature, status, reason }: core.Capability): wire.Capability {
  return { feature, status: constant('SUPPORT', status), reason };
}

export function ticket(of: core.Ticket): wire.Ticket {
  return {
    id: of.id,
    worker: of.workerId,
    order: constant('ORDER_KIND', of.order),
    state: constant('TICKET_STATE', of.state),
    already: of.already,
    failure: of.failure,
    askedAt: moment(of.askedAt),
    settledAt: momentOrNull(of.settledAt),
  };
}

export function explanation(of: core.Explanation): wire.Explanation {
  return {
    worker: of.workerId,
    headline: of.headline,
    history: of.history.map(({ at, run, text, count }) => ({ at: moment(at), run, text, count })),
    cause: of.cause,
    lastWords: of.lastWords.map((words) => words.toWellFormed()),
    next: of.next,
  };
}

export function version({ id, startedAt, ...rest }: core.MasterView): wire.Version {
  return { master: id, ...rest, startedAt: moment(startedAt) };
}

export function health({ status, workers }: core.FleetHealth): wire.Health {
  return { status: constant('STATUS', status), ...workers };
}

export function validation({ ok, issues, workers }: core.Validation): wire.Validation {
  return { ok, issues: issues.map(issue), workers };
}

export function issue({ severity, ...rest }: core.ValidationIssue): wire.Issue {
  return { severity: constant('SEVERITY', severity), ...rest };
}

export function auditEntry({ at, by, action, on, result, why }: core.AuditEntry): wire.AuditEntry {
  return {
    at: moment(at),
    by: by.name,
    from: by.from,
    action,
    on,
    result: constant('RESULT', result),
    why,
  };
}

/** Nothing of the token itself: more is kept beside what is told. */
export function token({ id, name, createdAt, expiresAt, ...grant }: core.TokenView): wire.Token {
  const { role, plus, minus, workers, namespaces } = grant;
  return {
    id,
    name,
    grant: { role, plus, minus, workers, namespaces },
    createdAt: moment(createdAt),
    expiresAt: momentOrNull(expiresAt),
  };
}

/** `until` of a payload is a moment as well. */
export function event({ seq, at, type, workerId, run, payload }: core.HsuEvent): wire.Event {
  const told = 'until' in payload ? { ...payload, until: new Date(payload.until).toISOString() } : payload;
  return { seq, at: moment(at), type, worker: workerId, run, payload: struct(told) };
}

export function line({ workerId, stream, at, stamped, run, text }: core.LogLine): wire.LogLine {
  return {
    worker: workerId,
    stream: constant('OUTPUT_STREAM', stream),
    at: moment(at),
    stamped,
    run,
    text: text.toWellFormed(),
  };
}
