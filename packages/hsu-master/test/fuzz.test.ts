import { readdirSync, readlinkSync } from 'node:fs';
import type { Client } from '@hsu-master/api/client';
import {
  type AttackedPlace,
  attack,
  type DescribedRoutes,
  GrpcAttacker,
  grpcCalls,
  type HttpAnswer,
  type HttpRequest,
  http2Garbage,
  httpGarbage,
  httpRequests,
  pour,
  sendHttp,
  spanOfAttack,
  upgradeHead,
  webSocketFrames,
} from '@hsu-master/testkit/fuzz';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, command, socketOf } from './background.ts';
import { eventually, type Launched, PATIENCE, Stage } from './drive.ts';
import { METHODS } from './grpc-client.ts';

/** Of the thirty seconds that all forms take together, those of the packages below among them. */
const SECONDS = { owner: 4, bearer: 4, strangers: 4, frames: 3, http2: 2, calls: 2 };
/** How long a refusal may take: a wrong token is answered after a while. */
const SLOWEST = 2000;

const STEADY = { id: 'steady', command: 'sleep 1000' };
const WEB = { id: 'web', shell: true, command: 'while :; do echo said; sleep 1; done' };

let stage: Stage;
let run: Launched;
let owner: Client;
let token: string;
let http: AttackedPlace;
let grpc: { readonly host: string; readonly port: number };
let descriptors: readonly string[];

beforeAll(async () => {
  stage = new Stage('fuzz');
  run = stage.run({
    master: { port: 0 },
    api: { listen: '127.0.0.1:0', rate_limit: 0 },
    workers: [STEADY, WEB],
  });
  await Promise.all([run.started('steady'), run.started('web')]);
  owner = clientOf(stage);
  const { events } = await owner.events({ type: ['api.listening'] });
  const [first, second] = events.map(({ payload }) => {
    const { hostname, port } = new URL(String(payload['address']));
    return { host: hostname, port: Number(port) };
  });
  if (first === undefined || second === undefined) throw new Error('it does not listen');
  [http, grpc] = [first, second];
  const config = stage.path('config.yaml');
  const asked = ['token', 'create', 'fuzz', '--role', 'admin', '--worker', 'web', '-f', config];
  token = (await command(stage, asked)).stdout.trim();
  // What answers is loaded with the first request, and what it opens stays open.
  const version = { method: 'GET', path: '/v1/version', headers: bearer(), body: '' };
  expect(await sendHttp(http, version)).toMatchObject({ status: 200 });
  await pour(grpc, '');
  descriptors = openFiles();
});

afterAll(async () => {
  owner.close();
  await stage.clear();
});

function bearer(): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

