import type { EventMap, EventType, HsuEvent, ProcessIdentity, StopCause } from '@hsu-master/core';
import {
  describeExit,
  describeWaiting,
  formatBeside,
  formatDuration,
  formatLimit,
  formatSize,
} from '@hsu-master/core';

/** The last words of the worker, if they are known: the last line that it wrote to stderr. */
type LastWords = string | null;

/** How each event reads; null: the terminal need not show it. `who` is the worker's id, or the master's name. */
type Wording = {
  readonly [T in EventType]: (payload: EventMap[T], who: string, lastWords: LastWords) => string | null;
};

/**
 * One event as one line for people: `web: exit 1 after 2.3s; last words: connect ECONNREFUSED`. null for events that a terminal
 * need not show, because another event says the same or because nothing is to be done.
 * @param lastWords the last line that the worker wrote to stderr, told when its process ends without success
 */
export function eventLine(event: HsuEvent, lastWords: LastWords = null): string | null {
  const word = WORDS[event.type] as (
    payload: HsuEvent['payload'],
    who: string,
    lastWords: LastWords,
  ) => string | null;
  const who = event.workerId ?? 'hsu-master';
  const said = word(event.payload, who, lastWords);
  return said === null ? null : `${who}: ${said}`;
}

const WORDS: Wording = {
  // worker.started or worker.spawn-failed follows at once.
  'worker.starting': () => null,
  'worker.blocked': ({ waiting }) => `waiting for ${waiting.map(describeWaiting).join(', ')}`,
  'worker.spawn-failed': ({ failure }, who) => withoutName(failure.message, who),
  'worker.started': ({ process, warning }) =>
    `started (pid ${process.pid})${warning === null ? '' : `; warning: ${warning}`}`,
  'worker.attached': ({ process, uptime, origin }) =>
    origin === 'foreign'
      ? `found (pid ${process.pid}, running for ${formatDuration(uptime)}); watching it`
      : `runs on (pid ${process.pid}, for ${formatDuration(uptime)} already); an earlier master started it`,
  'worker.detached': ({ process }) => `watched no longer (pid ${process.pid}); it runs on`,
  'worker.monitor-only': ({ reason }) => `can only be watched: ${reason}`,
  'worker.not-found': ({ reason }) => `not attached: ${reason}`,
  'worker.control-failed': ({ action, reason }) =>
    `could not be ${action === 'stop' ? 'ended' : 'restarted'}: ${reason}; watched as before`,
  'worker.daemonized': ({ process, expected }) =>
    `went into the background${expected ? '' : ' unexpectedly'}; its main process is now pid ${process.pid}`,
  'worker.ready': () => 'ready',
  // health.changed says it with the reason, also where the worker had not been ready before.
  'worker.unready': () => null,
  'worker.stopping': ({ cause, detail }) => STOPPING[cause](detail),
  'worker.killed': ({ after }) =>
    `${after > 0 ? `did not end within ${formatDuration(after)}; ` : ''}killed with SIGKILL`,
  'worker.exited': ({ exit, asked, success, uptime, remaining }, _who, lastWords) => {
    const words = asked || success || lastWords === null ? '' : `; last words: ${lastWords}`;
    const left = remaining.length === 0 ? '' : `; ${processes(remaining)} of its tree still there`;
    const how = asked && exit.signal !== null ? `ended (${exit.signal})` : describeExit(exit);
    return `${how} after ${formatDuration(uptime)}${words}${left}`;
  },
  'worker.survivors': ({ survivors }) =>
    `could not be ended: ${processes(survivors)} alive after SIGKILL (${pids(survivors)}); not started again before they are gone`,
  'worker.file-failed': ({ file, reason }) => `its pid file ${file} cannot be written: ${reason}`,
  // What failed was said in the line before.
  'worker.backing-off': ({ delay, failures, breaker }) =>
    breaker === 'open'
      ? `failed too often (${failures} times in a row); one more try in ${formatDuration(delay)}`
      : `next try in ${formatDuration(delay)}${failures > 1 ? ` (failure ${failures} in a row)` : ''}`,
  'worker.failed': ({ failure }, who) => `failed for good: ${withoutName(failure.message, who)}`,
  'worker.stopped': ({ completed }) => (completed ? 'completed' : 'stopped'),
  'worker.removed': () => 'removed',
  'health.changed': ({ probe, healthy, reason }) => {
    if (healthy) return null;
    return probe === 'readiness' ? `not ready: ${reason}` : `${probe} probe failed: ${reason}`;
  },
  'worker.throttled': ({ limit, percent }) => `held back to ${percent}% of a core, since it exceeds ${limit}`,
  'worker.unthrottled': ({ reason }) => `held back no longer: ${reason}`,
  'limit.warned': ({ limit, value, allowed }) =>
    `near its limit ${limit}: ${formatBeside(limit, value, allowed)} of ${formatLimit(limit, allowed)}`,
  'limit.exceeded': ({ limit, value, allowed, quota, reason }) => {
    const used = value === null ? null : formatBeside(limit, value, allowed ?? value);
    const most = allowed === null ? null : formatLimit(limit, allowed);
    const of = most === null ? '' : ` of ${most}`;
    const whose = whoseLimit(quota);
    if (reason === 'oom-killed' || reason === 'out-of-cpu-time')
      return `killed by the kernel at ${whose} ${limit}${of}`;
    if (reason === 'fork-refused') return `was refused a process or thread at ${whose} ${limit}${of}`;
    // Nobody can tell whose part of a budget was too much.
    const who = quota === null ? '' : `its ${quota.kind} "${quota.id}" `;
    // The kernel held it there, and what is measured sways around that.
    const isHeld = used === null || used === most || (value ?? 0) <= (allowed ?? 0);
    return isHeld
      ? `${who}has reached its limit ${limit}${of}`
      : `${who}exceeds its limit ${limit}: ${used}${of}`;
  },
  'limit.cleared': ({ limit, quota }) =>
    `${quota === null ? '' : `its ${quota.kind} "${quota.id}" `}keeps its limit ${limit} again`,
  'limit.adjusted': ({ limit, from, to }) =>
    `its limit ${limit} is raised from ${formatLimit(limit, from)} to ${formatBeside(limit, to, from)}`,
  // What else there is to know says `limits explain`.
  'limit.unenforceable': ({ limit, status, quota, reason }) =>
    `${whoseLimit(quota)} ${limit} ${status === 'watched' ? 'is watched, not enforced' : 'cannot be kept'}: ${firstPart(reason)}`,
  'alert.failed': ({ limit, to, reason }) => `the alert about ${limit} did not arrive by ${to}: ${reason}`,
  'log.dropped': ({ bytes, reason }) =>
    bytes === 0 ? `log trouble: ${reason}` : `${formatSize(bytes)} of its output were lost (${reason})`,
  'log.rotated': () => null,
  'log.removed': () => null,
  'log.over-budget': ({ bytes, max }) =>
    `log files have ${formatSize(bytes)}, more than the ${formatSize(max)} of max_total_size, and nothing older is left to remove`,
  'log.alerted': ({ kind, message }) => `alert ${kind}: ${message}`,
  'log.alert-failed': ({ rule, to, reason }) => `the alert ${rule} did not arrive by ${to}: ${reason}`,
  'log.sink-failing': ({ sink, reason }) => `log target ${sink} fails, trying again: ${reason}`,
  'log.sink-recovered': ({ sink, failures, after }) =>
    `log target ${sink} works again, after ${count(failures, 'failure')} in ${formatDuration(after)}`,
  'log.sink-found': ({ sink, lines }) =>
    `log target ${sink} gets ${count(lines, 'line')} that an earlier master had left first`,
  'log.sink-left': ({ sink, folder, bytes }) =>
    `${formatSize(bytes)} of lines wait in ${folder} for the log target ${sink}, which is not configured any more`,
  'api.listening': ({ address }) => `answers at ${address}`,
  'api.certificate-loaded': ({ file }) => `uses the new certificate ${file}`,
  'api.certificate-refused': ({ file, reason }) =>
    `cannot use the new certificate ${file}, and goes on with the one before: ${reason}`,
  'api.locked-out': ({ from, until }) =>
    `too many wrong tokens came by ${from}; it is not answered before ${new Date(until).toISOString()}`,
  'api.tokens-refused': ({ file, reason }) => `lets nobody in by a token: ${reason} (${file})`,
  'audit.failed': ({ file, reason }) => `cannot write the audit ${file}: ${reason}`,
  'config.loaded': ({ revision, file, source }) =>
    source === 'file'
      ? `configuration ${revision}: as ${file} says`
      : `configuration ${revision}: as it was applied last`,
  'config.rejected': ({ file, by, reason }) =>
    `${file} is not accepted${by === 'start' ? '' : ', the former holds on'}: ${reason}`,
  'config.applied': ({ revision, state, added, removed, changed }) =>
    state === 'superseded'
      ? null
      : `configuration ${revision} ${state === 'done' ? 'is carried out' : 'could not be carried out'}: ${added.length} added, ${removed.length} removed, ${changed.length} changed`,
  'supervisor.started': ({ workers, host }) => `holds ${count(workers, 'worker')} (${host} host)`,
  'supervisor.stopping': ({ reason }) => `stopping all workers: ${reason}`,
  'supervisor.stopped': ({ survivors }) =>
    survivors.length === 0
      ? 'all workers are stopped'
      : `stopped, but ${processes(survivors)} could not be ended (${pids(survivors)})`,
  'supervisor.left': ({ workers }) => `leaves ${count(workers, 'worker')} running`,
  'supervisor.journal-refused': ({ file, records, reason }) =>
    `${records === null ? 'records' : count(records, 'record')} of the master before are not believed: ${reason} (${file})`,
  'supervisor.left-over-ended': ({ process }) =>
    `ended pid ${process.pid}, which an earlier master had left running`,
  'supervisor.stray-found': ({ process }) =>
    `pid ${process.pid} belongs to no worker any more: it left its tree without a trace and is ended with the master`,
  'supervisor.unrecorded': ({ reason }) => `could not be written down, trying again: ${reason}`,
  'supervisor.defect': ({ message }) => `internal error, please report it: ${message}`,
};

