import {
  type Clock,
  describeExit,
  type ExecOutcome,
  formatDuration,
  type Host,
  type Milliseconds,
} from '@hsu-master/core';
import { deliveryOf } from '../sinks/answers.ts';
import { HttpClient } from '../sinks/http.ts';
import { PLAIN_TLS } from '../sinks/tls.ts';
import type { LogAlert } from './rule.ts';

/** Deliveries that are under way at once, and that wait for their turn. */
const AT_ONCE = 4;
const MOST_WAITING = 100;
/** How long after a failure it is tried again: this, and up to as much more. */
const BACKOFF: Milliseconds = 1000;
/** Bytes of a program’s output that are kept; its last line is told when it fails. */
const OUTPUT_LIMIT = 1000;

export interface AlertSurroundings {
  readonly clock: Clock;
  readonly host: Host;
  /** Working directory of programs. */
  readonly cwd: string;
  /** Unique to this master’s life: keeps programs apart from workers and from those of other masters. */
  readonly mark: string;
  /** It did not arrive, also when it was tried again. */
  failed(alert: LogAlert, to: 'exec' | 'webhook', reason: string): void;
}

interface Attempt {
  /** null: it arrived; else why it did not. */
  readonly outcome: Promise<string | null>;
  cancel(): void;
}

interface Order {
  readonly alert: LogAlert;
  readonly to: 'exec' | 'webhook';
  attempt(): Attempt;
}

/**
 * Brings alerts to programs and webhooks. Nobody waits for it: at most four deliveries are under way and a hundred wait, what is more
 * fails at once. One that fails is tried once more.
 */
export class AlertDelivery {
  readonly #in: AlertSurroundings;
  readonly #waiting: Order[] = [];
  readonly #underWay = new Set<() => void>();
  readonly #settled: (() => void)[] = [];
  #count = 0;
  #active = 0;
  #closed = false;

  constructor(surroundings: AlertSurroundings) {
    this.#in = surroundings;
  }

  deliver(alert: LogAlert): void {
    if (this.#closed) return;
    const { exec, webhook, timeout } = alert.rule;
    if (exec !== null) this.#add({ alert, to: 'exec', attempt: () => this.#run(alert, exec, timeout) });
    if (webhook !== null)
      this.#add({ alert, to: 'webhook', attempt: () => this.#post(alert, webhook, timeout) });
  }

  /** Resolves when nothing waits and nothing is under way. */
  async settled(): Promise<void> {
    if (this.#active === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settled.push(resolve);
    await promise;
  }

  /** Gives up what waits and what is under way. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const end of this.#underWay) end();
  }

  #add(order: Order): void {
    if (this.#active < AT_ONCE) void this.#carryOut(order);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(order);
    else this.#in.failed(order.alert, order.to, 'too many alerts are waiting to be sent');
  }

  async #carryOut(order: Order): Promise<void> {
    this.#active += 1;
    let reason = await this.#attempt(order);
    if (reason !== null && !this.#closed) {
      await this.#pause();
      if (!this.#closed) reason = await this.#attempt(order);
    }
    this.#active -= 1;
    if (!this.#closed) {
      if (reason !== null) this.#in.failed(order.alert, order.to, reason);
      const next = this.#waiting.shift();
      if (next !== undefined) void this.#carryOut(next);
    }
    if (this.#active === 0) for (const settle of this.#settled.splice(0)) settle();
  }

  async #attempt(order: Order): Promise<string | null> {
    try {
      const { outcome, cancel } = order.attempt();
      return await this.#endable(outcome, cancel);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#in.clock.after(BACKOFF * (1 + this.#in.clock.random()), resolve);
    await this.#endable(promise, () => {
      cancel();
      resolve();
    });
  }

  async #endable<T>(work: Promise<T>, end: () => void): Promise<T> {
    this.#underWay.add(end);
    try {
      return await work;
    } finally {
      this.#underWay.delete(end);
    }
  }

  #run(alert: LogAlert, argv: readonly [string, ...string[]], timeout: Milliseconds): Attempt {
    this.#count += 1;
    const { cwd, mark, host } = this.#in;
    const env = environmentOf(alert);
    const command = { argv, cwd, env, umask: null, user: null, group: null, groups: null };
    const request = { command, mark: `${mark}.log-alert.${this.#count}`, timeout, maxOutput: OUTPUT_LIMIT };
    const helper = host.exec(request);
    const outcome = helper.outcome.then((ended) => failureOf(ended, timeout));
    return { outcome, cancel: () => helper.cancel() };
  }

  #post(alert: LogAlert, address: string, timeout: Milliseconds): Attempt {
    const abort = new AbortController();
    return { outcome: this.#send(alert, address, timeout, abort.signal), cancel: () => abort.abort() };
  }

  async #send(
    alert: LogAlert,
    address: string,
    timeout: Milliseconds,
    signal: AbortSignal,
  ): Promise<string | null> {
    const url = URL.canParse(address) ? new URL(address) : null;
    if (url === null || !['http:', 'https:'].includes(url.protocol)) return 'not an http or https address';
    const { username, password } = url;
    const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    const hasUser = username !== '' || password !== '';
    const headers: Record<string, string> = hasUser
      ? { authorization: `Basic ${basic.toString('base64')}` }
      : {};
    const client = new HttpClient(
      { url, headers, tls: PLAIN_TLS, timeout, gzip: false, secrets: [password] },
      this.#in.clock,
    );
    const body = JSON.stringify(bodyOf(alert, this.#in.clock));
    const answer = await client.post({ path: '', type: 'application/json', body }, signal);
    client.close();
    const delivery = deliveryOf(answer, 1, client);
    return delivery.kind === 'taken' ? null : delivery.reason;
  }
}

function failureOf(outcome: ExecOutcome, timeout: Milliseconds): string | null {
  switch (outcome.kind) {
    case 'failed':
      return outcome.failure.message;
    case 'timed-out':
      return `not done within ${formatDuration(timeout)}`;
    case 'exited':
      return outcome.exit.code === 0 ? null : withLastLine(describeExit(outcome.exit), outcome.output);
  }
}

function withLastLine(what: string, output: string): string {
  const last = (output.trimEnd().split('\n').at(-1) ?? '').replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return last === '' ? what : `${what}: ${last.slice(0, 200)}`;
}

/** What an alert’s program finds in its environment. */
function environmentOf(alert: LogAlert): Readonly<Record<string, string>> {
  const { kind, rule, workerId, run, lines, line, message } = alert;
  return {
    HSU_ALERT: kind,
    HSU_ALERT_RULE: rule.name,
    HSU_ALERT_WORKER: workerId,
    HSU_ALERT_RUN: String(run),
    HSU_ALERT_LINES: String(lines),
    // A NUL cannot be in an environment.
    HSU_ALERT_LINE: line.replaceAll('\0', '\u{fffd}'),
    HSU_ALERT_MESSAGE: message,
  };
}

function bodyOf({ kind, rule, workerId, run, lines, line, message }: LogAlert, clock: Clock): object {
  return {
    alert: kind,
    rule: rule.name,
    worker: workerId,
    run,
    lines,
    count: rule.count,
    within: formatDuration(rule.within),
    line,
    message,
    at: new Date(clock.wallNow()).toISOString(),
  };
}
