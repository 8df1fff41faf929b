import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Client, Event } from '@hsu-master/api/client';
import { zoo } from '@hsu-master/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, command, told } from './background.ts';
import { factor, freePort, type Launched, Stage, it as staged } from './drive.ts';
import { GrpcClient, type Message } from './grpc-client.ts';
import { isAlive } from './proc.ts';

// Rows of the scenarios as they look from outside: one master, asked over REST and gRPC.

const WAIT = `${20 * factor}s`;
const off = (id: string, { argv }: { readonly argv: readonly string[] }, more: object = {}) => ({
  id,
  command: argv,
  enabled: false,
  restart: { policy: 'never' },
  ...more,
});

const WORKERS = [
  { id: 'keeper', command: 'sleep 1000' },
  off('web', zoo.sleeps()),
  off('daemon', zoo.doubleForkDaemon()),
  off('escapee', zoo.sessionEscapee(), { stop_timeout: '200ms' }),
  off('parent', zoo.leaderEndsChildIgnores(), { stop_timeout: '300ms' }),
  off('deaf', zoo.ignoresSigterm(), { stop_timeout: '300ms' }),
  off('patient', zoo.ignoresSigterm(), { stop_timeout: '1h' }),
  off('short', zoo.exitsAtOnce(3)),
  off('crasher', zoo.exitsAtOnce(1), { restart: { policy: 'always', delay: '1h', jitter: 0 } }),
  { ...off('never-ready', zoo.sleeps()), ready: { exec: ['false'] } },
  { ...off('dependent', zoo.sleeps()), depends_on: ['never-ready'] },
];

let stage: Stage;
let run: Launched;
let client: Client;
let grpc: GrpcClient;

beforeAll(async () => {
  stage = new Stage('rows');
  run = stage.run({ master: { port: 0 }, workers: WORKERS });
  await run.started('keeper');
  client = clientOf(stage);
  const { events } = await client.events({ type: ['api.listening'] });
  const address = new URL(String(events[0]?.payload['address'])).host;
  const config = stage.path('config.yaml');
  const made = await command(stage, ['token', 'create', 'rows', '--role', 'admin', '-f', config]);
  grpc = new GrpcClient(address, { token: made.stdout.trim() });
});

afterAll(async () => {
  grpc.close();
  client.close();
  await stage.clear();
});

async function events(id: string): Promise<readonly Event[]> {
  return (await client.events({ select: [id] })).events;
}

async function count(id: string, type: string): Promise<number> {
  return (await events(id)).filter((event) => event.type === type).length;
}

/** Starts it and waits until it has said `up`. */
async function up(id: string): Promise<void> {
  expect(await client.order(id, 'start', WAIT)).toMatchObject({ state: 'done' });
  await run.line(new RegExp(`^${id} +\\| up`));
}

async function processes(id: string): Promise<readonly number[]> {
  return (await client.processes({ select: [id] })).map(({ pid }) => pid);
}

describe('process trees', () => {
  it('A3: a daemon that nobody expected is told as that, and nothing of it is left', async () => {
    await client.order('daemon', 'start', WAIT);
    expect(await client.wait('daemon', 'stopped', WAIT)).toMatchObject({
      met: true,
      worker: { process: null },
    });
    const texts = (await client.why('daemon')).history.map(({ text }) => text);
    expect(texts).toContainEqual(
      expect.stringContaining('daemonized unexpectedly: it exited and left 1 process'),
    );
    expect(await processes('daemon')).toEqual([]);
    expect(await count('daemon', 'worker.started')).toBe(1);
  });

  it('A6: who left the session of its worker is named with it, and gone when the stop has settled', async () => {
    await up('escapee');
    const pids = await processes('escapee');
    expect(pids.length).toBeGreaterThan(1);
    expect(await client.order('escapee', 'stop', WAIT)).toMatchObject({ state: 'done' });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await processes('escapee')).toEqual([]);
  });

  it('A7: a stop settles when the tree is empty, not when its leader is', async () => {
    await up('parent');
    const pids = await processes('parent');
    expect(pids.length).toBe(2);
    const ticket = await client.order('parent', 'stop', WAIT);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(ticket).toMatchObject({ state: 'done', failure: null });
    const story = (await events('parent')).map(({ type }) => type);
    expect(story.slice(-4)).toEqual(['worker.stopping', 'worker.exited', 'worker.killed', 'worker.stopped']);
    expect((await client.worker('parent')).lastEnd).toMatchObject({ signal: 'SIGTERM' });
  });

  it('A8: what ignores SIGTERM is killed at its time, and the end says so, over gRPC too', async () => {
    await up('deaf');
    expect(await client.order('deaf', 'stop', WAIT)).toMatchObject({ state: 'done' });
    const killed = (await events('deaf')).find(({ type }) => type === 'worker.killed');
    expect(killed?.payload).toMatchObject({ after: expect.any(Number) });
    const end = { code: null, signal: 'SIGKILL', says: expect.stringContaining('SIGKILL') };
    expect((await client.worker('deaf')).lastEnd).toMatchObject(end);
    const { lastEnd: same } = await detail('deaf');
    expect(same).toMatchObject({ signal: 'SIGKILL' });
  });

  it('A14: what exits before its start is answered has one exit, and both orders settle', async () => {
    const [one, two] = await Promise.all([
      client.order('short', 'start', WAIT),
      grpc.ask('hsu.v1.OrderService', 'Start', { id: 'short', wait: { seconds: 20, nanos: 0 } }),
    ]);
    await client.wait('short', 'stopped', WAIT);
    const exits = (await events('short')).filter(({ type }) => type === 'worker.exited');
    expect(exits.map(({ run: of }) => of)).toEqual(exits.map((_, index) => index + 1));
    expect(exits).toHaveLength(await count('short', 'worker.started'));
    expect([one.state, two['state']]).not.toContain('pending');
    expect((await client.worker('short')).lastEnd).toMatchObject({ code: 3, success: false });
  });
});

