import type * as wire from '../contract/index.ts';
import { type Place, Transport } from './transport.ts';

/** Which workers. Patterns are ids or globs, `billing/*` within a namespace; none: all. */
export interface Which {
  readonly select?: readonly string[];
  readonly namespace?: string | undefined;
}

export interface WhichEvents {
  readonly select?: readonly string[];
  readonly type?: readonly string[];
  readonly since?: number | undefined;
}

export interface WhichLines extends Which {
  readonly stream?: 'stdout' | 'stderr' | undefined;
  readonly lines?: number | undefined;
}

export interface Sought extends Which {
  readonly stream?: 'stdout' | 'stderr' | undefined;
  readonly text?: string | undefined;
  readonly ignoreCase?: boolean;
  readonly pattern?: string | undefined;
  readonly minLevel?: string | undefined;
  /** ISO 8601 with zone. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly order?: 'oldest' | 'newest';
  readonly limit?: number;
  readonly cursor?: string | undefined;
}

/** How long to wait until a change is carried out, and on which revision it is based: another one by then is an E_STALE. */
export interface How {
  readonly wait?: string | undefined;
  readonly revision?: number | undefined;
}

export type PlainOrder = 'start' | 'stop' | 'restart' | 'reset' | 'kill';
export type Condition = 'running' | 'ready' | 'stopped' | 'completed';

/** What was missed of the events, or of one log. */
export interface LostEvents {
  readonly lost: number;
}
export interface LostLines {
  readonly lost: { readonly worker: string; readonly bytes: number; readonly lines: number };
}

/** Asks a master. All methods reject with an `ApiError`; durations are text with their unit: `30s`. */
export class Client {
  readonly #transport: Transport;

  constructor(place: Place) {
    this.#transport = new Transport(place);
  }

  version(): Promise<wire.Version> {
    return this.#transport.json({ path: '/v1/version' });
  }

  health(): Promise<wire.Health> {
    return this.#transport.json({ path: '/v1/health' });
  }

