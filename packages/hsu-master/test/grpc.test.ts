import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { ApiError, Client } from '@hsu-master/api/client';
import { describe, expect } from 'vitest';
import { TokenFile } from '../src/access/token-file.ts';
import { openDoor } from '../src/door.ts';
import { command, socketOf } from './background.ts';
import { makeCertificate } from './certificate.ts';
import { eventually, it, type Stage } from './drive.ts';
import { embed } from './embedded.ts';
import { GrpcClient, type GrpcError, type GrpcOptions, type Message } from './grpc-client.ts';

const WORKERS = [
  {
    id: 'web',
    namespace: 'shop',
    depends_on: ['db'],
    command: ['sh', '-c', 'echo one; echo two >&2; exec sleep 1000'],
    env: { MODE: 'x' },
    limits: { memory: { max_rss: '64MB', policy: 'log' } },
  },
  { id: 'db', command: ['sleep', '1001'], ready: { exec: ['true'] } },
  { id: 'job', command: ['true'], restart: 'never' },
  {
    id: 'late',
    command: ['sleep', '1002'],
    depends_on: [{ id: 'job', condition: 'completed' }],
    enabled: false,
  },
  { id: 'broken', command: ['sh', '-c', 'exit 3'], restart: { policy: 'on-failure', delay: '1h' } },
];

interface Open extends AsyncDisposable {
  readonly embedded: ReturnType<typeof embed>;
  readonly address: string;
  readonly rest: Client;
  grpc(options?: GrpcOptions): GrpcClient;
  token(name: string, role?: 'admin' | 'reader'): Promise<string>;
}

