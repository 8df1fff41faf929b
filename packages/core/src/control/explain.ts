import { ERRORS } from '../errors.ts';
import type { HsuEvent } from '../events/catalogue.ts';
import { describeWaiting, isForItself } from '../graph/waiting.ts';
import { formatDuration, type WallTime } from '../units.ts';
import { describeExit } from '../worker/exit.ts';
import { CHANGED } from '../worker/respec.ts';
import type { WorkerId } from '../worker/spec.ts';
import type { WorkerView } from './view.ts';

/** Something that happened, perhaps several times in a row. */
export interface Happening {
  /** The latest of them. */
  readonly at: WallTime;
  readonly run: number | null;
  readonly text: string;
  readonly count: number;
}

/** What can be done next. */
export interface NextStep {
  readonly does: string;
  readonly command: string;
}

/** Why a worker is as it is. */
export interface Explanation {
  readonly workerId: WorkerId;
  /** One sentence. */
  readonly headline: string;
  /** What led to it, the newest first. */
  readonly history: readonly Happening[];
  /** The likely cause in words; null where nothing is wrong or nothing is known. */
  readonly cause: string | null;
  /** The last lines that it wrote to stderr, oldest first; empty where nothing is wrong. */
  readonly lastWords: readonly string[];
  readonly next: readonly NextStep[];
}

export interface Known {
  readonly worker: WorkerView;
  /** Events of this worker, oldest first. */
  readonly events: readonly HsuEvent[];
  readonly lastWords: readonly string[];
  readonly now: WallTime;
}

/** How many happenings are told. */
const TOLD = 8;

/** From what is known of a worker to what a person wants to hear. */
export function explain({ worker, events, lastWords, now }: Known): Explanation {
  const isWrong = !isAsWanted(worker);
  return {
    workerId: worker.id,
    headline: headline(worker, events, now),
    history: fold(events).slice(-TOLD).reverse(),
    cause: isWrong ? cause(worker, events, lastWords) : null,
    lastWords: isWrong ? lastWords : [],
    next: steps(worker),
  };
}

/** Ready, or at rest because it was to be. */
function isAsWanted({ phase, ready, desired, completed }: WorkerView): boolean {
  if (phase === 'running') return ready;
  return phase === 'stopped' && (desired === 'down' || completed);
}

function headline(worker: WorkerView, events: readonly HsuEvent[], now: WallTime): string {
  const { id, phase, nextTry, startedAt, process, failure, failuresInARow, breaker } = worker;
  switch (phase) {
    case 'running': {
      const span = startedAt === null ? '' : ` for ${about(now - startedAt)}`;
      return `${id} is running (pid ${process?.pid ?? '?'})${span}: ${worker.doing}.`;
    }
    case 'backoff': {
      const left = formatDuration(Math.max(0, Math.round(((nextTry ?? now) - now) / 100) * 100));
      const often = `${failuresInARow} failure${failuresInARow === 1 ? '' : 's'} in a row`;
      const why = breaker === 'open' ? `its breaker is open after ${often}` : `it failed (${often})`;
      return `${id} is not running: ${why}; next try in ${left}.`;
    }
    case 'blocked':
      return `${id} is not running: it waits for ${worker.waiting.map(describeWaiting).join(', ')}.`;
    case 'failed':
      return `${id} is not running and is not tried again: ${withoutName(failure?.message ?? 'it failed', id)}`;
    case 'starting':
      return `${id} is being started.`;
    case 'stopping':
      return `${id} is being stopped${stopReason(events)}.`;
    case 'stopped':
      return `${id} is not running: ${restReason(worker, events)}.`;
  }
}

function restReason({ completed, enabled, run }: WorkerView, events: readonly HsuEvent[]): string {
  if (completed) return 'it ended by itself with success';
  if (run === 0) return enabled ? 'it was stopped by an operator, or not started yet' : 'it is not enabled';
  const stop = events.findLast(({ type }) => type === 'worker.stopping');
  if (stop?.type === 'worker.stopping' && stop.payload.cause === 'operator') return 'an operator stopped it';
  return `it was stopped${stopReason(events)}`;
}

function stopReason(events: readonly HsuEvent[]): string {
  const stop = events.findLast(({ type }) => type === 'worker.stopping');
  return stop?.type === 'worker.stopping' ? `: ${stopText(stop.payload)}` : '';
}

function stopText({ cause, detail }: { readonly cause: string; readonly detail: string }): string {
  const words: Readonly<Record<string, string>> = {
    operator: 'an operator asked for it',
    shutdown: 'the master is ending',
    restart: 'an operator asked for a restart',
    configuration: 'the configuration has it no more, or not enabled',
    liveness: 'its liveness probe failed',
    startup: 'its startup probe failed',
    limit: 'it exceeded a limit',
  };
  if (cause === 'restart' && detail === CHANGED) return detail;
  const text = words[cause] ?? cause;
  return detail === '' ? text : `${text} (${detail})`;
}

/** The same thing several times in a row is told once, with the latest time; a plain start only where it still lasts. Oldest first. */
export function fold(events: readonly HsuEvent[]): readonly Happening[] {
  const turn = events.findLast(({ type }) => type === 'worker.started' || type === 'worker.exited');
  const folded: Happening[] = [];
  let last = '';
  for (const event of events) {
    const text = happening(event);
    if (text === null || (text === STARTED && event !== turn)) continue;
    const same = sameness(event) ?? text;
    const before = folded.at(-1);
    const isAgain = before !== undefined && same === last;
    if (isAgain) folded.pop();
    // That it is given up with that is not another failure.
    const more = event.type === 'worker.failed' ? 0 : 1;
    folded.push({ at: event.at, run: event.run, text, count: isAgain ? before.count + more : 1 });
    last = same;
  }
  return folded;
}

