import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { connect as secureConnect } from 'node:tls';
import { Client } from '@hsu-master/api/client';
import { type Control, noAudit, type TokenWish } from '@hsu-master/core';
import { describe, expect, vi } from 'vitest';
import { auditPathOf } from '../src/access/audit-file.ts';
import { openListener } from '../src/access/listener.ts';
import { TokenFile } from '../src/access/token-file.ts';
import { type Door, openDoor } from '../src/door.ts';
import { clientOf, command, socketOf } from './background.ts';
import { makeCertificate } from './certificate.ts';
import { eventually, factor, it, PATIENCE, type Stage } from './drive.ts';
import { type Embedded, embed } from './embedded.ts';

const SLEEPER = {
  id: 'web',
  namespace: 'shop',
  command: ['sleep', '1000'],
  env: { DB_PASSWORD: 'hunter2', MODE: 'hunter3' },
};
const OTHER = { id: 'db', command: ['sleep', '1001'] };
const SECRET = /hunter\d/;

/** A master in this process whose API is open at a free port. */
interface Open extends AsyncDisposable {
  readonly embedded: Embedded;
  readonly door: Door;
  readonly port: number;
  readonly origin: string;
  /** Text of a new token. */
  token(wish?: Partial<TokenWish>): Promise<string>;
  audit(): readonly Record<string, string>[];
}

