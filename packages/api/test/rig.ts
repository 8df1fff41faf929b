import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Accepted,
  type BasedOn,
  type Caller,
  type ConfigPlan,
  type Control,
  EventStream,
  HsuError,
  type Identity,
  type LogLine,
  type LogNews,
  noAudit,
  type Ordered,
  select,
  type Ticket,
  type Tokens,
  type TokenView,
  type WorkerView,
} from '@hsu-master/core';
import { test } from 'vitest';
import { Client } from '../src/client/index.ts';
import { type Api, type ApiOptions, createApi } from '../src/index.ts';

export const NOW = Date.parse('2026-01-31T12:00:00Z');

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
    breaker: 'closed',
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

const LINE: LogLine = { workerId: 'web', stream: 'stderr', at: NOW, stamped: true, run: 2, text: 'hello' };

const PLAN: ConfigPlan = {
  workers: [
    {
      id: 'web',
      kind: 'changed',
      action: 'restart',
      parts: [{ path: 'env.PASSWORD', before: '"***"', after: null, effective: 'restart' }],
    },
  ],
  unchanged: ['db'],
  settings: [{ path: 'master.on_master_exit', effective: 'live' }],
};

const TOKEN: TokenView = {
  id: 'f0f0f0',
  name: 'ann',
  role: 'operator',
  plus: [],
  minus: [],
  workers: ['api-*'],
  namespaces: [],
  createdAt: NOW,
  expiresAt: NOW + 1000,
};

/** A master of two workers that only says what it is. Events are real. */
export class FakeMaster implements Control {
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
  lines: () => AsyncIterable<LogNews> = async function* () {
    yield { kind: 'line', line: LINE };
    yield { kind: 'lost', workerId: 'web', bytes: 10, lines: 1 };
  };
  readonly #tickets = new Map<string, Ordered>();

  /** How many hear of events. */
  listening = 0;

  constructor(remembered = 100) {
    const events = new EventStream(remembered);
    const subscribe = events.subscribe.bind(events);
    events.subscribe = (listener) => {
      this.listening += 1;
      const end = subscribe(listener);
      return () => {
        this.listening -= 1;
        end();
      };
    };
    this.events = events;
  }

  publish(workerId: string | null = 'web', at = NOW): void {
    this.events.publish({ type: 'worker.ready', payload: {} }, at, workerId, 2);
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
    const probe = {
      check: { type: 'http', url: 'http://x/', method: 'GET', headers: {} },
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
      stop: { signal: 'SIGTERM', grace: 5000 },
      dependsOn: [{ id: 'db', condition: 'ready', restart: false }],
      dependents: [],
      probes: { startup: null, liveness: null, readiness: probe },
      log: { stdoutFile: '/l/a', stderrFile: '/l/b' },
      members: [{ pid: 42, startedAt: '7' }],
    };
  }

  processes(id: string): ReturnType<Control['processes']> {
    this.worker(id);
    return [
      {
        pid: 42,
        startedAt: '7',
        ppid: 1,
        state: 'S',
        argv: ['sleep', '1'],
        user: 0,
        cpu: 20,
        memory: 4096,
      },
    ];
  }

  dependencies(id: string): ReturnType<Control['dependencies']> {
    return id === 'web' ? [{ id: 'db', condition: 'ready', restart: false }] : [];
  }

  environment(id: string, reveal: boolean): ReturnType<Control['environment']> {
    this.worker(id);
    return { argv: ['sleep', '1'], variables: { A: reveal ? 'secret' : null } };
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
    const done = { ...ticket, state: 'done', settledAt: NOW + 5 } as const;
    const ordered = { ticket, settled: new Promise<Ticket>((resolve) => setTimeout(resolve, 5, done)) };
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
    follow: () => this.lines(),
  };

