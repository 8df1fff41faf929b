import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event, GraphNode, Process, Version, Worker, WorkerDetail } from '@hsu-master/api/client';
import { type Keys, runCli } from '../src/index.ts';
import type { Out, Surroundings } from '../src/surroundings.ts';

/** When everything here is asked. */
export const NOW = Date.parse('2026-01-31T12:00:00Z');
export const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

export function worker(id: string, differs: Partial<Worker> = {}): Worker {
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
    probed: true,
    completed: false,
    run: 1,
    process: { pid: 4102, startedAt: '1' },
    port: null,
    startedAt: ago(8040),
    restarts: 0,
    failuresInARow: 0,
    breaker: 'closed',
    nextTry: null,
    waiting: [],
    failure: null,
    lastEnd: null,
    throttled: [],
    degraded: [],
    usage: { cpuPercent: 12.3, memoryBytes: 311_000_000, processes: 3 },
    ...differs,
  };
}

const at = { process: null, startedAt: null, usage: null, ready: false };
const end = { run: 5, code: 1, signal: null, says: 'exit 1', success: false, uptimeMs: 400, at: ago(30) };

/** Workers in every state. */
export const FLEET: readonly Worker[] = [
  worker('api', { namespace: 'shop' }),
  worker('db', {
    restarts: 1,
    lastEnd: { ...end, at: ago(7200) },
    usage: { cpuPercent: 2, memoryBytes: 190e6, processes: 1 },
  }),
  worker('mailer', {
    ...at,
    phase: 'backoff',
    doing: 'backoff 12s: exit 1',
    restarts: 5,
    failuresInARow: 5,
    breaker: 'open',
    lastEnd: end,
    nextTry: ago(-12),
  }),
  worker('report', {
    ...at,
    phase: 'blocked',
    doing: 'waiting for warehouse',
    waiting: [{ id: 'warehouse', condition: 'ready', reason: 'not ready: connection refused' }],
  }),
  worker('übersetzer', { ready: false, doing: 'not ready: 連接被拒絕 by upstream' }),
  worker('off', {
    ...at,
    phase: 'stopped',
    desired: 'down',
    enabled: false,
    run: 0,
    doing: 'stopped',
  }),
];

const NEEDS: Readonly<Record<string, readonly string[]>> = { api: ['db'], mailer: ['api', 'db'] };

const dependsOn = (id: string): GraphNode['dependsOn'] =>
  (NEEDS[id] ?? []).map((other) => ({ id: other, condition: 'ready', restart: false }));

export const GRAPH: readonly GraphNode[] = FLEET.map(
  ({ id, namespace, enabled, phase, ready, completed }) => ({
    id,
    namespace,
    enabled,
    phase,
    ready,
    completed,
    dependsOn: dependsOn(id),
  }),
);

const VERSION: Version = {
  master: 'abcd0123',
  version: '1.2.3',
  api: 1,
  pid: 4000,
  startedAt: ago(9000),
  node: '24.0.0',
  platform: 'linux-x64',
  configFile: '/srv/shop/config.yaml',
  stateDirectory: '/var/lib/hsu-master/shop',
  logDirectory: '/var/log/hsu-master/shop',
  lacksAddon: null,
};

const EVENTS: readonly Event[] = [
  { seq: 1, at: ago(8041), type: 'worker.starting', workerId: 'api', run: 1, payload: {} },
  {
    seq: 2,
    at: ago(30),
    type: 'worker.exited',
    workerId: 'mailer',
    run: 5,
    payload: { exit: { code: 1 }, asked: false, uptime: 400 },
  },
  { seq: 3, at: ago(1), type: 'supervisor.started', workerId: null, run: null, payload: {} },
];

const PROCESSES: readonly Process[] = [
  { pid: 4102, ppid: 4000, argv: ['node', 'server.js'], cpuMs: 61_000, memoryBytes: 200e6 },
  { pid: 4110, ppid: 4102, argv: ['node', 'worker.js', '--index', '1'], cpuMs: 320, memoryBytes: 60e6 },
  { pid: 4111, ppid: 4102, argv: ['node', 'worker.js', '--index', '2'], cpuMs: 310, memoryBytes: 51e6 },
].map((one) => ({ worker: 'api', startedAt: '1', state: 'S', user: 0, ...one }));