  async capabilities(): Promise<readonly wire.Capability[]> {
    const { capabilities } = await this.#transport.json<{ readonly capabilities: wire.Capability[] }>({
      path: '/v1/capabilities',
    });
    return capabilities;
  }

  openApi(): Promise<object> {
    return this.#transport.json({ path: '/v1/openapi.json' });
  }

  workers(which: Which & { readonly usage?: boolean } = {}): Promise<wire.WorkerList> {
    return this.#transport.json({ path: '/v1/workers', query: { ...which } });
  }

  worker(id: string): Promise<wire.WorkerDetail> {
    return this.#transport.json({ path: `/v1/workers/${encodeURIComponent(id)}` });
  }

  /** The living processes of the trees of workers. */
  async processes(which: Which = {}): Promise<readonly wire.Process[]> {
    const asked = { path: '/v1/processes', query: { ...which } };
    return (await this.#transport.json<{ readonly processes: wire.Process[] }>(asked)).processes;
  }

  /** What each of these workers waits for before it starts. */
  async graph(which: Which = {}): Promise<readonly wire.GraphNode[]> {
    const asked = { path: '/v1/graph', query: { ...which } };
    return (await this.#transport.json<{ readonly workers: wire.GraphNode[] }>(asked)).workers;
  }

  /** What its program is given; with secrets only where `reveal` is asked for and allowed. */
  environment(id: string, reveal = false): Promise<wire.Environment> {
    const path = `/v1/workers/${encodeURIComponent(id)}/environment`;
    return this.#transport.json({ path, query: { reveal } });
  }

  why(id: string): Promise<wire.Explanation> {
    return this.#transport.json({ path: `/v1/workers/${encodeURIComponent(id)}/why` });
  }

  async limits(id: string): Promise<readonly wire.LimitReport[]> {
    const path = `/v1/workers/${encodeURIComponent(id)}/limits`;
    return (await this.#transport.json<{ readonly limits: wire.LimitReport[] }>({ path })).limits;
  }

  /** Resolves when the order is taken, with `wait` when it has settled or so much time has passed. */
  order(id: string, order: PlainOrder, wait?: string): Promise<wire.Ticket> {
    const path = `/v1/workers/${encodeURIComponent(id)}/${order}`;
    return this.#transport.json({ method: 'POST', path, query: { wait } });
  }

  signal(id: string, signal: string, to: 'main' | 'tree' = 'main'): Promise<wire.Ticket> {
    const path = `/v1/workers/${encodeURIComponent(id)}/signal`;
    return this.#transport.json({ method: 'POST', path, body: { signal, to } });
  }

  ticket(id: string, wait?: string): Promise<wire.Ticket> {
    return this.#transport.json({ path: `/v1/tickets/${encodeURIComponent(id)}`, query: { wait } });
  }

  async tickets(): Promise<readonly wire.Ticket[]> {
    return (await this.#transport.json<{ readonly tickets: wire.Ticket[] }>({ path: '/v1/tickets' })).tickets;
  }

  /** Resolves when the condition holds or cannot come about any more, at the latest after `timeout`. */
  wait(id: string, condition: Condition, timeout: string): Promise<wire.Waited> {
    const path = `/v1/workers/${encodeURIComponent(id)}/wait`;
    return this.#transport.json({ path, query: { for: condition, timeout } });
  }

  events(
    which: WhichEvents & { readonly limit?: number; readonly wait?: string } = {},
  ): Promise<wire.EventPage> {
    return this.#transport.json({ path: '/v1/events', query: { ...which } });
  }

  /** Events as they come, until the signal is aborted or the master ends. */
  followEvents(
    which: WhichEvents,
    signal?: AbortSignal,
  ): AsyncGenerator<wire.Event | LostEvents, void, void> {
    return this.#transport.lines({ path: '/v1/events/follow', query: { ...which }, signal });
  }

  async logs(which: WhichLines = {}): Promise<readonly wire.LogLine[]> {
    return (await this.#transport.json<wire.LogLines>({ path: '/v1/logs', query: { ...which } })).lines;
  }

  /** The last lines, then those that come. */
  followLogs(which: WhichLines, signal?: AbortSignal): AsyncGenerator<wire.LogLine | LostLines, void, void> {
    return this.#transport.lines({ path: '/v1/logs/follow', query: { ...which }, signal });
  }

  searchLogs(sought: Sought): Promise<wire.LogPage> {
    return this.#transport.json({ path: '/v1/logs/search', query: { ...sought } });
  }

  validate(text: string, file?: string): Promise<wire.Validation> {
    const body = file === undefined ? { text } : { text, file };
    return this.#transport.json({ method: 'POST', path: '/v1/config/validate', body });
  }

  /** The newest entries of the audit, oldest first. */
  async audit(
    which: {
      readonly limit?: number;
      readonly action?: string | undefined;
      readonly by?: string | undefined;
    } = {},
  ): Promise<readonly wire.AuditEntry[]> {
    return (await this.#transport.json<wire.AuditPage>({ path: '/v1/audit', query: { ...which } })).entries;
  }

  config(): Promise<wire.Config> {
    return this.#transport.json({ path: '/v1/config' });
  }

  /** What applying a text would change; without one, what reloading the configuration file would. */
  plan(source?: { readonly text: string; readonly file?: string }): Promise<wire.Planned> {
    return this.#transport.json({ method: 'POST', path: '/v1/config/plan', body: { ...source } });
  }

  /**
   * Makes the workers of a text the only ones, beside those that were added one by one. Resolves when that is accepted, with `wait` when it
   * is carried out or so much time has passed.
   */
  apply(source: { readonly text: string; readonly file?: string }, how: How = {}): Promise<wire.Applied> {
    return this.#transport.json({
      method: 'POST',
      path: '/v1/config/apply',
      query: { ...how },
      body: source,
    });
  }

  /** The same with the master's configuration file as it is now. */
  reload(how: Pick<How, 'wait'> = {}): Promise<wire.Applied> {
    return this.#transport.json({ method: 'POST', path: '/v1/config/reload', query: { ...how } });
  }

  /** Adds a worker, written as in a configuration. */
  create(worker: { readonly id: string }, how: How = {}): Promise<wire.Applied> {
    return this.#transport.json({ method: 'POST', path: '/v1/workers', query: { ...how }, body: worker });
  }

  /** Describes a worker otherwise. */
  replace(id: string, worker: object, how: How = {}): Promise<wire.Applied> {
    const path = `/v1/workers/${encodeURIComponent(id)}`;
    return this.#transport.json({ method: 'PUT', path, query: { ...how }, body: worker });
  }

  /** Stops a worker and forgets it. */
  remove(id: string, how: How = {}): Promise<wire.Applied> {
    const path = `/v1/workers/${encodeURIComponent(id)}`;
    return this.#transport.json({ method: 'DELETE', path, query: { ...how } });
  }

  /** Runs a command in the place of a worker, which ends with the signal. Its output is base64. */
  exec(id: string, argv: readonly string[], signal?: AbortSignal): AsyncGenerator<wire.ExecNews, void, void> {
    const path = `/v1/workers/${encodeURIComponent(id)}/exec`;
    return this.#transport.lines({ method: 'POST', path, body: { argv }, signal });
  }

  /** Resolves when there is room for more. */
  async execInput(session: string, input: { readonly data?: string; readonly end?: boolean }): Promise<void> {
    await this.#transport.json({ method: 'POST', path: `/v1/exec/${session}/input`, body: input });
  }

  async execSignal(session: string, signal: string): Promise<void> {
    await this.#transport.json({ method: 'POST', path: `/v1/exec/${session}/signal`, body: { signal } });
  }

  /** Who has a token, for what and until when. */
  async accessTokens(): Promise<readonly wire.Token[]> {
    return (await this.#transport.json<{ readonly tokens: wire.Token[] }>({ path: '/v1/tokens' })).tokens;
  }

  /** Makes a token that allows no more than whoever asks may do; `token` of the answer is told this once. */
  createToken(wish: wire.TokenWish): Promise<wire.MadeToken> {
    return this.#transport.json({ method: 'POST', path: '/v1/tokens', body: wish });
  }

  /** By its name or id: it is refused from now on. */
  revokeToken(nameOrId: string): Promise<wire.Token> {
    return this.#transport.json({ method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(nameOrId)}` });
  }

  /** Ends all workers and the master; resolves when nothing of them is alive. */
  shutdown(reason: string): Promise<wire.Ending> {
    return this.#transport.json({ method: 'POST', path: '/v1/shutdown', body: { reason } });
  }

  close(): void {
    this.#transport.close();
  }
}