async function open(
  stage: Stage,
  api: object = {},
  workers: readonly object[] = [SLEEPER, OTHER],
): Promise<Open> {
  const config = { api: { listen: '127.0.0.1:0', ...api }, workers };
  const embedded = embed(stage, [], { config });
  const door = openDoor(embedded.master);
  await door.open();
  const { payload } = await embedded.event('api.listening', null);
  const { stateDirectory } = embedded.master.places;
  const tokens = new TokenFile(stateDirectory);
  let made = 0;
  return {
    embedded,
    door,
    origin: payload.address,
    port: Number(new URL(payload.address).port),
    async token(wish = {}) {
      made += 1;
      const grant = { role: 'admin', plus: [], minus: [], workers: [], namespaces: [] } as const;
      const { text } = await tokens.create(
        { name: `t${made}`, ...grant, expires: null, ...wish },
        Date.now(),
        null,
      );
      return text;
    },
    audit: () =>
      readFileSync(auditPathOf(stateDirectory), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, string>),
    async [Symbol.asyncDispose]() {
      await door.close(null);
      await embedded[Symbol.asyncDispose]();
    },
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly token?: string;
  readonly body?: string;
}

function ask(
  port: number,
  { method = 'GET', path = '/v1/version', headers = {}, token, body }: Asked,
): Promise<Answer> {
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, headers: { ...bearer, ...headers }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Everything that comes until the other side closes. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('utf8').on('error', () => {});
  let said = '';
  socket.on('data', (chunk: string) => {
    said += chunk;
  });
  socket.write(text);
  // Not by `once`: who is refused while he still sends hears a reset after the answer.
  await new Promise((resolve) => socket.once('close', resolve));
  return said;
}

function upgrade(port: number, headers: Record<string, string>): Promise<string> {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return raw(
    port,
    `GET /v1/stream HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n${lines.join('\r\n')}\r\n\r\n`,
  );
}

function unreachable(): never {
  throw new Error('nobody comes that far');
}

/** A WebSocket as a page opens one: the token can stand nowhere but in a protocol. */
function webSocket(
  port: number,
  token: string,
): { readonly socket: WebSocket; message(kind: string): Promise<unknown> } {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/stream`, ['hsu.v1', `bearer.${token}`]);
  const messages: { readonly kind?: string }[] = [];
  socket.addEventListener('message', ({ data }) => messages.push(JSON.parse(String(data)) as object));
  return {
    socket,
    async message(kind) {
      await eventually(() => messages.some((message) => message.kind === kind));
      return messages.find((message) => message.kind === kind);
    },
  };
}

describe('who asks over the network', () => {
  it('shows a token, and is told 401 otherwise; every route is closed to him', async ({ stage }) => {
    await using master = await open(stage);
    const { port } = master;
    for (const path of ['/v1/version', '/v1/openapi.json', '/v1/nowhere', '/']) {
      const { status, text, headers } = await ask(port, { path });
      expect({ path, status }).toEqual({ path, status: 401 });
      expect(headers['www-authenticate']).toContain('Bearer');
      expect(JSON.parse(text)).toMatchObject({ code: 'E_UNAUTHENTICATED', next: expect.any(String) });
    }
    const token = await master.token();
    expect((await ask(port, { token })).status).toBe(200);
    expect((await ask(port, { path: `/v1/version?token=${token}` })).status).toBe(401);
  });

  it('J5: is locked out after wrong tokens, which is written down; the owner is not, and nothing of a token is anywhere', async ({
    stage,
  }) => {
    await using master = await open(stage);
    const token = await master.token();
    const wrong = `hsu_${'x'.repeat(43)}`;
    const begun = performance.now();
    for (let turn = 0; turn < 5; turn += 1)
      expect((await ask(master.port, { token: wrong })).status).toBe(401);
    // Each is told only after a while.
    expect(performance.now() - begun).toBeGreaterThan(1000);
    const { status, headers } = await ask(master.port, { token });
    expect(status).toBe(429);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    const { payload } = await master.embedded.event('api.locked-out', null);
    expect(payload.from).toBe('tcp 127.0.0.1');
    const owner = new Client({ socket: stage.path('state', 'run', 'control.sock') });
    expect((await owner.version()).pid).toBe(process.pid);
    const audit = await owner.audit({ action: 'login' });
    owner.close();
    expect(audit).toHaveLength(5);
    expect(audit[0]).toMatchObject({ from: 'tcp 127.0.0.1', result: 'refused', by: 'unknown' });
    const said = JSON.stringify([master.embedded.events, master.audit()]);
    expect(said).toContain('lock-out');
    expect(said).not.toContain('hsu_');
    expect(said).not.toContain(token.slice(4, 20));
  });

  it('J10: a reader that orders gets 403, and the audit says so; an operator of other workers, too', async ({
    stage,
  }) => {
    await using master = await open(stage);
    await master.embedded.master.start();
    const reader = await master.token({ name: 'ann', role: 'reader', minus: ['logs:read'] });
    const scoped = await master.token({ name: 'bob', role: 'operator', workers: ['db'] });
    const { port } = master;
    const stop = { method: 'POST', path: '/v1/workers/web/stop' };
    const refused = await ask(port, { ...stop, token: reader });
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.text)).toMatchObject({
      code: 'E_FORBIDDEN',
      detail: expect.stringContaining('workers:order'),
    });
    expect((await ask(port, { ...stop, token: scoped })).status).toBe(403);
    expect(
      (
        await ask(port, {
          method: 'POST',
          path: '/v1/shutdown',
          token: scoped,
          headers: { 'content-type': 'application/json' },
          body: '{}',
        })
      ).status,
    ).toBe(403);
    expect((await ask(port, { path: '/v1/logs?select=web', token: reader })).status).toBe(403);
    expect((await ask(port, { path: '/v1/audit', token: reader })).status).toBe(403);
    const json = { 'content-type': 'application/json' };
    // Before anything is said of the body.
    for (const body of ['{"argv":["true"]}', '{"argv":5}', '{'])
      expect(
        (
          await ask(port, {
            method: 'POST',
            path: '/v1/workers/db/exec',
            headers: json,
            body,
            token: scoped,
          })
        ).status,
      ).toBe(403);
    expect(JSON.parse((await ask(port, { path: '/v1/workers', token: scoped })).text)).toMatchObject({
      workers: [{ id: 'db' }],
    });
    expect(
      (await ask(port, { method: 'POST', path: '/v1/workers/db/stop?wait=20s', token: scoped })).status,
    ).toBe(200);
    expect(master.embedded.master.worker('web').desired).toBe('up');
    const mistaken = await ask(port, { path: '/v1/workers?select=wep', token: scoped });
    expect(JSON.parse(mistaken.text)).toMatchObject({ status: 404, detail: 'there is no worker "wep"' });
    await eventually(() => master.audit().length >= 9);
    expect(
      master.audit().map(({ by, from, action, on, result }) => `${by} ${from} ${action} ${on} ${result}`),
    ).toEqual([
      'ann tcp 127.0.0.1 workers:order web refused',
      'bob tcp 127.0.0.1 workers:order web refused',
      'bob tcp 127.0.0.1 master:shutdown master refused',
      'ann tcp 127.0.0.1 logs:read web refused',
      'ann tcp 127.0.0.1 audit:read master refused',
      ...Array<string>(3).fill('bob tcp 127.0.0.1 workers:exec db refused'),
      'bob tcp 127.0.0.1 worker.stop db done',
    ]);
  });

  it('makes, sees and revokes tokens with the right to, none that allow more than his own; what was made is told once', async ({
    stage,
  }) => {
    await using master = await open(stage);
    const { origin, port } = master;
    const admin = new Client({ origin, token: await master.token({ name: 'eve', minus: ['workers:exec'] }) });
    const made = await admin.createToken({
      name: 'bob',
      role: 'operator',
      workers: ['web'],
      expires: '1h',
    });
    expect(made.token).toMatch(/^hsu_[\w-]{43}$/);
    expect((await ask(port, { path: '/v1/workers', token: made.token })).status).toBe(200);
    const wishes: Parameters<Client['createToken']>[0][] = [
      { name: 'more', role: 'admin' },
      { name: 'more', role: 'reader', plus: ['workers:exec'] },
      { name: 'more', role: 'reader', plus: ['workers:reveal'], workers: ['web'] },
    ];
    for (const wish of wishes)
      await expect(admin.createToken(wish)).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
    await expect(admin.createToken({ name: 'bob', role: 'reader' })).rejects.toMatchObject({ status: 400 });
    const scoped = await master.token({ name: 'sam', role: 'admin', workers: ['web'] });
    expect((await ask(port, { path: '/v1/tokens', token: scoped })).status).toBe(403);
    const seen = await admin.accessTokens();
    expect(seen.map(({ name, role }) => `${name} ${role}`)).toEqual([
      'eve admin',
      'bob operator',
      'sam admin',
    ]);
    expect(seen[1]?.expiresAt).not.toBeNull();
    await admin.revokeToken('bob');
    expect((await ask(port, { path: '/v1/workers', token: made.token })).status).toBe(401);
    await expect(admin.revokeToken('bob')).rejects.toMatchObject({ status: 400 });
    await eventually(() => master.audit().some(({ action }) => action === 'token.revoke'));
    const audit = master.audit().map(({ by, action, on, result }) => `${by} ${action} ${on} ${result}`);
    expect(audit).toContain('eve token.create bob done');
    expect(audit).toContain('eve workers:exec master refused');
    expect(audit).toContain('eve token.revoke bob done');
    const kept = readFileSync(new TokenFile(master.embedded.master.places.stateDirectory).path, 'utf8');
    expect(JSON.stringify([seen, audit, kept, master.embedded.events])).not.toContain(
      made.token.slice(4, 20),
    );
    admin.close();
  });

  it('a token that is revoked is refused at once, and streams that it had end', async ({ stage }) => {
    await using master = await open(stage);
    const token = await master.token({ name: 'ann' });
    const client = new Client({ origin: master.origin, token });
    const events = client.followEvents({ since: 0 });
    expect((await events.next()).done).toBe(false);
    const { socket, message } = webSocket(master.port, token);
    await once(socket, 'open');
    expect(socket.protocol).toBe('hsu.v1');
    socket.send(JSON.stringify({ op: 'states', name: 's' }));
    await message('states');
    const closed = once(socket, 'close');
    const ended = (async () => {
      try {
        for await (const _ of events);
        return 'ended';
      } catch (error) {
        return (error as { code?: string }).code;
      }
    })();
    await new TokenFile(master.embedded.master.places.stateDirectory).revoke('ann', null);
    await closed;
    expect(await ended).toBe('E_NO_MASTER');
    expect((await ask(master.port, { token })).status).toBe(401);
    client.close();
  });

  it('a rate that is exceeded is answered 429, messages of a WebSocket too', async ({ stage }) => {
    await using master = await open(stage, { rate_limit: 1 });
    const token = await master.token();
    const { socket, message } = webSocket(master.port, token);
    await once(socket, 'open');
    for (let turn = 0; turn < 20; turn += 1) socket.send(JSON.stringify({ op: 'end', name: 'x' }));
    expect(await message('error')).toMatchObject({ code: 'E_TOO_MANY' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(master.port, { token })));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers['retry-after']).toBe('1');
    socket.close();
  });
});

describe('what is asked over the network', () => {
  it('J3: a wrong host, a foreign origin and a WebSocket of another site are refused before any route, 403', async ({
    stage,
  }) => {
    await using master = await open(stage, {
      allowed_origins: ['https://ops.example.com'],
      allowed_hosts: ['ops.internal'],
    });
    const { port } = master;
    const token = await master.token();
    const status = async (headers: Record<string, string>, more: Asked = {}) =>
      (await ask(port, { token, headers, ...more })).status;
    expect(await status({ host: 'evil.com' })).toBe(403);
    expect(await status({ host: `evil.com:${port}` }, { path: '/v1/nowhere' })).toBe(403);
    expect(await status({ host: 'ops.internal' })).toBe(200);
    expect(await status({ origin: 'http://evil.com' })).toBe(403);
    expect(await status({ origin: 'null' })).toBe(403);
    expect(await status({ origin: `http://127.0.0.1:${port}` })).toBe(200);
    expect(await raw(port, 'GET /v1/version HTTP/1.0\r\n\r\n')).toContain('HTTP/1.1 403');
    const allowed = await ask(port, { token, headers: { origin: 'https://ops.example.com' } });
    expect(allowed.headers['access-control-allow-origin']).toBe('https://ops.example.com');
    const preflight = await ask(port, { method: 'OPTIONS', headers: { origin: 'https://ops.example.com' } });
    expect(preflight.status).toBe(204);
    const bearer = { authorization: `Bearer ${token}` };
    expect(await upgrade(port, { ...bearer, origin: 'http://evil.com' })).toMatch(/^HTTP\/1.1 403 /);
    expect(await upgrade(port, { ...bearer, host: 'evil.com' })).toMatch(/^HTTP\/1.1 403 /);
    expect(await upgrade(port, {})).toMatch(/^HTTP\/1.1 401 /);
    await eventually(() => master.audit().filter(({ action }) => action === 'request').length === 7);
  });

  it('J4: bodies that a page may send without asking are not taken, 415', async ({ stage }) => {
    await using master = await open(stage);
    const token = await master.token();
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const { status, text } = await ask(master.port, {
        method: 'POST',
        path: '/v1/shutdown',
        token,
        headers: { 'content-type': type },
        body: '{"reason":"x"}',
      });
      expect({ type, status, code: (JSON.parse(text) as { code: string }).code }).toEqual({
        type,
        status: 415,
        code: 'E_MEDIA_TYPE',
      });
    }
    expect(master.embedded.of('supervisor.stopping')).toEqual([]);
  });

  it('J9: paths out of the tree, huge bodies, headers and addresses are refused, and the master goes on', async ({
    stage,
  }) => {
    await using master = await open(stage);
    const { port } = master;
    const token = await master.token();
    const bearer = `authorization: Bearer ${token}\r\nhost: 127.0.0.1\r\n`;
    const first = async (text: string) => (await raw(port, text)).split('\r\n')[0];
    for (const path of ['/v1/workers/..%2f..%2fetc', '/v1/workers/%2e%2e', '/v1/workers/a%00b'])
      expect({ path, status: (await ask(port, { path, token })).status }).toEqual({ path, status: 400 });
    expect((await ask(port, { path: '/v1/workers/../../etc/passwd', token })).status).toBe(404);
    expect(
      await first(
        `POST /v1/config/validate HTTP/1.1\r\n${bearer}content-type: application/json\r\ncontent-length: 1073741824\r\nconnection: close\r\n\r\n{`,
      ),
    ).toContain('413');
    // Hardly more than is taken: who could not send all that he has hears of that instead of the answer.
    const chunks = [1024 * 1024, 1024 * 1024, 1].map(
      (size) => `${size.toString(16)}\r\n${' '.repeat(size)}\r\n`,
    );
    expect(
      await first(
        `POST /v1/config/validate HTTP/1.1\r\n${bearer}content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n${chunks.join('')}`,
      ),
    ).toContain('413');
    expect(await first(`GET /v1/version HTTP/1.1\r\n${bearer}x: ${'y'.repeat(40_000)}\r\n\r\n`)).toContain(
      '431',
    );
    expect(await first(`GET /v1/${'y'.repeat(40_000)} HTTP/1.1\r\n${bearer}\r\n`)).toContain('431');
    expect(await first('GARBAGE\r\n\r\n')).toContain('400');
    // Without a token no body is read at all.
    expect(
      await first(
        `POST /v1/config/validate HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1073741824\r\n\r\n${' '.repeat(100_000)}`,
      ),
    ).toContain('401');
    expect((await ask(port, { token })).status).toBe(200);
    expect(master.embedded.of('supervisor.defect')).toEqual([]);
  });

  it('J9: who sends nothing, or his headers too slowly, is let go', async ({ stage }) => {
    const listener = await openListener({
      control: {} as Control,
      config: {
        listen: { host: '127.0.0.1', port: 0 },
        tls: null,
        allowedHosts: [],
        allowedOrigins: [],
        rateLimit: 0,
      },
      gate: { admit: unreachable, authorize: unreachable, watch: unreachable },
      audit: noAudit,
      // Longer than a busy machine leaves a connection that was just made alone.
      headersTimeout: 500 * factor,
      defect: unreachable,
      tell: () => {},
    });
    const port = Number(new URL(listener.origin).port);
    const slow = raw(port, 'GET /v1/version HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ');
    const silent = raw(port, '');
    expect(await slow).toContain('408');
    expect(await silent).toMatch(/^$|408/);
    await listener.close();
    expect(stage.leftOvers()).toEqual([]);
  });

  it(
    'J9: however many connections come, the owner and the workers notice nothing',
    async ({ stage }) => {
      await using master = await open(stage);
      await master.embedded.master.start();
      const { process: web } = (await master.embedded.event('worker.started', 'web')).payload;
      const sockets: Socket[] = [];
      let gone = 0;
      // Fewer at once than the system lets wait, so that it is the master that decides.
      for (let turn = 0; turn < 20; turn += 1) {
        const batch = Array.from({ length: 100 }, () => connect(master.port, '127.0.0.1'));
        for (const socket of batch) {
          socket.on('error', () => {});
          socket.resume().once('close', () => {
            gone += 1;
          });
        }
        // One that is refused may hear of its end before it hears that it was connected.
        const settled = (socket: Socket): Promise<unknown> =>
          new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
        await Promise.all(batch.map(settled));
        sockets.push(...batch);
      }
      await eventually(() => gone >= 2000 - 1024);
      const owner = new Client({ socket: stage.path('state', 'run', 'control.sock') });
      expect((await owner.workers()).workers).toHaveLength(2);
      process.kill(web.pid, 'SIGKILL');
      await master.embedded.event('worker.exited', 'web');
      owner.close();
      for (const socket of sockets) socket.destroy();
      const token = await master.token();
      await eventually(() => gone === 2000);
      // The master hears of each end by and by.
      const answered = async () => expect((await ask(master.port, { token })).status).toBe(200);
      await vi.waitFor(answered, { timeout: PATIENCE, interval: 50 });
    },
    4 * PATIENCE,
  );

  it('J8: secrets are in no answer, event or entry of the audit; who reveals them needs the right, and it is written down', async ({
    stage,
  }) => {
    const worker = {
      ...SLEEPER,
      command: ['sh', '-c', 'sleep 1000', 'x', '--password', 'hunter4', 'postgres://a:hunter5@db/x'],
      ready: { exec: ['sh', '-c', 'true', 'x', '--token=hunter6'] },
    };
    await using master = await open(stage, {}, [worker]);
    await master.embedded.master.start();
    await master.embedded.event('worker.started', 'web');
    const admin = await master.token();
    const revealing = await master.token({ name: 'eve', plus: ['workers:reveal'] });
    const { port } = master;
    const seen: string[] = [];
    for (const path of [
      '/v1/version',
      '/v1/workers',
      '/v1/workers/web',
      '/v1/workers/web/environment',
      '/v1/workers/web/why',
      '/v1/workers/web/limits',
      '/v1/processes',
      '/v1/events',
      '/v1/capabilities',
      '/v1/config',
      '/v1/audit',
    ]) {
      const { status, text } = await ask(port, { path, token: admin });
      expect({ path, status }).toEqual({ path, status: 200 });
      seen.push(text);
    }
    const plan = await ask(port, {
      method: 'POST',
      path: '/v1/config/plan',
      token: admin,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        text: JSON.stringify({ workers: [{ ...worker, env: { DB_PASSWORD: 'hunter7', MODE: 'hunter8' } }] }),
      }),
    });
    expect(plan.text).toContain('***');
    seen.push(plan.text);
    expect(seen.join('\n')).not.toMatch(SECRET);
    const reveal = '/v1/workers/web/environment?reveal=true';
    expect((await ask(port, { path: reveal, token: admin })).status).toBe(403);
    const { text, headers } = await ask(port, { path: reveal, token: revealing });
    expect(headers['cache-control']).toBe('no-store');
    expect(JSON.parse(text)).toMatchObject({
      revealed: true,
      variables: { DB_PASSWORD: 'hunter2', MODE: 'hunter3' },
    });
    await eventually(() => master.audit().some(({ action }) => action === 'worker.reveal'));
    expect(master.audit().at(-1)).toMatchObject({ by: 'eve', on: 'web', result: 'done' });
    expect(JSON.stringify([master.embedded.events, master.audit()])).not.toMatch(SECRET);
  });
});

