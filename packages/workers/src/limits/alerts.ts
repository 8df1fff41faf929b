import {
  type AlertSpec,
  type Clock,
  describeExit,
  type EventDraft,
  type ExecOutcome,
  formatBeside,
  formatDuration,
  formatLimit,
  type Host,
  type LimitName,
  type LimitPolicy,
  type Milliseconds,
  type MonotonicTime,
  type ProcessIdentity,
  type WorkerSpec,
} from '@hsu-master/core';
import { type Attempt, post } from './webhook.ts';

/** Deliveries that are under way at once, and that wait for their turn. */
const AT_ONCE = 4;
const MOST_WAITING = 100;
/** How long after a failure it is tried again: this, and up to as much more. */
const BACKOFF: Milliseconds = 1000;
/** Bytes of a program’s output that are kept; its last line is told when it fails. */
const OUTPUT_LIMIT = 1000;

/** An excess that is to be told to somebody. */
export interface Alert {
  readonly spec: WorkerSpec;
  readonly run: number;
  readonly process: ProcessIdentity;
  readonly limit: LimitName;
  /** In the limit’s unit; null: not known. */
  readonly value: number | null;
  readonly allowed: number;
  readonly policy: LimitPolicy;
  /** One line for people. */
  readonly message: string;
  /** Publishes `alert.failed`. */
  publish(event: EventDraft): void;
}

type Target = 'exec' | 'webhook';

interface Delivery {
  readonly alert: Alert;
  readonly to: Target;
  attempt(): Attempt;
}

/** A delivery that is under way, and what ends it at once. */
interface Slot {
  end: () => void;
}

/**
 * Sends alerts to programs and webhooks. Nobody waits for it: at most four deliveries are under way and a hundred wait, what is more
 * fails at once. A delivery that fails is tried once more, then `alert.failed` is published. The same limit of a worker alerts at most
 * once in `every`.
 */
export class Alerts {
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #last = new Map<string, MonotonicTime>();
  readonly #waiting: Delivery[] = [];
  readonly #underWay = new Set<Slot>();
  #count = 0;
  #closed = false;

  constructor(host: Host, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
  }

  raise(alert: Alert, alerts: AlertSpec): void {
    if (this.#closed || !this.#isDue(alert, alerts.every)) return;
    this.#count += 1;
    const { exec, webhook, timeout } = alerts;
    if (exec !== null) {
      const mark = markOf(alert, this.#count);
      this.#add({ alert, to: 'exec', attempt: () => this.#run(alert, exec, mark, timeout) });
    }
    if (webhook !== null) {
      const json = JSON.stringify(bodyOf(alert, this.#clock));
      this.#add({ alert, to: 'webhook', attempt: () => post(webhook, json, timeout, this.#clock) });
    }
  }

  /** Gives up what waits and what is under way. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const slot of this.#underWay) slot.end();
  }

  #isDue({ spec, limit }: Alert, every: Milliseconds): boolean {
    const key = `${spec.id}\0${limit}`;
    const now = this.#clock.now();
    const last = this.#last.get(key);
    if (last !== undefined && now - last < every) return false;
    this.#last.set(key, now);
    return true;
  }

  #add(delivery: Delivery): void {
    if (this.#underWay.size < AT_ONCE) void this.#deliver(delivery);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(delivery);
    else fail(delivery, 'too many alerts are waiting to be sent');
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const slot: Slot = { end: () => undefined };
    this.#underWay.add(slot);
    const isRefused = (await attempted(delivery, slot)) !== null;
    if (isRefused && !this.#closed) await this.#pause(slot);
    const reason = isRefused && !this.#closed ? await attempted(delivery, slot) : null;
    if (this.#closed) return;
    if (reason !== null) fail(delivery, reason);
    this.#underWay.delete(slot);
    const next = this.#waiting.shift();
    if (next !== undefined) void this.#deliver(next);
  }

  #pause(slot: Slot): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(BACKOFF * (1 + this.#clock.random()), resolve);
      slot.end = () => {
        cancel();
        resolve();
      };
    });
  }

  #run(alert: Alert, argv: readonly [string, ...string[]], mark: string, timeout: Milliseconds): Attempt {
    const { cwd } = alert.spec.command;
    const env = environmentOf(alert);
    const command = { argv, cwd, env, umask: null, user: null, group: null, groups: null };
    const helper = this.#host.exec({ command, mark, timeout, maxOutput: OUTPUT_LIMIT });
    const outcome = helper.outcome.then((ended) => failureOf(ended, timeout));
    return { outcome, cancel: () => helper.cancel() };
  }
}

/** What came of one try; what cannot even be tried did not arrive. */
async function attempted(delivery: Delivery, slot: Slot): Promise<string | null> {
  try {
    const { outcome, cancel } = delivery.attempt();
    slot.end = cancel;
    return await outcome;
  } catch (error) {
    return String(error);
  }
}

function fail({ alert, to }: Delivery, reason: string): void {
  alert.publish({ type: 'alert.failed', payload: { limit: alert.limit, to, reason } });
}

/** Keeps the program’s processes apart from the worker’s, from other helpers’ and, by the process, from those of other masters. */
function markOf({ spec, process }: Alert, count: number): string {
  return `${spec.id}.${process.pid}-${process.startedAt}.alert.${count}`;
}

function failureOf(outcome: ExecOutcome, timeout: Milliseconds): string | null {
  switch (outcome.kind) {
    case 'failed':
      return outcome.failure.message;
    case 'timed-out':
      return withLastLine(`not done within ${formatDuration(timeout)}`, outcome.output);
    case 'exited':
      return outcome.exit.code === 0 ? null : withLastLine(describeExit(outcome.exit), outcome.output);
  }
}

function withLastLine(what: string, output: string): string {
  const last = (output.trimEnd().split('\n').at(-1) ?? '').replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return last === '' ? what : `${what}: ${last.slice(0, 200)}`;
}

/** What an alert’s program finds in its environment. Numbers are in bytes, milliseconds, percent of one core, or counts. */
function environmentOf(alert: Alert): Readonly<Record<string, string>> {
  const { spec, run, process, limit, value, allowed, policy, message } = alert;
  return {
    HSU_ALERT_WORKER: spec.id,
    HSU_ALERT_RUN: String(run),
    HSU_ALERT_PID: String(process.pid),
    HSU_ALERT_LIMIT: limit,
    HSU_ALERT_VALUE: value === null ? '' : String(value),
    HSU_ALERT_MAXIMUM: String(allowed),
    HSU_ALERT_POLICY: policy,
    HSU_ALERT_MESSAGE: message,
  };
}

function bodyOf(alert: Alert, clock: Clock): object {
  const { spec, run, process, limit, value, allowed, policy, message } = alert;
  return {
    worker: spec.id,
    run,
    pid: process.pid,
    limit,
    value,
    maximum: allowed,
    readable: {
      value: value === null ? null : formatBeside(limit, value, allowed),
      maximum: formatLimit(limit, allowed),
    },
    policy,
    message,
    at: new Date(clock.wallNow()).toISOString(),
  };
}