/** A master in this process that answers gRPC at a free port, and HTTP at its socket. */
async function open(
  stage: Stage,
  config: { readonly master?: object; readonly api?: object } = {},
): Promise<Open> {
  const { master, ...others } = config;
  const document = { ...others, master: { port: 0, ...master }, workers: WORKERS };
  const embedded = embed(stage, [], { config: document });
  const door = openDoor(embedded.master);
  await door.open();
  await embedded.master.start();
  const { payload } = await embedded.event('api.listening', null);
  const address = payload.address.replace(/^grpcs?:\/\//, '');
  const { stateDirectory, runDirectory } = embedded.master.places;
  const tokens = new TokenFile(stateDirectory);
  const rest = new Client({ socket: `${runDirectory}/control.sock` });
  const clients: GrpcClient[] = [];
  return {
    embedded,
    address,
    rest,
    grpc(options) {
      const client = new GrpcClient(address, options);
      clients.push(client);
      return client;
    },
    async token(name, role = 'admin') {
      const grant = { role, plus: [], minus: [], workers: [], namespaces: [] } as const;
      return (await tokens.create({ name, ...grant, expires: null }, Date.now(), null)).text;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      rest.close();
      await door.close(null);
      await embedded[Symbol.asyncDispose]();
    },
  };
}

const iso = (at: Message | null): string | null =>
  at === null ? null : new Date(at['seconds'] * 1000 + at['nanos'] / 1e6).toISOString();
const ms = (span: Message): number => span['seconds'] * 1000 + span['nanos'] / 1e6;
/** Without its prefix, in the words of REST. */
const word = (constant: string, prefix: string): string =>
  constant
    .slice(prefix.length + 1)
    .toLowerCase()
    .replaceAll('_', '-');

/** A message as REST tells the same; what is used changes all the time. */
function workerOf(worker: Message): Message {
  const { lastEnd, usage: _usage, ...rest } = worker;
  return {
    ...rest,
    doing: still(worker['doing']),
    port: worker['port'] ?? null,
    namespace: worker['namespace'] ?? null,
    group: worker['group'] ?? null,
    phase: word(worker['phase'], 'PHASE'),
    desired: word(worker['desired'], 'DESIRED'),
    breaker: word(worker['breaker'], 'BREAKER'),
    startedAt: iso(worker['startedAt']),
    nextTry: iso(worker['nextTry']),
    lastEnd: lastEnd && {
      run: lastEnd.run,
      code: lastEnd.code ?? null,
      signal: lastEnd.signal ?? null,
      says: lastEnd.says,
      success: lastEnd.success,
      uptimeMs: ms(lastEnd.uptime),
      at: iso(lastEnd.at),
    },
  };
}

/** How long it still waits goes on. */
const still = (text: string): string => text.replace(/^backoff [^:]*:/, 'backoff:');

/** Two clocks are read one after the other for these: asked twice, they may differ by as long as that took. */
function loosely(moment: string | null): string | null {
  return moment === null ? null : 'a moment';
}

const without = ({ usage: _usage, lastEnd, nextTry, startedAt, ...worker }: Message): Message => ({
  ...worker,
  doing: still(worker['doing']),
  startedAt: loosely(startedAt),
  nextTry: loosely(nextTry),
  lastEnd: lastEnd && { ...lastEnd, at: loosely(lastEnd.at) },
});

/** That they are the same moments all the same. */
function expectNear(one: Message, other: Message): void {
  for (const key of ['startedAt', 'nextTry'])
    if (one[key] !== null) expect(Math.abs(Date.parse(one[key]) - Date.parse(other[key]))).toBeLessThan(5000);
}

function jsonOf(value: Message): unknown {
  if (value['structValue']) return structOf(value['structValue']);
  if (value['listValue']) return value['listValue'].values.map(jsonOf);
  return value['stringValue'] ?? value['numberValue'] ?? value['boolValue'] ?? null;
}

function structOf(struct: Message): object {
  const entries = Object.entries(struct['fields'] as Record<string, Message>);
  return Object.fromEntries(entries.map(([key, value]) => [key, jsonOf(value)]));
}

function eventOf({ payload, at, worker, run, ...rest }: Message): object {
  return { ...rest, at: iso(at), workerId: worker ?? null, run: run ?? null, payload: structOf(payload) };
}

const lineOf = ({ stream, at, ...rest }: Message): object => ({
  ...rest,
  stream: word(stream, 'OUTPUT_STREAM'),
  at: iso(at),
});

const ticketOf = ({ order, state, askedAt, settledAt, ...rest }: Message): object => ({
  ...rest,
  order: word(order, 'ORDER_KIND'),
  state: word(state, 'TICKET_STATE'),
  askedAt: iso(askedAt),
  settledAt: iso(settledAt),
});

/** Until nothing happens by itself any more. */
async function settled({ embedded: { event, of } }: Open): Promise<void> {
  await event('worker.ready', 'web');
  await event('worker.stopped', 'job');
  await eventually(() => of('worker.backing-off', 'broken').length === 1);
}

describe('REST and gRPC tell the same of the same master', () => {
  it('workers, their limits, explanations and conditions', async ({ stage }) => {
    await using opened = await open(stage);
    await settled(opened);
    const { rest } = opened;
    const grpc = opened.grpc({ token: await opened.token('ann') });
    const { workers, ...list } = await rest.workers();
    const told = await grpc.ask('hsu.v1.WorkerService', 'ListWorkers');
    const same: readonly Message[] = told['workers'].map(workerOf);
    expect(same.map(without)).toEqual(workers.map(without));
    for (const [index, worker] of workers.entries()) expectNear(worker, same[index] ?? {});
    expect({ master: told['master'], seq: told['seq'] }).toEqual(list);
    expect(workers.map(({ phase }) => phase)).toEqual([
      'running',
      'running',
      'stopped',
      'stopped',
      'backoff',
    ]);

    for (const { id } of WORKERS) {
      const detail = await rest.worker(id);
      const message = await grpc.ask('hsu.v1.WorkerService', 'GetWorker', { id });
      const { worker, startup, liveness, readiness, stdoutFile, stderrFile, stop, ...others } = message;
      const probe = (one: Message | null): object | null =>
        one && {
          ...one,
          check: structOf(one['check']),
          interval: ms(one['interval']),
          timeout: ms(one['timeout']),
          initialDelay: ms(one['initialDelay']),
        };
      expect({
        ...without(workerOf(worker)),
        ...others,
        user: others['user'] ?? null,
        stop: { signal: stop.signal, graceMs: ms(stop.grace) },
        probes: { startup: probe(startup), liveness: probe(liveness), readiness: probe(readiness) },
        log: { stdoutFile, stderrFile },
      }).toEqual(without(detail));

      const { limits } = await grpc.ask('hsu.v1.WorkerService', 'ListLimits', { id });
      const reports = limits.map((one: Message) => ({ ...one, status: word(one['status'], 'SUPPORT') }));
      expect(reports).toEqual(await rest.limits(id));

      const why = await grpc.ask('hsu.v1.WorkerService', 'Explain', { id });
      const history = why['history'].map((one: Message) => ({
        ...one,
        at: iso(one['at']),
        run: one['run'] ?? null,
      }));
      // How long it has been so goes on.
      expect({ ...why, history, cause: why['cause'] ?? null, headline: '' }).toEqual({
        ...(await rest.why(id)),
        headline: '',
      });

      for (const condition of ['running', 'ready', 'stopped', 'completed'] as const) {
        const timeout = { seconds: 0, nanos: 1e6 };
        const question = { id, condition: `CONDITION_${condition.toUpperCase()}`, timeout };
        const { met, never } = await grpc.ask('hsu.v1.WorkerService', 'WaitFor', question);
        expect([id, condition, { met, never }]).toEqual([
          id,
          condition,
          await rest.wait(id, condition, '1ms').then((waited) => ({ met: waited.met, never: waited.never })),
        ]);
      }
    }
  });

  it('the master, events, logs, orders and what is refused', async ({ stage }) => {
    await using opened = await open(stage);
    await settled(opened);
    const { rest } = opened;
    const grpc = opened.grpc({ token: await opened.token('ann') });

    const { startedAt, ...version } = await grpc.ask('hsu.v1.MasterService', 'GetVersion');
    expect({ api: 1, lacksAddon: null, ...version, startedAt: iso(startedAt) }).toEqual(await rest.version());
    const { status, ...workers } = await grpc.ask('hsu.v1.MasterService', 'GetHealth');
    expect({ status: word(status, 'STATUS'), workers }).toEqual(await rest.health());
    const { capabilities } = await grpc.ask('hsu.v1.MasterService', 'ListCapabilities');
    const features = capabilities.map((one: Message) => ({ ...one, status: word(one['status'], 'SUPPORT') }));
    expect(features).toEqual(await rest.capabilities());
    const text = 'workers:\n  - id: a\n    comand: x\n';
    const { issues, ok } = await grpc.ask('hsu.v1.MasterService', 'Validate', { text, file: '/x/c.yaml' });
    const found = issues.map((one: Message) => {
      return { ...one, severity: word(one['severity'], 'SEVERITY'), hint: one['hint'] ?? null };
    });
    expect({ ok, issues: found, workers: [] }).toEqual(await rest.validate(text, '/x/c.yaml'));

    const config = await grpc.ask('hsu.v1.ConfigService', 'GetConfig');
    const specs = config['workers'].map(structOf);
    expect({
      ...config,
      source: word(config['source'], 'SOURCE'),
      acceptedAt: iso(config['acceptedAt']),
      workers: specs,
    }).toEqual(await rest.config());
    const graph = await grpc.ask('hsu.v1.WorkerService', 'GetGraph');
    const nodes = graph['workers'].map((one: Message) => {
      return { ...one, namespace: one['namespace'] ?? null, phase: word(one['phase'], 'PHASE') };
    });
    expect(nodes).toEqual(await rest.graph());
    const { revealed, argv, variables } = await grpc.ask('hsu.v1.WorkerService', 'GetEnvironment', {
      id: 'web',
    });
    const pairs = variables.map((one: Message) => [one['name'], one['value'] ?? null]);
    expect({ revealed, argv, variables: Object.fromEntries(pairs) }).toEqual(await rest.environment('web'));
    const { processes } = await grpc.ask('hsu.v1.WorkerService', 'ListProcesses', { select: ['db'] });
    const pids = processes.map((one: Message) => [one['worker'], one['process'].pid, one['argv']]);
    expect(pids).toEqual(
      (await rest.processes({ select: ['db'] })).map((one) => [one.worker, one.pid, one.argv]),
    );

    await rest.order('db', 'stop', '30s');
    const page = await rest.events({ since: 0 });
    const { events, ...rest_ } = await grpc.ask('hsu.v1.EventService', 'ListEvents', {});
    expect({ ...rest_, events: events.map(eventOf) }).toEqual(page);

    const { lines } = await grpc.ask('hsu.v1.LogService', 'TailLogs', { select: ['web'] });
    expect(lines.map(lineOf)).toEqual(await rest.logs({ select: ['web'] }));
    expect(lines.map((one: Message) => one['text']).toSorted()).toEqual(['one', 'two']);
    const query = { text: 'two' };
    const search = await grpc.ask('hsu.v1.LogService', 'SearchLogs', query);
    expect({ lines: search['lines'].map(lineOf), cursor: search['cursor'] ?? null }).toEqual(
      await rest.searchLogs(query),
    );

    const wait = { seconds: 30, nanos: 0 };
    const ticket = await grpc.ask('hsu.v1.OrderService', 'Start', { id: 'db', wait });
    expect(ticketOf(ticket)).toEqual(await rest.ticket(ticket['id']));
    expect(ticket).toMatchObject({ worker: 'db', state: 'TICKET_STATE_DONE' });

    const refused = async (asked: Promise<unknown>): Promise<unknown> => {
      const error = await asked.then(
        () => null,
        (caught: GrpcError | ApiError) => caught,
      );
      if (error instanceof ApiError) return [error.code, error.message];
      return error === null ? null : [error.metadata.get('hsu-code')[0], error.details];
    };
    const id = 'nobody-of-that-name';
    expect(await refused(grpc.ask('hsu.v1.WorkerService', 'GetWorker', { id }))).toEqual(
      await refused(rest.worker(id)),
    );
    const signal = { id: 'job', signal: 'SIGHUP' };
    expect(await refused(grpc.ask('hsu.v1.OrderService', 'Signal', signal))).toEqual(
      await refused(rest.signal('job', 'SIGHUP')),
    );
  });
});

describe('master.port', () => {
  it('runs a command in the place of a worker, with its environment and streams', async ({ stage }) => {
    await using opened = await open(stage);
    await settled(opened);
    const admin = opened.grpc({ token: await opened.token('ann') });
    const told = await admin.converse('hsu.v1.ExecService', 'Exec', [
      { start: { id: 'web', argv: ['sh', '-c', 'cat; echo "$MODE" >&2; exit 5'] } },
      { input: Buffer.from('one ') },
      { input: Buffer.from('two') },
    ]);
    const text = (stream: string): string =>
      Buffer.concat(told.flatMap((one) => one[stream] ?? [])).toString();
    expect([text('stdout'), text('stderr')]).toEqual(['one two', 'x\n']);
    expect(told.at(-1)).toEqual({ exit: { code: 5 } });
  });

  it('wants tokens, writes down who did what, and ends what a revoked one has open', async ({ stage }) => {
    await using opened = await open(stage);
    await settled(opened);
    const nobody = opened.grpc();
    expect(await nobody.ask('proto.CoreService', 'Ping')).toEqual({});
    await expect(nobody.ask('proto.MasterService', 'Status')).rejects.toMatchObject({ code: 16 });
    const reader = opened.grpc({ token: await opened.token('rob', 'reader') });
    expect(await reader.ask('proto.MasterService', 'Status')).toEqual({ status: 'hsu-master: OK' });
    await expect(reader.ask('hsu.v1.OrderService', 'Stop', { id: 'web' })).rejects.toMatchObject({ code: 7 });
    const admin = opened.grpc({ token: await opened.token('ann') });
    await admin.ask('hsu.v1.OrderService', 'Restart', { id: 'db' });
    const { entries } = await admin.ask('hsu.v1.MasterService', 'ListAudit');
    const told = entries.map(({ by, from, action, on, result }: Message) => [by, from, action, on, result]);
    expect(told).toContainEqual(['rob', 'grpc 127.0.0.1', 'workers:order', 'web', 'RESULT_REFUSED']);
    expect(told).toContainEqual(['ann', 'grpc 127.0.0.1', 'worker.restart', 'db', 'RESULT_DONE']);

    const ended = new Promise<GrpcError>((resolve) => {
      const call = reader.stream('hsu.v1.EventService', 'FollowEvents').on('error', resolve);
      call.on('data', ({ begun }) => {
        if (begun) void new TokenFile(opened.embedded.master.places.stateDirectory).revoke('rob', null);
      });
    });
    expect(await ended).toMatchObject({ code: 16 });
  });

  it('adds, describes otherwise and removes a worker, and tells those who watch', async ({ stage }) => {
    await using opened = await open(stage);
    await settled(opened);
    const admin = opened.grpc({ token: await opened.token('ann') });
    const told: string[] = [];
    const watching = admin.stream('hsu.v1.WorkerService', 'WatchWorkers');
    watching
      .on('error', () => {})
      .on('data', ({ changed, removed }) => {
        if (changed?.worker.id === 'new')
          told.push(`${changed.worker.id} ${word(changed.worker.phase, 'PHASE')}`);
        if (removed) told.push(`${removed.id} removed`);
      });
    const wait = { seconds: 60, nanos: 0 };
    const worker = (command: string): object => ({
      fields: { id: { stringValue: 'new' }, command: { stringValue: command } },
    });
    const made = await admin.ask('hsu.v1.ConfigService', 'CreateWorker', {
      worker: worker('sleep 1003'),
      wait,
    });
    expect(made).toMatchObject({ id: 'new', state: 'STATE_DONE', failures: [] });
    const question = { id: 'new', condition: 'CONDITION_RUNNING', timeout: wait };
    const { worker: first } = await admin.ask('hsu.v1.WorkerService', 'WaitFor', question);
    expect(first).toMatchObject({ phase: 'PHASE_RUNNING' });
    const basedOn = made['revision'];
    const other = { id: 'new', worker: worker('sleep 1004'), wait, basedOn };
    const changed = await admin.ask('hsu.v1.ConfigService', 'ReplaceWorker', other);
    expect(changed['plan'].workers).toMatchObject([{ id: 'new', kind: 'changed', action: 'restart' }]);
    await expect(admin.ask('hsu.v1.ConfigService', 'ReplaceWorker', other)).rejects.toMatchObject({
      code: 10,
    });
    await admin.ask('hsu.v1.ConfigService', 'RemoveWorker', { id: 'new', wait });
    const gone = admin.ask('hsu.v1.WorkerService', 'GetWorker', { id: 'new' });
    await expect(gone).rejects.toMatchObject({ code: 5 });
    await eventually(() => told.includes('new running') && told.at(-1) === 'new removed');
    watching.cancel();
  });

  it('speaks TLS where the API has a certificate', async ({ stage }) => {
    const [cert, key] = [stage.path('a.crt'), stage.path('a.key')];
    makeCertificate(cert, key);
    await using opened = await open(stage, { api: { tls: { cert, key } } });
    const token = await opened.token('ann');
    const address = opened.address.replace('127.0.0.1', 'localhost');
    const client = new GrpcClient(address, { token, ca: readFileSync(cert) });
    expect(await client.ask('proto.MasterService', 'Status')).toEqual({ status: 'hsu-master: OK' });
    client.close();
    await expect(opened.grpc({ token }).ask('proto.CoreService', 'Ping', {}, 2000)).rejects.toThrow();
  });

  it('that somebody has is named, with exit code 7; nothing was started', async ({ stage }) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { readonly port: number };
    stage.config({ master: { port }, workers: [{ id: 'web', command: 'sleep 1000' }] });
    const { code, stderr } = await command(stage, ['run', stage.path('config.yaml')]);
    server.close();
    expect(code).toBe(7);
    expect(stderr).toContain(`gRPC cannot listen at 127.0.0.1:${port}: pid ${process.pid} (`);
    expect(stderr).toContain('change master.port');
    expect(stage.leftOvers()).toEqual([]);
  });

  it('ends the master for who asks for that, and answers when nothing is alive', async ({ stage }) => {
    const run = stage.run({ master: { port: 0 }, workers: [{ id: 'web', command: 'sleep 1000' }] });
    await run.started('web');
    const rest = new Client({ socket: socketOf(stage) });
    const { events } = await rest.events({ since: 0, type: ['api.listening'] });
    rest.close();
    const said = await command(stage, [
      'token',
      'create',
      'ann',
      '--role',
      'admin',
      '-f',
      stage.path('config.yaml'),
    ]);
    const [token] = /hsu_[\w-]+/.exec(said.stdout) ?? [];
    const address = String(events[0]?.payload['address']).replace('grpc://', '');
    const client = new GrpcClient(address, { token: token ?? null });
    expect(await client.ask('hsu.v1.MasterService', 'Shutdown')).toEqual({ survivors: [], forced: false });
    client.close();
    expect((await run.end()).code).toBe(0);
    expect(stage.leftOvers()).toEqual([]);
  });
});