describe('TLS', () => {
  it('speaks TLS 1.2 and newer, and a new certificate without a restart; a broken one is told and the old one kept', async ({
    stage,
  }) => {
    const [cert, key] = [stage.path('api.crt'), stage.path('api.key')];
    makeCertificate(cert, key);
    await using master = await open(stage, { tls: { cert, key } });
    const { port, origin } = master;
    expect(origin).toMatch(/^https:/);
    const token = await master.token();
    const client = new Client({ origin, token, ca: readFileSync(cert, 'utf8') });
    expect((await client.version()).pid).toBe(process.pid);
    const following = client.followEvents({ since: 0 });
    expect((await following.next()).value).toBeDefined();
    await following.return();
    client.close();
    const doubter = new Client({ origin, token });
    await expect(doubter.version()).rejects.toMatchObject({ code: 'E_UNAUTHENTICATED' });
    doubter.close();
    expect(await raw(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')).not.toContain('200');
    await expect(
      handshake(port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow();
    const before = await handshake(port);
    stage.write('api.key', 'broken', 0o600);
    await master.embedded.event('api.certificate-refused', null);
    expect(await handshake(port)).toBe(before);
    makeCertificate(cert, key);
    await master.embedded.event('api.certificate-loaded', null);
    expect(await handshake(port)).not.toBe(before);
  });

  it('asks for a certificate of the client besides the token where its authority is configured', async ({
    stage,
  }) => {
    const file = (name: string) => stage.path(name);
    makeCertificate(file('api.crt'), file('api.key'));
    makeCertificate(file('me.crt'), file('me.key'), 'me');
    await using master = await open(stage, {
      tls: { cert: file('api.crt'), key: file('api.key'), client_ca: file('me.crt') },
    });
    const token = await master.token();
    const status = (own: object) =>
      new Promise<number>((resolve, reject) => {
        const ca = readFileSync(file('api.crt'));
        const headers = { authorization: `Bearer ${token}` };
        const sent = secureRequest(
          { host: '127.0.0.1', port: master.port, path: '/v1/version', headers, ca, agent: false, ...own },
          (response) => resolve(response.resume().statusCode ?? 0),
        );
        sent.on('error', reject).end();
      });
    await expect(status({})).rejects.toThrow();
    expect(await status({ cert: readFileSync(file('me.crt')), key: readFileSync(file('me.key')) })).toBe(200);
  });
});

/** The fingerprint of the certificate that is shown there. */
function handshake(port: number, options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = secureConnect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('the command', () => {
  const document = (port: number) => ({
    api: { listen: `127.0.0.1:${port}` },
    workers: [{ id: 'web', command: 'sleep 1000' }],
  });

  it('J2: where the address of the API is taken nothing is started, exit 7, and who has it is named', async ({
    stage,
  }) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      const run = stage.run(document(port));
      expect((await run.end()).code).toBe(7);
      expect(run.stderr).toContain(`cannot listen at 127.0.0.1:${port}: pid ${process.pid} (`);
      expect(run.matching(/started/)).toEqual([]);
      expect(() => readFileSync(socketOf(stage))).toThrow('ENOENT');
      const up = await command(stage, ['up', '-f', stage.path('config.yaml')]);
      expect(up.code).toBe(7);
      expect(up.stderr).toContain(`pid ${process.pid}`);
    } finally {
      other.close();
    }
  });

  it('J8: describe --reveal shows its owner what is masked otherwise', async ({ stage }) => {
    const run = stage.run([
      { ...SLEEPER, command: ['sh', '-c', 'sleep 1000', 'x', '--password', 'hunter4'] },
    ]);
    await run.started('web');
    const masked = await command(stage, ['describe', 'web']);
    expect(masked.stdout).toContain('***');
    expect(masked.stdout).not.toMatch(SECRET);
    const revealed = await command(stage, ['describe', 'web', '--reveal']);
    expect(revealed.stdout).toContain('DB_PASSWORD=hunter2');
    expect(revealed.stdout).toContain('hunter4');
    expect((await clientOf(stage).audit({ action: 'worker.reveal' }))[0]).toMatchObject({
      from: 'unix',
      on: 'web',
    });
  });
});
