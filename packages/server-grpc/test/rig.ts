import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import {
  type Accepted,
  type Audit,
  type ConfigPlan,
  type Control,
  type Deed,
  EventStream,
  type ExecNews,
  forbidden,
  type Gate,
  HsuError,
  type Identity,
  type LogLine,
  type LogNews,
  type Ordered,
  type Right,
  type SignalName,
  select,
  type Ticket,
  type WorkerView,
} from '@hsu-master/core';
import { test } from 'vitest';
import { createGrpcServer, type GrpcServerOptions } from '../src/index.ts';
import type { Method, Services } from '../src/messages.ts';
import { loadProtos } from '../src/protos.ts';

export const NOW = Date.parse('2026-01-31T12:00:00.250Z');

export function view(id: string, differs: Partial<WorkerView> = {}): WorkerView {
  return {
    id,
    name: id,
    namespace: null,
    group: null,
    enabled: true,
    phase: 'running',
    desired: 'up',
    doing: 'ready',
    ready: true,
    probed: false,
    completed: false,
    run: 2,
    process: { pid: 42, startedAt: '7' },
    port: 8080,
    startedAt: NOW - 1000,
    restarts: 1,
    failuresInARow: 0,
    breaker: 'half-open',
    nextTry: null,
    waiting: [{ id: 'db', condition: 'ready', reason: 'starting' }],
    failure: { code: 'E_EXITED', message: 'it ended' },
    lastEnd: {
      run: 1,
      exit: { code: 1, signal: null, coreDumped: false, usage: null },
      says: 'exit 1',
      success: false,
      uptime: 400,
      at: NOW - 2000,
    },
    throttled: ['cpu.max_percent'],
    degraded: [],
    usage: { cpuPercent: 1.5, memory: 1000, processes: 1 },
    ...differs,
  };
}

export const LINE: LogLine = {
  workerId: 'web',
  stream: 'stderr',
  at: NOW,
  stamped: true,
  run: 2,
  text: 'hello',
};

const PLAN: ConfigPlan = {
  workers: [
    {
      id: 'web',
      kind: 'changed',
      action: 'restart',
      parts: [{ path: 'command', before: '["a"]', after: null, effective: 'restart' }],
    },
  ],
  unchanged: ['db'],
  settings: [{ path: 'master.port', effective: 'next-start' }],
};

type Faked = Omit<Control, 'events'>;

/** A master of two workers that only says what it is. Events are real. */
export class FakeMaster implements Partial<Faked> {
  readonly events: EventStream;
  readonly workersNow = new Map([
    ['web', view('web', { namespace: 'shop' })],
    [
      'db',
      view('db', {
        process: null,
        port: null,
        startedAt: null,
        phase: 'stopped',
        ready: false,
        usage: null,
        lastEnd: null,
      }),
    ],
  ]);
  readonly asked: string[] = [];
  lines: (signal: { readonly aborted: boolean }) => AsyncIterable<LogNews> = async function* () {
    yield { kind: 'line', line: LINE };
    yield { kind: 'lost', workerId: 'web', bytes: 10, lines: 1 };
  };
  /** How long until a ticket settles. */
  settle: () => Promise<void> = () => Promise.resolve();
  readonly #tickets = new Map<string, Ordered>();

  constructor(remembered = 100) {
    this.events = new EventStream(remembered);
  }

  publish(workerId: string | null = 'web'): void {
    this.events.publish({ type: 'worker.ready', payload: {} }, NOW, workerId, 2);
  }

  /** A worker as it is from now on, told by an event. */
  change(id: string, differs: Partial<WorkerView>): void {
    this.workersNow.set(id, { ...this.worker(id), ...differs });
    this.publish(id);
  }

  master(): ReturnType<Control['master']> {
    return {
      id: 'abcd0123',
      version: '0.1.0',
      pid: 1,
      startedAt: NOW,
      node: '24.0.0',
      platform: 'linux-x64',
      configFile: '/etc/x.yaml',
      stateDirectory: '/s',
      logDirectory: '/l',
      lacksAddon: null,
    };
  }

  workers(selection: Parameters<Control['workers']>[0]): readonly WorkerView[] {
    return select([...this.workersNow.values()], selection);
  }

  worker(id: string): WorkerView {
    const found = this.workersNow.get(id);
    if (found === undefined) throw new HsuError('E_UNKNOWN_WORKER', `there is no worker "${id}"`);
    return found;
  }