const STARTED = 'started';

/** What makes two ends the same, however long each run took, and two failures to start, also where the last one is given up. */
function sameness(event: HsuEvent): string | null {
  if (event.type === 'worker.spawn-failed' || event.type === 'worker.failed')
    return event.payload.failure.code;
  if (event.type !== 'worker.exited') return null;
  return `${event.payload.asked} ${describeExit(event.payload.exit)}`;
}

/** An event in words; null for what says nothing about why. */
function happening(event: HsuEvent): string | null {
  switch (event.type) {
    case 'worker.spawn-failed':
    case 'worker.failed':
      return withoutName(event.payload.failure.message, event.workerId ?? '');
    case 'worker.exited': {
      const { exit, asked, uptime } = event.payload;
      return asked
        ? `ended as asked (${describeExit(exit)})`
        : `${describeExit(exit)} after ${about(uptime)}`;
    }
    case 'worker.stopping':
      return `stopping: ${stopText(event.payload)}`;
    case 'worker.killed':
      return `killed with SIGKILL ${about(event.payload.after)} after it was asked to end`;
    case 'worker.survivors':
      return 'processes survived SIGKILL';
    case 'worker.daemonized':
      return event.payload.expected ? null : 'went into the background unexpectedly';
    case 'health.changed':
      return `${event.payload.probe} probe ${event.payload.healthy ? 'passed' : `failed: ${event.payload.reason}`}`;
    case 'limit.exceeded':
      return `exceeded its limit ${event.payload.limit} (${event.payload.reason})`;
    case 'worker.throttled':
      return `held back for its limit ${event.payload.limit}`;
    case 'worker.backing-off':
      return event.payload.breaker === 'open' ? 'breaker opened' : null;
    case 'worker.started':
      return event.payload.warning === null ? STARTED : `started; ${event.payload.warning}`;
    case 'worker.attached':
      return event.payload.origin === 'foreign'
        ? 'attached to its process'
        : 'attached to the process that an earlier master had started';
    case 'worker.detached':
      return 'let go of its process';
    case 'worker.not-found':
      return `its process is not attached: ${event.payload.reason}`;
    case 'worker.control-failed':
      return `could not ${event.payload.action} it: ${event.payload.reason}`;
    case 'worker.stopped':
      return event.payload.completed ? 'completed' : 'stopped';
    default:
      return null;
  }
}

/** Which events `explain` wants to be remembered. */
export function isTelling(event: HsuEvent): boolean {
  return happening(event) !== null;
}

function cause(worker: WorkerView, events: readonly HsuEvent[], lastWords: readonly string[]): string | null {
  if (worker.phase === 'blocked') {
    const [first] = worker.waiting;
    return first === undefined || isForItself(first)
      ? null
      : `${first.id} is not ${first.condition}: ${first.reason}`;
  }
  if (worker.phase === 'running') return null;
  if (worker.failure !== null && worker.failure.code !== 'E_GAVE_UP') return inWords(worker.failure.code);
  const last = events.findLast(
    ({ type }) => type === 'worker.exited' || type === 'worker.spawn-failed' || type === 'health.changed',
  );
  if (last?.type === 'worker.spawn-failed') return inWords(last.payload.failure.code);
  if (last?.type === 'health.changed' && !last.payload.healthy)
    return `its ${last.payload.probe} probe fails: ${last.payload.reason}`;
  if (last?.type !== 'worker.exited') return null;
  const { exit, asked } = last.payload;
  if (exit.oomKilled) return 'it needs more memory than it is given';
  if (asked) return null;
  const words = lastWords.at(-1);
  return `it ends by itself (${describeExit(exit)})${words === undefined ? '' : `; the last that it said: ${words}`}`;
}

/** A cause is what happened; what to do about it stands behind. */
function inWords(code: keyof typeof ERRORS): string {
  const { means, next } = ERRORS[code];
  return `${means} ${next}`;
}

function steps({ id, phase, waiting }: WorkerView): readonly NextStep[] {
  const logs = { does: 'see what it wrote', command: `hsu-master logs ${id}` };
  switch (phase) {
    case 'backoff':
    case 'failed':
      return [{ does: 'try it now', command: `hsu-master reset ${id}` }, logs];
    case 'blocked':
      return waiting
        .filter((other) => !isForItself(other))
        .map((other) => ({
          does: `see why ${other.id} is not there`,
          command: `hsu-master why ${other.id}`,
        }));
    case 'stopped':
      return [{ does: 'start it', command: `hsu-master start ${id}` }];
    default:
      return [logs];
  }
}

/** A span as people say it: two units at most, no fractions of what is long. */
function about(span: number): string {
  if (span < 10_000) return formatDuration(Math.round(span / 100) * 100 || Math.round(span));
  const seconds = Math.round(span / 1000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([number]) => number > 0);
  return parts
    .slice(first, first + 2)
    .filter(([number]) => number > 0)
    .map(([number, unit]) => `${number}${unit}`)
    .join(' ');
}

/** Failures begin with `worker "web": `, which the sentence says already. */
function withoutName(message: string, id: string): string {
  const prefix = `worker "${id}": `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}