function detail(one: Worker): WorkerDetail {
  return {
    ...one,
    description: 'What customers see',
    argv: ['node', 'server.js', '--title', 'a shop'],
    cwd: '/srv/shop',
    environment: ['PORT', 'SECRET'],
    user: 'www',
    stop: { signal: 'SIGTERM', graceMs: 10_000 },
    dependsOn: dependsOn(one.id),
    dependents: GRAPH.filter((node) => node.dependsOn.some(({ id }) => id === one.id)).map(({ id }) => id),
    probes: { startup: null, liveness: null, readiness: null },
    log: { stdoutFile: '/l/a.log', stderrFile: '/l/a.log' },
    members: [
      { pid: 4102, startedAt: '1' },
      { pid: 4110, startedAt: '2' },
    ],
  };
}

const WHY = {
  worker: 'mailer',
  headline: 'mailer is not running: its breaker is open after 5 failures in a row; next try in 12s.',
  history: [{ at: ago(30), run: 5, text: 'exit 1 after 400ms', count: 5 }],
  cause: 'it ends by itself (exit 1); the last that it said: connect ECONNREFUSED 10.0.0.7:587',
  lastWords: ['connect ECONNREFUSED 10.0.0.7:587'],
  next: [
    { does: 'try it now', command: 'hsu-master reset mailer' },
    { does: 'see what it wrote', command: 'hsu-master logs mailer' },
  ],
};

function answer(path: string, select: readonly string[], here: (id: string) => boolean): object | null {
  const chosen = <T extends { readonly id: string }>(all: readonly T[]): readonly T[] =>
    select.length === 0 ? all : all.filter(({ id }) => select.includes(id));
  const [, id] = /^\/v1\/workers\/([^/]+)$/.exec(path) ?? [];
  const one = FLEET.find((known) => known.id === id);
  if (one !== undefined) return detail(one);
  switch (path) {
    case '/v1/version':
      return VERSION;
    case '/v1/health':
      return {
        status: 'degraded',
        workers: { total: 6, wanted: 5, ready: 2, running: 3, backoff: 1, blocked: 1, failed: 0 },
      };
    case '/v1/workers':
      return { master: VERSION.master, seq: 3, workers: chosen(FLEET).filter(({ id }) => here(id)) };
    case '/v1/graph':
      return { workers: chosen(GRAPH) };
    case '/v1/processes':
      return { processes: PROCESSES };
    case '/v1/events':
      return { master: VERSION.master, events: EVENTS, lost: 0, seq: 3 };
    case '/v1/logs':
      return {
        lines: [{ worker: 'api', stream: 'stdout', at: ago(5), stamped: true, run: 1, text: 'listening' }],
      };
    case '/v1/workers/mailer/why':
      return WHY;
    default:
      return null;
  }
}

/** A master of which the answers are known; its workers are those that `here` lets be. */
export async function canned(
  here: (id: string) => boolean = () => true,
): Promise<{ readonly socket: string; close(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'hsu-cli-'));
  const socket = join(folder, 's');
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const told = answer(pathname, searchParams.getAll('select'), here);
    response.writeHead(told === null ? 404 : 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(told ?? { code: 'E_UNKNOWN_ROUTE', detail: pathname, next: '', status: 404 }),
    );
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    close() {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A stream that keeps what it is given. */
export function sink(
  columns: number,
  rows = Number.POSITIVE_INFINITY,
  hear: (text: string) => void = () => {},
): Out & { readonly text: string } {
  const isTerminal = rows !== Number.POSITIVE_INFINITY;
  let said = '';
  return {
    get text() {
      return said;
    },
    write(text) {
      said += typeof text === 'string' ? text : Buffer.from(text).toString();
      hear(said);
      return Promise.resolve();
    },
    isTTY: isTerminal,
    cursor: isTerminal,
    colour: false,
    columns: () => columns,
    rows: () => rows,
    gone: new AbortController().signal,
  };
}

export interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line of words without blanks in them. */
export async function told(
  line: string,
  columns: number,
  parts: Partial<Surroundings> & {
    readonly rows?: number;
    readonly keys?: Keys;
    /** Told all that was written to standard output, whenever something was. */
    readonly hear?: (text: string) => void;
  } = {},
): Promise<Told> {
  const { rows, hear, ...others } = parts;
  const out = sink(columns, rows, hear);
  const err = sink(columns);
  const code = await runCli(line.split(' '), {
    out,
    err,
    keys: null,
    input: () => ({ chunks: (async function* () {})(), close: () => {} }),
    locate: () => Promise.reject(new Error('nobody is to be asked')),
    version: '1.2.3',
    now: () => NOW,
    interrupted: () => new AbortController().signal,
    ...others,
  });
  return { code, out: out.text, err: err.text };
}