function whoseLimit(quota: EventMap['limit.exceeded']['quota']): string {
  return quota === null ? 'its limit' : `the limit of its ${quota.kind} "${quota.id}",`;
}

const STOPPING: Readonly<Record<StopCause, (detail: string) => string>> = {
  operator: () => 'stopping',
  shutdown: () => 'stopping',
  restart: (detail) =>
    detail === 'its configuration changed'
      ? 'its configuration changed; stopping, to be started again'
      : 'stopping, to be started again',
  configuration: (detail) => (detail === '' ? 'stopping' : `stopping: ${detail}`),
  // health.changed gave the probe’s reason.
  liveness: () => 'stopping it, since its liveness probe failed',
  startup: () => 'stopping it, since its startup probe failed',
  dependency: (detail) => `stopping it: ${detail}`,
  'left-behind': (detail) => `${detail}; ending it now`,
  'main-process': (detail) => `stopping it: ${detail}`,
  limit: (detail) => `stopping it for its limit: ${detail}`,
};

/** Failures begin with `worker "web": `, which the line says already. */
function withoutName(message: string, who: string): string {
  const prefix = `worker "${who}": `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}

/** Reasons go from what is so here to what is so in general. */
function firstPart(reason: string): string {
  return reason.split('; ')[0] ?? reason;
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

function processes(list: readonly ProcessIdentity[]): string {
  return count(list.length, 'process').replace('processs', 'processes');
}

function pids(list: readonly ProcessIdentity[]): string {
  const first = list.slice(0, 8).map(({ pid }) => pid);
  return `pid ${first.join(', ')}${list.length > first.length ? ', …' : ''}`;
}
