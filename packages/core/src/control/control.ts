import type { Failure } from '../errors.ts';
import type { HsuEvent } from '../events/catalogue.ts';
import type { LimitReport } from '../limits/spec.ts';
import type { LogLevel } from '../logs/level.ts';
import type { Capability } from '../ports/host.ts';
import type { OutputStream } from '../ports/output.ts';
import type { WallTime } from '../units.ts';
import type { Exit, ProcessIdentity } from '../worker/exit.ts';
import type { Dependency, SignalName, WorkerId } from '../worker/spec.ts';
import type { Identity } from './access.ts';
import type { Accepted, BasedOn, ConfigView, Planned } from './config.ts';
import type { Explanation } from './explain.ts';
import type { Caller, Order, Ordered, Ticket } from './order.ts';
import type { TokenView, TokenWish } from './roles.ts';
import type { Selection } from './select.ts';
import type { GivenEnvironment, MasterView, ProcessView, WorkerDetail, WorkerView } from './view.ts';

/** Numbered facts, with a bounded memory. */
export interface EventSource {
  /** The number of the newest event; 0 before the first. */
  readonly seq: number;
  /** The events after `seq` that are still remembered, oldest first, and how many in between are not. */
  since(seq: number): { readonly events: readonly HsuEvent[]; readonly lost: number };
  /** Calls `listener` for each later event until the returned function is called. */
  subscribe(listener: (event: HsuEvent) => void): () => void;
}

/** One line of a worker. */
export interface LogLine {
  readonly workerId: WorkerId;
  readonly stream: OutputStream;
  readonly at: WallTime;
  /** false: `at` is when its file was last written, the latest time that it can have been. */
  readonly stamped: boolean;
  /** 0 where the log does not say. */
  readonly run: number;
  readonly text: string;
}

/** What a reader missed of one log. */
export interface LogLoss {
  readonly workerId: WorkerId;
  readonly bytes: number;
  readonly lines: number;
}

export interface LogQuery {
  /** Ids, not patterns. null: all. */
  readonly workers: readonly WorkerId[] | null;
  readonly stream: OutputStream | null;
}

export interface LogSearch extends LogQuery {
  readonly text: string | null;
  readonly ignoreCase: boolean;
  readonly pattern: string | null;
  readonly minLevel: LogLevel | null;
  readonly from: WallTime | null;
  readonly to: WallTime | null;
  readonly order: 'oldest' | 'newest';
  readonly limit: number;
  readonly cursor: string | null;
}

/** What a search found; `cursor` goes on behind it with the same query, null: there is no more. */
export interface LogPage {
  readonly lines: readonly LogLine[];
  readonly cursor: string | null;
}

export type LogNews =
  | { readonly kind: 'line'; readonly line: LogLine }
  | ({ readonly kind: 'lost' } & LogLoss);