async function detail(id: string): Promise<Message> {
  const told = await grpc.ask('hsu.v1.WorkerService', 'GetWorker', { id });
  return (told['worker'] ?? told) as Message;
}

describe('orders at once', () => {
  it('C1: of 100 starts, half of them over gRPC, one makes a process, and 99 are told that it runs already', async () => {
    const half = Array.from({ length: 50 });
    const answers = await Promise.all([
      ...half.map(() => client.order('web', 'start', WAIT)),
      ...half.map(() =>
        grpc.ask('hsu.v1.OrderService', 'Start', { id: 'web', wait: { seconds: 20, nanos: 0 } }),
      ),
    ]);
    const states = answers.map(({ state }) => String(state).replace('TICKET_STATE_', '').toLowerCase());
    expect(new Set(states)).toEqual(new Set(['done']));
    expect(await count('web', 'worker.started')).toBe(1);
    expect(answers.filter(({ already }) => already)).toHaveLength(99);
  });

  it('C3: a stop while it starts, backs off or waits is at rest at once, and nothing begins later', async () => {
    for (const id of ['never-ready', 'dependent', 'crasher']) await client.order(id, 'start');
    await told(client, 'worker.backing-off');
    await told(client, 'worker.blocked');
    const stops = await Promise.all(
      ['dependent', 'crasher', 'never-ready'].map((id) => client.order(id, 'stop', WAIT)),
    );
    expect(stops.map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    const { seq } = await client.events();
    for (const id of ['never-ready', 'dependent', 'crasher'])
      expect(await client.worker(id)).toMatchObject({
        phase: 'stopped',
        desired: 'down',
        nextTry: null,
        process: null,
      });
    expect(await client.tickets()).toEqual([]);
    // What comes behind another order would have come after these.
    await client.order('web', 'restart', WAIT);
    expect(
      (await client.events({ since: seq, type: ['worker.starting'] })).events.map(({ workerId }) => workerId),
    ).toEqual(['web']);
  });

  it('C4: a restart of what waits for its backoff makes one process, which is the one that is told', async () => {
    await client.order('web', 'stop', WAIT);
    const before = await count('web', 'worker.started');
    const orders = await Promise.all([
      client.order('web', 'start', WAIT),
      client.order('web', 'restart', WAIT),
      client.order('web', 'restart', WAIT),
    ]);
    expect(orders.map(({ state }) => state)).not.toContain('pending');
    await client.wait('web', 'running', WAIT);
    const { process: main } = await client.worker('web');
    expect(isAlive(main?.pid ?? 0)).toBe(true);
    expect(await processes('web')).toEqual([main?.pid]);
    expect(await count('web', 'worker.started')).toBe(before + 1);
  });

  it('C7: a stop that is waited for is forced by kill; both orders settle with the same end', async () => {
    await up('patient');
    const stop = await client.order('patient', 'stop');
    expect(stop.state).toBe('pending');
    const again = await client.order('patient', 'stop', '1ms');
    expect(again.state).toBe('pending');
    expect(await client.order('patient', 'kill', WAIT)).toMatchObject({ state: 'done' });
    for (const { id } of [stop, again])
      expect(await client.ticket(id, WAIT)).toMatchObject({ state: 'done' });
    expect((await client.worker('patient')).lastEnd).toMatchObject({ signal: 'SIGKILL' });
  });
});

staged(
  'A16: where a killed master was asked anybody can listen while its worker lives on',
  async ({ stage: own }) => {
    const [http, port] = [await freePort(), await freePort()];
    const master = own.run({
      master: { port },
      api: { listen: `127.0.0.1:${http}` },
      workers: [{ id: 'web', command: 'sleep 1000' }],
    });
    const worker = await master.started('web');
    master.signal('SIGKILL');
    await master.end();
    for (const taken of [http, port]) {
      const server = createServer().listen(taken, '127.0.0.1');
      await once(server, 'listening');
      server.close();
    }
    expect(isAlive(worker)).toBe(true);
  },
);