  detail(id: string): ReturnType<Control['detail']> {
    this.worker(id);
    const readiness = {
      check: { type: 'http', url: 'http://x/', method: 'GET', headers: { a: '***' } },
      interval: 1000,
      timeout: 500,
      initialDelay: 0,
      failureThreshold: 1,
      successThreshold: 1,
    } as const;
    return {
      description: '',
      argv: ['sleep', '1'],
      cwd: '/',
      environment: ['A'],
      user: null,
      stop: { signal: 'SIGTERM', grace: 5500 },
      dependsOn: [{ id: 'db', condition: 'ready', restart: false }],
      dependents: [],
      probes: { startup: null, liveness: null, readiness },
      log: { stdoutFile: '/l/a', stderrFile: '/l/b' },
      members: [{ pid: 42, startedAt: '7' }],
    };
  }

  limits(): ReturnType<Control['limits']> {
    return [{ limit: 'memory.max_rss', status: 'enforced', mechanism: 'cgroup2 memory.max', reason: '' }];
  }

  why(id: string): ReturnType<Control['why']> {
    return Promise.resolve({
      workerId: id,
      headline: 'it runs.',
      history: [{ at: NOW, run: 1, text: 'exit 1', count: 3 }],
      cause: 'a cause',
      lastWords: ['secret words'],
      next: [{ does: 'look', command: 'hsu-master logs web' }],
    });
  }

  order(id: string, order: Parameters<Control['order']>[1]): Ordered {
    this.worker(id);
    this.asked.push(`${order.kind} ${id}`);
    const ticket: Ticket = {
      id: `abcd0123-${this.asked.length}`,
      workerId: id,
      order: order.kind,
      state: 'pending',
      already: false,
      failure: null,
      askedAt: NOW,
      settledAt: null,
    };
    const settled = this.settle().then((): Ticket => ({ ...ticket, state: 'done', settledAt: NOW + 5 }));
    const ordered = { ticket, settled };
    this.#tickets.set(ticket.id, ordered);
    return ordered;
  }

  ticket(id: string): Ordered {
    const found = this.#tickets.get(id);
    if (found === undefined) throw new HsuError('E_UNKNOWN_TICKET', `there is no ticket "${id}"`);
    return found;
  }

  pending(): readonly Ticket[] {
    return [...this.#tickets.values()].map(({ ticket }) => ticket);
  }

  readonly logs: Control['logs'] = {
    tail: () => Promise.resolve([LINE]),
    search: () => Promise.resolve({ lines: [LINE], cursor: 'more' }),
    follow: (_query, _lines, signal) => this.lines(signal),
  };

  capabilities(): ReturnType<Control['capabilities']> {
    return [{ feature: 'cgroup2', status: 'enforced', reason: '' }];
  }

  validate(): ReturnType<Control['validate']> {
    const issue = {
      severity: 'error',
      line: 1,
      column: 2,
      path: 'workers[0]',
      message: 'm',
      hint: null,
    } as const;
    return { ok: false, issues: [issue], workers: [] };
  }

  processes(): ReturnType<Control['processes']> {
    const known = { ppid: 1, state: 'S', argv: ['sleep', '1'], user: 0, cpu: 1500, memory: 4096 };
    const unknown = { ppid: null, state: null, argv: [], user: null, cpu: null, memory: null };
    return [
      { pid: 42, startedAt: '7', ...known },
      { pid: 43, startedAt: '8', ...unknown },
    ];
  }

  dependencies(id: string): ReturnType<Control['dependencies']> {
    return id === 'web' ? [{ id: 'db', condition: 'ready', restart: false }] : [];
  }

  environment(_id: string, reveal: boolean): ReturnType<Control['environment']> {
    return { argv: ['sleep', reveal ? 'secret' : '***'], variables: { A: reveal ? 'b' : null, EMPTY: '' } };
  }

  config(): ReturnType<Control['config']> {
    const workers = [{ id: 'web', env: { A: '***' }, depends: [1, true, null] }];
    return {
      revision: 7,
      file: '/etc/x.yaml',
      source: 'applied',
      acceptedAt: NOW,
      created: ['web'],
      replaced: [],
      removed: ['old'],
      workers,
    };
  }

  plan(source: Parameters<Control['plan']>[0]): ReturnType<Control['plan']> {
    this.asked.push(`plan ${source?.text ?? 'the file'}`);
    return Promise.resolve({ ok: true, issues: [], workers: ['web'], revision: 7, plan: PLAN });
  }

  #accept(asked: string, basedOn: number | null): Promise<Accepted> {
    this.asked.push(asked);
    if (basedOn !== null && basedOn !== 7)
      return Promise.reject(new HsuError('E_STALE', 'revision 7 holds by now'));
    const failure = { code: 'E_SURVIVORS', message: 'alive', workerId: 'web' } as const;
    const settled = this.settle().then(() => ({ state: 'failed', failures: [failure] }) as const);
    return Promise.resolve({ revision: 8, plan: PLAN, warnings: [], settled });
  }

