import { once } from 'node:events';
import { ApiError, type Client, type Event, type PlainOrder } from '@hsu-master/api/client';
import { expect } from 'vitest';
import { clientOf, command } from './background.ts';
import { eventually, factor, it, type Launched, PATIENCE, type Stage } from './drive.ts';
import { GrpcClient, type GrpcError, type Message } from './grpc-client.ts';

/** A hundred in all: most give orders, the others hear all that comes of them. */
const CLIENTS = { rest: 45, grpc: 45, webSockets: 5, streams: 5 };
const SPAN = process.env.HSU_LONG === undefined ? 4000 : 30_000;
const ORDERS: readonly PlainOrder[] = ['start', 'stop', 'restart', 'reset', 'kill'];
/** What an order is waited for at most, in seconds. */
const WAIT = 20 * factor;

/** Numbers that are the same each time: mulberry32. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Asking {
  readonly ids: readonly string[];
  readonly random: () => number;
  /** When the time is up. */
  readonly until: number;
  /** What was answered that should not have been. */
  readonly wrong: string[];
  /** All that were given, by id. */
  readonly tickets: string[];
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** One client that asks at random over HTTP. */
async function askRest(client: Client, { ids, random, until, wrong, tickets }: Asking): Promise<void> {
  while (performance.now() < until) {
    const id = pick(ids, random);
    const what = random();
    try {
      if (what < 0.5) {
        const wait = pick([undefined, '1s', `${WAIT}s`], random);
        const ticket = await client.order(id, pick(ORDERS, random), wait);
        tickets.push(ticket.id);
        if (ticket.state === 'failed' || (ticket.state === 'pending' && wait === `${WAIT}s`))
          wrong.push(`REST: ${ticket.order} ${id} ${ticket.state}`);
      } else if (what < 0.6) await client.workers({ usage: random() < 0.5 });
      else if (what < 0.7) await client.why(id);
      else if (what < 0.8) await client.events({ since: Math.floor(random() * 100), limit: 10 });
      else if (what < 0.9) await client.logs({ select: [id], lines: 5 });
      else await client.worker(id);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) wrong.push(`REST: ${String(error)}`);
    }
  }
}

/** One that does the same over gRPC. */
async function askGrpc(client: GrpcClient, { ids, random, until, wrong, tickets }: Asking): Promise<void> {
  while (performance.now() < until) {
    const id = pick(ids, random);
    const what = random();
    try {
      if (what < 0.5) {
        const seconds = pick([0, 1, WAIT], random);
        const order = pick(ORDERS, random);
        const method = `${order[0]?.toUpperCase()}${order.slice(1)}`;
        const question = { id, wait: { seconds, nanos: 0 } };
        const ticket = await client.ask('hsu.v1.OrderService', method, question, 2000 * WAIT);
        tickets.push(ticket['id']);
        const state: string = ticket['state'];
        if (state === 'TICKET_STATE_FAILED' || (state === 'TICKET_STATE_PENDING' && seconds === WAIT))
          wrong.push(`gRPC: ${order} ${id} ${state}`);
      } else if (what < 0.6) await client.ask('hsu.v1.WorkerService', 'ListWorkers', { usage: true });
      else if (what < 0.7) await client.ask('hsu.v1.WorkerService', 'Explain', { id });
      else if (what < 0.8) await client.ask('hsu.v1.EventService', 'ListEvents', { since: 5, limit: 10 });
      else if (what < 0.9) await client.ask('hsu.v1.LogService', 'TailLogs', { select: [id], lines: 5 });
      else await client.ask('hsu.v1.WorkerService', 'GetWorker', { id });
    } catch (error) {
      const { code, message } = error as GrpcError;
      // FAILED_PRECONDITION, as 409.
      if (code !== 9) wrong.push(`gRPC: ${message}`);
    }
  }
}

/** Facts as one hears them: in their order, none twice, each left out one told. */
class Hearer {
  readonly #wrong: string[];
  readonly #living = new Map<string, number>();
  #last = 0;
  heard = 0;

  constructor(wrong: string[]) {
    this.#wrong = wrong;
  }

