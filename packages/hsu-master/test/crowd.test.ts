import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, type Client, type Event, type PlainOrder } from '@hsu-master/api/client';
import type { HsuEvent } from '@hsu-master/core';
import { Chance, type HeardStory, heardStory } from '@hsu-master/testkit';
import { expect } from 'vitest';
import { clientOf, command } from './background.ts';
import { eventually, factor, it, type Launched, PATIENCE, type Stage } from './drive.ts';
import { GrpcClient, type GrpcError, type Message } from './grpc-client.ts';

/** A hundred in all: most give orders, the others hear all that comes of them. */
const CLIENTS = { rest: 45, grpc: 45, webSockets: 5, streams: 5 };
const SPAN = 30_000;
const ORDERS: readonly [PlainOrder, ...PlainOrder[]] = ['start', 'stop', 'restart', 'reset', 'kill'];
/** What an order is waited for at most, in seconds. */
const WAIT = 20 * factor;

interface Asking {
  readonly ids: readonly [string, ...string[]];
  readonly chance: Chance;
  /** When the time is up. */
  readonly until: number;
  /** What was answered that should not have been. */
  readonly wrong: string[];
  /** How many tickets were given and came to an end, by what they came to. */
  readonly outcomes: Map<string, number>;
}

/** Writes down what became of a ticket: whoever was given one asks again until it has settled. */
function settled({ outcomes, wrong }: Asking, what: string, state: string): void {
  outcomes.set(state, (outcomes.get(state) ?? 0) + 1);
  if (state !== 'done' && state !== 'superseded') wrong.push(`${what}: ${state}`);
}

/** One client that asks at random over HTTP. */
async function askRest(client: Client, asking: Asking): Promise<void> {
  const { ids, chance, until, wrong } = asking;
  while (performance.now() < until) {
    const id = chance.pick(ids);
    const what = chance.next();
    try {
      if (what < 0.5) {
        const order = chance.pick(ORDERS);
        const given = await client.order(id, order, chance.pick([undefined, '1s', `${WAIT}s`]));
        const { state } = await client.ticket(given.id, `${WAIT}s`);
        settled(asking, `REST: ${order} ${id}`, state);
        if (given.state !== 'pending' && given.state !== state) wrong.push(`${given.id} settled twice`);
      } else if (what < 0.6) await client.workers({ usage: chance.happens(0.5) });
      else if (what < 0.7) await client.why(id);
      else if (what < 0.8) await client.events({ since: chance.between(0, 99), limit: 10 });
      else if (what < 0.9) await client.logs({ select: [id], lines: 5 });
      else await client.worker(id);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) wrong.push(`REST: ${String(error)}`);
    }
  }
}

/** One that does the same over gRPC. */
async function askGrpc(client: GrpcClient, asking: Asking): Promise<void> {
  const { ids, chance, until, wrong } = asking;
  const wait = (seconds: number) => ({ wait: { seconds, nanos: 0 } });
  const order = async (id: string): Promise<void> => {
    const kind = chance.pick(ORDERS);
    const method = `${kind[0]?.toUpperCase()}${kind.slice(1)}`;
    const question = { id, ...wait(chance.pick([0, 1, WAIT])) };
    const given = await client.ask('hsu.v1.OrderService', method, question, 2000 * WAIT);
    const asked = { id: given['id'], ...wait(WAIT) };
    const { state } = await client.ask('hsu.v1.OrderService', 'GetTicket', asked, 2000 * WAIT);
    settled(asking, `gRPC: ${kind} ${id}`, String(state).replace('TICKET_STATE_', '').toLowerCase());
  };
  while (performance.now() < until) {
    const id = chance.pick(ids);
    const what = chance.next();
    try {
      if (what < 0.5) await order(id);
      else if (what < 0.6) await client.ask('hsu.v1.WorkerService', 'ListWorkers', { usage: true });
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

type Told =
  | { readonly kind: 'event'; readonly event: Event & { readonly type: HsuEvent['type'] } }
  | { readonly kind: 'lost'; readonly name: string; readonly events: number };

async function hearWebSocket(port: string, token: string, hearer: HeardStory): Promise<() => void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/stream`, ['hsu.v1', `bearer.${token}`]);
  socket.addEventListener('message', ({ data }) => {
    const told = JSON.parse(String(data)) as Told;
    if (told.kind === 'event') hearer.event(told.event);
    else if (told.kind === 'lost' && told.name === 'e') hearer.missed(told.events);
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ op: 'events', name: 'e', since: 0 }));
  socket.send(JSON.stringify({ op: 'states', name: 's' }));
  socket.send(JSON.stringify({ op: 'logs', name: 'l' }));
  return () => socket.close();
}

function hearStreams(client: GrpcClient, hearer: HeardStory): () => void {
  const calls = [
    client.stream('hsu.v1.EventService', 'FollowEvents', { since: 0 }),
    client.stream('hsu.v1.WorkerService', 'WatchWorkers'),
    client.stream('hsu.v1.LogService', 'FollowLogs'),
  ];
  const [events] = calls;
  events?.on('data', ({ event, lost }: Message) => {
    if (event) hearer.event({ ...event, workerId: event.worker ?? null, run: event.run ?? null } as never);
    else if (lost) hearer.missed(Number(lost));
  });
  for (const call of calls) call.on('data', () => {}).on('error', () => {});
  return () => {
    for (const call of calls) call.cancel();
  };
}

interface Fleet {
  readonly run: Launched;
  readonly ids: readonly [string, ...string[]];
  readonly observer: Client;
  readonly token: string;
  readonly http: string;
  readonly grpc: string;
}

async function start(stage: Stage): Promise<Fleet> {
  const ids = ['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7'] as const;
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
  '100 clients at once give random orders over REST and gRPC, and hear of them over WebSocket and gRPC: no error of the master, each ticket settles, and what is heard is what the simulation allows',
  async ({ stage }) => {
    const { run, ids, observer, token, http, grpc } = await start(stage);
    const wrong: string[] = [];
    const outcomes = new Map<string, number>();
    const times = <T>(count: number, make: () => T): readonly T[] => Array.from({ length: count }, make);
    const hearers = times(CLIENTS.webSockets + CLIENTS.streams, () => heardStory((what) => wrong.push(what)));
    const rest = times(CLIENTS.rest, () => clientOf(stage));
    const callers = times(CLIENTS.grpc, () => new GrpcClient(grpc, { token }));
    const listeners = times(CLIENTS.streams, () => new GrpcClient(grpc, { token }));
    const endings = [
      ...(await Promise.all(
        hearers
          .slice(0, CLIENTS.webSockets)
          .map((hearer) => hearWebSocket(new URL(`http://${http}`).port, token, hearer)),
      )),
      ...listeners.map((client, index) =>
        hearStreams(client, hearers[CLIENTS.webSockets + index] as HeardStory),
      ),
    ];

    const until = performance.now() + SPAN;
    const asking = (seed: number): Asking => ({ ids, chance: new Chance(seed), until, wrong, outcomes });
    const all = Promise.all([
      ...rest.map((client, index) => askRest(client, asking(index + 1))),
      ...callers.map((client, index) => askGrpc(client, asking(1000 + index))),
    ]);
    // Orders to w7 may wait for w0, which the last order stopped: they settle only when it runs again.
    while (!(await Promise.race([all, pause(1000, null)])))
      if (performance.now() > until) await observer.order('w0', 'start');
    expect(wrong).toEqual([]);
    // Of both kinds, whatever the machine has time for.
    expect([...outcomes.keys()].toSorted()).toEqual(['done', 'superseded']);

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