  apply(...[text, , , basedOn]: Parameters<Control['apply']>): ReturnType<Control['apply']> {
    return this.#accept(`apply ${text}`, basedOn);
  }

  reload(): ReturnType<Control['reload']> {
    return this.#accept('reload', null);
  }

  async create(...[written, , basedOn]: Parameters<Control['create']>): ReturnType<Control['create']> {
    return { ...(await this.#accept(`create ${JSON.stringify(written)}`, basedOn)), id: 'new' };
  }

  replace(...[id, written, , basedOn]: Parameters<Control['replace']>): ReturnType<Control['replace']> {
    return this.#accept(`replace ${id} ${JSON.stringify(written)}`, basedOn);
  }

  remove(...[id, , basedOn]: Parameters<Control['remove']>): ReturnType<Control['remove']> {
    return this.#accept(`remove ${id}`, basedOn);
  }

  /** A command that says back what it is told, and ends with its input, or by a signal. */
  exec(workerId: string, argv: readonly string[]): ReturnType<Control['exec']> {
    this.asked.push(`exec ${workerId} ${argv.join(' ')}`);
    const told: ExecNews[] = [];
    let wake: () => void = () => {};
    const tell = (news: ExecNews): void => {
      told.push(news);
      wake();
    };
    const exit = (code: number | null, signal: SignalName | null): void =>
      tell({ kind: 'exited', exit: { code, signal, coreDumped: false, usage: null } });
    const asked = this.asked;
    return Promise.resolve({
      id: 'session-1',
      workerId,
      async *news(signal) {
        signal.addEventListener('abort', () => {
          asked.push('exec abandoned');
          wake();
        });
        for (;;) {
          const news = told.shift();
          if (news !== undefined) yield news;
          if (news?.kind === 'exited') return;
          if (signal.aborted) return;
          if (told.length === 0) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      },
      write(bytes: Uint8Array) {
        tell({ kind: 'output', stream: 'stdout', bytes });
        return Promise.resolve();
      },
      end: () => exit(0, null),
      signal: (signal: SignalName) => exit(null, signal),
    });
  }

  shutdown(): ReturnType<Control['shutdown']> {
    return Promise.resolve({ survivors: [{ pid: 9, startedAt: '1' }], forced: true });
  }
}

/** `all`: everything. `reader`: reads everything but logs. `shop`: everything of the namespace shop. Any other: nobody. */
export function gate(): Gate & { readonly admitted: string[]; revoke(): void } {
  const watchers = new Set<() => void>();
  const admitted: string[] = [];
  const reads: readonly Right[] = ['workers:read', 'events:read', 'master:read', 'config:validate'];
  return {
    admitted,
    revoke: () => {
      for (const ended of watchers) ended();
    },
    admit({ token, from }) {
      admitted.push(`${token} ${from}`);
      if (token === 'busy') throw new HsuError('E_TOO_MANY', 'too many requests');
      if (token === null || !['all', 'reader', 'shop', 'powerless'].includes(token))
        throw new HsuError('E_UNAUTHENTICATED', 'a token is needed');
      return { kind: 'token', name: token, from, tokenId: token };
    },
    authorize(identity: Identity, right, resource) {
      if (identity.name === 'all') return null;
      if (identity.name === 'reader' && reads.includes(right)) return null;
      if (identity.name === 'shop' && resource.kind === 'worker' && resource.namespace === 'shop')
        return null;
      return forbidden(identity, right, resource);
    },
    watch(_identity, ended) {
      watchers.add(ended);
      return () => watchers.delete(ended);
    },
  };
}

type Service = keyof Services;
type Question<M> = M extends Method<string, infer Q, unknown> ? Partial<Q> : never;
type Answer<M> = M extends Method<string, unknown, infer A> ? A : never;

const protos = loadProtos();

/** Knows the server by its proto files alone. */
export class Caller {
  readonly client: Client;
  readonly metadata = new Metadata();

  constructor(address: string, token: string | null = 'all', options: object = {}) {
    this.client = new Client(address, credentials.createInsecure(), options);
    if (token !== null) this.metadata.set('authorization', `Bearer ${token}`);
  }

  ask<S extends Service, M extends keyof Services[S] & string>(
    service: S,
    name: M,
    question: Question<Services[S][M]>,
    deadline = 20_000,
  ): Promise<Answer<Services[S][M]>> {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + deadline };
      const answered = (error: ServiceError | null, value?: object): void =>
        error === null ? resolve(value as Answer<Services[S][M]>) : reject(error);
      this.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        question,
        this.metadata,
        options,
        answered,
      );
    });
  }

  stream<S extends Service, M extends keyof Services[S] & string>(
    service: S,
    name: M,
    question: Question<Services[S][M]>,
  ): Heard<Answer<Services[S][M]>> {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
    const call = this.client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      question,
      this.metadata,
    );
    return new Heard(call as never);
  }

  /** Both ways at once: what is written with the answers of the call, and what it is told. */
  converse<S extends Service, M extends keyof Services[S] & string>(
    service: S,
    name: M,
  ): {
    readonly call: ClientDuplexStream<Question<Services[S][M]>, object>;
    readonly heard: Heard<Answer<Services[S][M]>>;
  } {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
    const call = this.client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      this.metadata,
    );
    return { call, heard: new Heard(call as never) };
  }

  close(): void {
    this.client.close();
  }
}