  readonly tokens: Tokens = {
    list: () => [TOKEN],
    create: (wish, by) => {
      this.asked.push(`token ${wish.name} by ${by.name}`);
      return Promise.resolve({ text: `hsu_${'x'.repeat(43)}`, token: { ...TOKEN, ...wish } });
    },
    revoke: (name) => {
      this.asked.push(`revoke ${name}`);
      return Promise.resolve(TOKEN);
    },
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

  config(): ReturnType<Control['config']> {
    return {
      revision: 3,
      file: '/etc/x.yaml',
      source: 'file',
      acceptedAt: NOW,
      created: ['db'],
      replaced: [],
      removed: [],
      workers: [{ id: 'web', command: { env: { PASSWORD: '***' } } }],
    };
  }

  plan(source: { readonly text: string } | null): ReturnType<Control['plan']> {
    const valid = { ok: true, issues: [], workers: ['web'], revision: 3, plan: PLAN };
    return Promise.resolve(source?.text === '' ? { ...valid, ...this.validate(), plan: null } : valid);
  }

  apply(text: string, _file: string, by: Caller, basedOn: BasedOn): ReturnType<Control['apply']> {
    return this.#accept(`apply ${text} based on ${basedOn}`, by);
  }

  reload(by: Caller): ReturnType<Control['reload']> {
    return this.#accept('reload', by);
  }

  async create(written: object, by: Caller): ReturnType<Control['create']> {
    return { id: 'fresh', ...(await this.#accept(`create ${JSON.stringify(written)}`, by)) };
  }

  replace(id: string, written: object, by: Caller): ReturnType<Control['replace']> {
    return this.#accept(`replace ${id} ${JSON.stringify(written)}`, by);
  }

  remove(id: string, by: Caller): ReturnType<Control['remove']> {
    return this.#accept(`remove ${id}`, by);
  }

  #accept(what: string, by: Caller): Promise<Accepted> {
    this.asked.push(`${what} by ${by.name}`);
    if (what.includes('invalid')) return Promise.reject(new HsuError('E_CONFIG', 'it is not valid'));
    const settled = Promise.resolve({ state: 'done', failures: [] } as const);
    return Promise.resolve({ revision: 4, plan: PLAN, warnings: [], settled });
  }

  exec(workerId: string): ReturnType<Control['exec']> {
    this.worker(workerId);
    return Promise.resolve(this.execSession('session-1'));
  }

  execSession(id: string): ReturnType<Control['execSession']> {
    if (id !== 'session-1') throw new HsuError('E_UNKNOWN_SESSION', `there is no command "${id}"`);
    return {
      id,
      workerId: 'web',
      async *news() {
        yield { kind: 'output', stream: 'stderr', bytes: Buffer.from([0, 255, 10]) };
        yield { kind: 'exited', exit: { code: 3, signal: null } as never };
      },
      write: (bytes) => Promise.resolve(void this.asked.push(`write ${Buffer.from(bytes).toString()}`)),
      end: () => void this.asked.push('end'),
      signal: (signal) => void this.asked.push(`signal ${signal}`),
    };
  }

  shutdown(): ReturnType<Control['shutdown']> {
    return Promise.resolve({ survivors: [{ pid: 9, startedAt: '1' }], forced: true });
  }
}

export interface Served {
  readonly master: FakeMaster;
  readonly client: Client;
  readonly socket: string;
  readonly api: Api;
  readonly defects: unknown[];
}

const OWNER: Identity = { kind: 'root', name: 'uid 0', from: 'unix' };

/** Serves a fake master on a real unix socket. */
export async function serve(
  master: FakeMaster,
  { authorize = () => null, audit = noAudit, ...options }: Partial<ApiOptions> = {},
): Promise<Served & AsyncDisposable & { close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'hsu-api-'));
  const socket = join(folder, 's');
  const defects: unknown[] = [];
  const api = await createApi({
    control: master,
    authorize,
    audit,
    ...options,
    identify: () => OWNER,
    defect: (error) => defects.push(error),
  });
  const server = createServer(api.request);
  server.on('upgrade', api.upgrade);
  server.listen(socket);
  await once(server, 'listening');
  const client = new Client({ socket });
  const close = async (): Promise<void> => {
    client.close();
    await api.close();
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  };
  return { master, client, socket, api, defects, close, [Symbol.asyncDispose]: close };
}

export const it = test.extend<{ served: Served }>({
  // oxlint-disable-next-line no-empty-pattern
  served: async ({}, use) => {
    await using served = await serve(new FakeMaster());
    await use(served);
  },
});