/** What the descriptors of the master stand for; one may be closed while they are read. */
function openFiles(): readonly string[] {
  const folder = `/proc/${run.pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)];
    } catch {
      return [];
    }
  });
}

/** What is opened once, when it is first needed: the audit, a thread. What leaked would be some of thousands. */
const LAZY = 10;

/** As many as there were, sooner or later; else what they are is told. */
async function expectNothingLeftOpen(): Promise<void> {
  await eventually(() => openFiles().length <= descriptors.length + LAZY).catch(() => {
    expect(openFiles().toSorted()).toEqual(descriptors.toSorted());
  });
}

/** The master lives, no defect was told, who was not meant runs on, and nothing was left open. */
async function standsAsBefore(): Promise<void> {
  expect((await owner.version()).pid).toBe(run.pid);
  const { events } = await owner.events({ type: ['supervisor.defect'] });
  expect(events).toEqual([]);
  expect(run.matching(/defect|internal error/)).toEqual([]);
  expect(await owner.worker('steady')).toMatchObject({ phase: 'running', run: 1 });
  // As the file says, whatever was made of it.
  for (const id of (await owner.config()).created) await owner.remove(id, { wait: '60s' });
  expect(await owner.reload({ wait: '60s' })).toMatchObject({ state: 'done' });
  await owner.order('web', 'stop', '60s');
  await owner.order('web', 'start', '60s');
  await expectNothingLeftOpen();
}

/** Errors are problems, and none is the master’s. */
function expectNoDefect({ method }: HttpRequest, answer: HttpAnswer | null): void {
  if (answer === null || answer.status < 400 || method === 'HEAD') return;
  expect([501, 503].includes(answer.status) || answer.status < 500, JSON.stringify(answer)).toBe(true);
  expect(JSON.parse(answer.text)).toMatchObject({
    code: expect.stringMatching(/^E_/),
    status: answer.status,
  });
}

/** What would end the master, or workers that are asked of further, is attacked in the tests of the API alone. */
function isHarmless(method: string, route: string): boolean {
  return route !== '/v1/stream' && method !== 'DELETE';
}

const form = (name: string, seconds: number, attacked: () => Promise<number>): void =>
  it(name, { timeout: spanOfAttack(seconds) + 3 * PATIENCE }, async () => {
    expect(await attacked()).toBeGreaterThan(5);
    await standsAsBefore();
  });

describe('fuzz: a master and its workers live on, without a defect, whatever comes', () => {
  form('requests of its owner, over the socket', SECONDS.owner, async () => {
    const document = (await owner.openApi()) as DescribedRoutes;
    const harmless = (method: string, route: string): boolean =>
      isHarmless(method, route) && !['/v1/shutdown', '/v1/config/apply'].includes(route);
    return attack('owner', SECONDS.owner, httpRequests(document, harmless), async (asked) => {
      expectNoDefect(asked, await sendHttp({ path: socketOf(stage) }, asked));
    });
  });

  form('requests with a token, over the network', SECONDS.bearer, async () => {
    const document = (await owner.openApi()) as DescribedRoutes;
    const requests = httpRequests(document, isHarmless);
    return attack('bearer', SECONDS.bearer, requests, async (asked) => {
      const request = { ...asked, headers: { ...bearer(), ...asked.headers } };
      expectNoDefect(request, await sendHttp(http, request));
    });
  });

  form('bytes of strangers, who are answered by nothing but refusals', SECONDS.strangers, () => {
    const crowd = fc.array(httpGarbage, { minLength: 16, maxLength: 32 });
    return attack('strangers', SECONDS.strangers, crowd, async (all) => {
      const [over] = await Promise.all([
        Promise.all(all.map((bytes) => pour(http, bytes, SLOWEST))),
        ...all.slice(0, 4).map((bytes) => pour({ path: socketOf(stage) }, bytes)),
      ]);
      for (const said of over) {
        expect(said.split('\r\n')[0]).toMatch(/^$|^HTTP\/1\.1 (?:4\d\d|100|501|505) ?/);
        expect(said).not.toMatch(/HTTP\/1\.1 [25]\d\d/);
      }
    });
  });

  form('frames of a WebSocket', SECONDS.frames, () => {
    const head = upgradeHead({ 'sec-websocket-protocol': `hsu.v1, bearer.${token}` });
    return attack('WebSocket', SECONDS.frames, webSocketFrames, async (frames) => {
      const said = await Promise.all([
        pour(http, Buffer.concat([Buffer.from(head), frames])),
        pour({ path: socketOf(stage) }, Buffer.concat([Buffer.from(upgradeHead()), frames])),
      ]);
      for (const text of said) expect(text).not.toContain('E_INTERNAL');
    });
  });

  form('bytes where it speaks gRPC', SECONDS.http2, () =>
    attack('gRPC bytes', SECONDS.http2, http2Garbage, async (bytes) => void (await pour(grpc, bytes))),
  );

  form('calls of gRPC', SECONDS.calls, async () => {
    const attacker = new GrpcAttacker(`${grpc.host}:${grpc.port}`);
    try {
      return await attack('gRPC calls', SECONDS.calls, grpcCalls(METHODS, [token, 'wrong']), async (call) => {
        expect(await attacker.send(call)).not.toBe('E_INTERNAL');
      });
    } finally {
      attacker.close();
    }
  });
});