/** What an AbortSignal is to those who look at it. */
export interface Cancellation {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Reads what workers have written. */
export interface LogReader {
  /** The last lines, oldest first, of several logs by time. */
  tail(query: LogQuery, count: number, signal: Cancellation): Promise<readonly LogLine[]>;
  /** @throws HsuError E_REQUEST for a pattern or cursor that is none */
  search(query: LogSearch, signal: Cancellation): Promise<LogPage>;
  /** Lines as they come, after the last `lines` that are there; ends with the signal. Who asks slowly is told what was lost. */
  follow(query: LogQuery, lines: number, signal: Cancellation): AsyncIterable<LogNews>;
}

/** What was found out about the text of a configuration, without any effect. */
export interface Validation {
  readonly ok: boolean;
  readonly issues: readonly ValidationIssue[];
  /** Ids, in the order of the text; empty where it is not valid. */
  readonly workers: readonly WorkerId[];
}

export interface ValidationIssue {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly column: number;
  /** The keys down to the value that it is about: `workers[0].unit`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
  readonly hint: string | null;
}

/** What an ordered end came to. */
export interface Ending {
  readonly survivors: readonly ProcessIdentity[];
  readonly forced: boolean;
}

/** What comes from a command that runs in the place of a worker; after `exited` or `failed` nothing does. */
export type ExecNews =
  | { readonly kind: 'output'; readonly stream: OutputStream; readonly bytes: Uint8Array }
  | { readonly kind: 'exited'; readonly exit: Exit }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** A command that runs in the place of a worker, for one who watches. It ends when nobody does any more. */
export interface ExecSession {
  /** Cannot be guessed. */
  readonly id: string;
  readonly workerId: WorkerId;
  /** Its output and how it ended, to be asked for once. Who reads slowly makes it wait; when the signal is aborted, its tree is ended. */
  news(signal: Cancellation): AsyncIterable<ExecNews>;
  /** Writes to its standard input; resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Nothing more will be written. */
  end(): void;
  /** To its whole tree. */
  signal(signal: SignalName): void;
}

/** Tokens of the network, of all masters of a state directory. What is done with them is written down. */
export interface Tokens {
  /** @throws HsuError E_STATE for a file that cannot be trusted, as all */
  list(): readonly TokenView[];
  /**
   * `text` is the token itself, which is told nowhere else.
   * @throws HsuError E_USAGE for a name that is none or is taken, or an end that is none; E_FORBIDDEN for an end after that of whose token asks
   */
  create(wish: TokenWish, by: Identity): Promise<{ readonly text: string; readonly token: TokenView }>;
  /** By its name or id: it is refused from now on. @throws HsuError E_USAGE where there is none */
  revoke(nameOrId: string, by: Caller): Promise<TokenView>;
}

/** Everything that a surface can ask of a master: the one door for REST, WebSocket, gRPC and, through them, the command line. */
export interface Control {
  master(): MasterView;
  /**
   * Chosen workers in the order of the configuration. With `usage`, a look at what their trees use.
   * @throws HsuError E_UNKNOWN_WORKER for a pattern that fits none
   */
  workers(selection: Selection, usage: boolean): readonly WorkerView[];
  /** @throws HsuError E_UNKNOWN_WORKER, as all that take an id */
  worker(id: WorkerId): WorkerView;
  detail(id: WorkerId): WorkerDetail;
  /** The living processes of its tree; of what others started, with what descends from it. */
  processes(id: WorkerId): readonly ProcessView[];
  dependencies(id: WorkerId): readonly Dependency[];
  /** What its program is given; without `reveal`, no secret and no value of a variable. */
  environment(id: WorkerId, reveal: boolean): GivenEnvironment;
  limits(id: WorkerId): readonly LimitReport[];
  why(id: WorkerId): Promise<Explanation>;
  /**
   * Gives an order. Its ticket is remembered for a while after it has settled.
   * @throws HsuError E_UNKNOWN_WORKER; E_NOT_RUNNING, E_REQUEST and E_UNSUPPORTED for a signal
   */
  order(id: WorkerId, order: Order, by: Caller): Ordered;
  /** @throws HsuError E_UNKNOWN_TICKET */
  ticket(id: string): Ordered;
  /** The tickets that have not settled. */
  pending(): readonly Ticket[];
  readonly events: EventSource;
  readonly tokens: Tokens;
  readonly logs: LogReader;
  capabilities(): readonly Capability[];
  /** Reads a configuration as this master would; `file` is what messages call it and what relative paths are relative to. */
  validate(text: string, file: string): Validation;
  config(): ConfigView;
  /** What applying the text would change; null: what reloading the configuration file would. */
  plan(source: { readonly text: string; readonly file: string } | null): Promise<Planned>;
  /**
   * Makes the workers of the text, and those that were created one by one, the only ones. Unchanged workers are not touched. Resolves when
   * it is accepted and kept. A later change goes on from wherever this one has come, and this one counts as superseded.
   * @throws HsuError E_CONFIG, and the former configuration holds on; E_STALE; E_STATE; E_SHUTTING_DOWN
   */
  apply(text: string, file: string, by: Caller, basedOn: BasedOn): Promise<Accepted>;
  /**
   * The same with the master’s configuration file as it is now.
   * @throws HsuError E_CONFIG_READ as well
   */
  reload(by: Caller): Promise<Accepted>;
  /**
   * Adds a worker, written as an item of `workers` in a configuration. It outlives the master, and reloads, until it is removed.
   * @throws HsuError as `apply`; E_DUPLICATE_WORKER
   */
  create(written: object, by: Caller, basedOn: BasedOn): Promise<Accepted & { readonly id: WorkerId }>;
  /**
   * Replaces the description of a worker; where it is of the file, until the next reload or apply.
   * @throws HsuError as `apply`; E_UNKNOWN_WORKER
   */
  replace(id: WorkerId, written: object, by: Caller, basedOn: BasedOn): Promise<Accepted>;
  /**
   * Stops a worker and forgets it; where it is of the file, until the next reload or apply.
   * @throws HsuError as `apply`, E_CONFIG where others depend on it; E_UNKNOWN_WORKER
   */
  remove(id: WorkerId, by: Caller, basedOn: BasedOn): Promise<Accepted>;
  /** Ends all workers and then the master. A second call returns the first one's promise. */
  shutdown(reason: string, by: Caller): Promise<Ending>;
  /**
   * Runs a command in the place of a worker: with its environment, directory and user, within its budgets, whether it runs or not.
   * @throws HsuError E_UNKNOWN_WORKER; E_UNSUPPORTED where the host cannot; E_TOO_MANY
   */
  exec(id: WorkerId, argv: readonly [string, ...string[]], signal: Cancellation): Promise<ExecSession>;
  /** @throws HsuError E_UNKNOWN_SESSION for one that is over, too */
  execSession(id: string): ExecSession;
}
