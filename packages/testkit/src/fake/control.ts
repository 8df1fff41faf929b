import {
  type Accepted,
  type Control,
  EventStream,
  type ExecNews,
  HsuError,
  type LogNews,
  type Ordered,
  type SignalName,
  select,
  type Ticket,
  type Tokens,
  type WorkerView,
} from '@hsu-master/core';
import { LINE, NOW, PLAN, TOKEN, view } from './control-values.ts';

/** A master of two workers that only says what it is. Events are real. */
export class FakeControl implements Control {
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

  readonly tokens: Tokens = {
    list: () => [TOKEN],
    create: ({ expires, ...wish }, by) => {
      this.asked.push(`token ${wish.name} by ${by.name}`);
      return Promise.resolve({
        text: `hsu_${'x'.repeat(43)}`,
        token: { ...TOKEN, ...wish, expiresAt: expires && NOW + expires },
      });
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

  processes(id: string): ReturnType<Control['processes']> {
    this.worker(id);
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

  environment(id: string, reveal: boolean): ReturnType<Control['environment']> {
    this.worker(id);
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
    const valid = { ok: true, issues: [], workers: ['web'], revision: 7, plan: PLAN };
    return Promise.resolve(source?.text === '' ? { ...valid, ...this.validate(), plan: null } : valid);
  }

  #accept(asked: string, basedOn: number | null): Promise<Accepted> {
    this.asked.push(asked);
    if (asked.includes('invalid')) return Promise.reject(new HsuError('E_CONFIG', 'it is not valid'));
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

  execSession(id: string): ReturnType<Control['execSession']> {
    throw new HsuError('E_UNKNOWN_SESSION', `there is no command "${id}"`);
  }

  shutdown(): ReturnType<Control['shutdown']> {
    return Promise.resolve({ survivors: [{ pid: 9, startedAt: '1' }], forced: true });
  }
}