function methodOf(service: string, name: string): MethodDefinition<object, object> {
  const found = (protos[service] as Record<string, MethodDefinition<object, object>>)[name];
  if (found === undefined) throw new Error(`${service} has no ${name}`);
  return found;
}

/** What a stream has told, and how it ended. */
export class Heard<T> {
  readonly messages: T[] = [];
  readonly call: ClientReadableStream<T>;
  /** null: in order. */
  readonly ended: Promise<ServiceError | null>;
  #wake: () => void = () => {};

  constructor(call: ClientReadableStream<T>) {
    this.call = call;
    this.ended = new Promise((resolve) => {
      call.on('error', (error: ServiceError) => resolve(error));
      call.on('end', () => resolve(null));
    });
    call.on('data', (message: T) => {
      this.messages.push(message);
      this.#wake();
    });
  }

  /** Resolves when `holds`, which is looked at with each message. */
  async until(holds: (messages: readonly T[]) => boolean): Promise<readonly T[]> {
    while (!holds(this.messages)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.messages;
  }
}

export interface Served {
  readonly master: FakeMaster;
  readonly gate: ReturnType<typeof gate>;
  readonly deeds: Deed[];
  readonly defects: unknown[];
  readonly address: string;
  readonly port: number;
  readonly sockets: Set<Socket>;
  caller(token?: string | null, options?: object): Caller;
  close(): Promise<void>;
}

/** Serves a fake master on a real port. */
export async function serve(
  master = new FakeMaster(),
  options: Partial<GrpcServerOptions> = {},
): Promise<Served> {
  const callers: Caller[] = [];
  const sockets = new Set<Socket>();
  const defects: unknown[] = [];
  const deeds: Deed[] = [];
  const audit: Audit = {
    record: (deed) => void deeds.push(deed),
    read: ({ limit }) => Promise.resolve(deeds.slice(-limit).map((deed) => ({ at: NOW, ...deed }))),
  };
  const own = gate();
  const server = createGrpcServer({
    control: master as unknown as Control,
    gate: own,
    audit,
    openStatus: false,
    defect: (error) => void defects.push(error),
    ...options,
  });
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    server.accept(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  return {
    master,
    gate: own,
    deeds,
    defects,
    address,
    port,
    sockets,
    caller(token, more) {
      const caller = new Caller(address, token, more);
      callers.push(caller);
      return caller;
    },
    async close() {
      listener.close();
      await server.close();
      for (const caller of callers) caller.close();
    },
  };
}

export const it = test.extend<{ served: Served; owner: Caller }>({
  // oxlint-disable-next-line no-empty-pattern
  served: async ({}, use) => {
    const served = await serve();
    try {
      await use(served);
    } finally {
      await served.close();
    }
  },
  owner: async ({ served }, use) => {
    await use(served.caller());
  },
});