  hear({ seq, type, workerId, run }: Pick<Event, 'seq' | 'type' | 'workerId' | 'run'>): void {
    this.heard += 1;
    if (this.#last !== 0 && seq !== this.#last + 1) this.#wrong.push(`event ${seq} after ${this.#last}`);
    this.#last = seq;
    if (workerId === null || run === null) return;
    // Each run of a worker ends before its next begins: at most one process lives.
    if (type === 'worker.started') {
      const living = this.#living.get(workerId);
      if (living !== undefined) this.#wrong.push(`${workerId}: run ${run} began while ${living} lived`);
      this.#living.set(workerId, run);
    } else if (type === 'worker.exited') this.#living.delete(workerId);
  }

  lost(): void {
    this.#last = 0;
    this.#living.clear();
  }
}

async function hearWebSocket(port: string, token: string, hearer: Hearer): Promise<() => void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/stream`, ['hsu.v1', `bearer.${token}`]);
  socket.addEventListener('message', ({ data }) => {
    const told = JSON.parse(String(data)) as { readonly kind: string; readonly event: Event };
    if (told.kind === 'event') hearer.hear(told.event);
    else if (told.kind === 'lost') hearer.lost();
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ op: 'events', name: 'e', since: 0 }));
  socket.send(JSON.stringify({ op: 'states', name: 's' }));
  socket.send(JSON.stringify({ op: 'logs', name: 'l' }));
  return () => socket.close();
}

function hearStreams(client: GrpcClient, hearer: Hearer): () => void {
  const calls = [
    client.stream('hsu.v1.EventService', 'FollowEvents', { since: 0 }),
    client.stream('hsu.v1.WorkerService', 'WatchWorkers'),
    client.stream('hsu.v1.LogService', 'FollowLogs'),
  ];
  const [events] = calls;
  events?.on('data', ({ event, lost }: Message) => {
    if (event) hearer.hear({ ...event, workerId: event.worker ?? null, run: event.run ?? null });
    else if (lost) hearer.lost();
  });
  for (const call of calls) call.on('data', () => {}).on('error', () => {});
  return () => {
    for (const call of calls) call.cancel();
  };
}

interface Fleet {
  readonly run: Launched;
  readonly ids: readonly string[];
  readonly observer: Client;
  readonly token: string;
  readonly http: string;
  readonly grpc: string;
}

async function start(stage: Stage): Promise<Fleet> {
  const ids = Array.from({ length: 8 }, (_, index) => `w${index}`);
  const run = stage.run({
    master: { port: 0 },
    api: { listen: '127.0.0.1:0', rate_limit: 0 },
    workers: ids.map((id) => ({
      id,
      shell: true,
      command: 'echo hello; exec sleep 1000',
      ...(id === 'w7' ? { depends_on: ['w0'] } : {}),
    })),
  });
  await run.line(/w7: started/);
  const observer = clientOf(stage);
  const { events } = await observer.events({ since: 0, type: ['api.listening'] });
  const [http, grpc] = events.map(({ payload }) => new URL(String(payload['address'])).host);
  const config = stage.path('config.yaml');
  const said = await command(stage, ['token', 'create', 'crowd', '--role', 'admin', '-f', config]);
  const [token = ''] = /hsu_[\w-]+/.exec(said.stdout) ?? [];
  return { run, ids, observer, token, http: http ?? '', grpc: grpc ?? '' };
}

it(
  '100 clients at once give random orders over REST and gRPC, and hear of them over WebSocket and gRPC: no error of the master, no lost ticket, never two processes of one worker',
  async ({ stage }) => {
    const { run, ids, observer, token, http, grpc } = await start(stage);
    const wrong: string[] = [];
    const tickets: string[] = [];
    const times = <T>(count: number, make: () => T): readonly T[] => Array.from({ length: count }, make);
    const hearers = times(CLIENTS.webSockets + CLIENTS.streams, () => new Hearer(wrong));
    const rest = times(CLIENTS.rest, () => clientOf(stage));
    const callers = times(CLIENTS.grpc, () => new GrpcClient(grpc, { token }));
    const listeners = times(CLIENTS.streams, () => new GrpcClient(grpc, { token }));
    const endings = [
      ...(await Promise.all(
        hearers
          .slice(0, CLIENTS.webSockets)
          .map((hearer) => hearWebSocket(new URL(`http://${http}`).port, token, hearer)),
      )),
      ...listeners.map((client, index) => hearStreams(client, hearers[CLIENTS.webSockets + index] as Hearer)),
    ];

    const until = performance.now() + SPAN;
    const asking = (seed: number): Asking => ({ ids, random: chance(seed), until, wrong, tickets });
    await Promise.all([
      ...rest.map((client, index) => askRest(client, asking(index + 1))),
      ...callers.map((client, index) => askGrpc(client, asking(1000 + index))),
    ]);
    expect(wrong).toEqual([]);
    // The last of those that have settled are remembered, and all that have not.
    for (const id of tickets.slice(-100)) expect(await observer.ticket(id)).toMatchObject({ id });

    for (const id of ids) await observer.order(id, 'stop', `${WAIT}s`);
    // What waited for a dependency has been overruled.
    await expect.poll(() => observer.tickets(), { timeout: PATIENCE }).toEqual([]);
    const { workers } = await observer.workers();
    expect(workers.map(({ phase, process }) => [phase, process])).toEqual(ids.map(() => ['stopped', null]));
    for (const hearer of hearers) expect(hearer.heard).toBeGreaterThan(ids.length);
    expect(wrong).toEqual([]);
    await eventually(() => stage.leftOvers().filter(({ pid }) => pid !== run.pid).length === 0);
    expect(run.matching(/internal error|defect/)).toEqual([]);
    for (const end of endings) end();
    for (const client of [observer, ...rest, ...callers, ...listeners]) client.close();
    await run.stop();
    expect(stage.leftOvers()).toEqual([]);
  },
  3 * PATIENCE + SPAN,
);
