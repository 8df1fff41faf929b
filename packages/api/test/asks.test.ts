import { type Deed, forbidden, noAudit } from '@hsu-master/core';
import { type HttpRequest, sendHttp } from '@hsu-master/testkit/fuzz';
import { describe, expect } from 'vitest';
import { openApiDocument } from '../src/index.ts';
import { FakeMaster, it, serve } from './rig.ts';

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly 'x-right'?: string }>>>>;
}

/** Bodies that are none, or not what any route takes. */
const BODIES = [
  { type: 'application/json', body: '{' },
  { type: 'application/json', body: '{"argv":5,"signal":5,"text":5,"id":5,"data":5,"reason":5,"name":5}' },
  { type: 'text/plain', body: 'x' },
];

async function routes(): Promise<readonly { method: string; path: string; right: string | null }[]> {
  const { paths } = (await openApiDocument()) as Document;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { 'x-right': right = null }]) => ({
      method: method.toUpperCase(),
      path: path.replace('{id}', path.includes('tickets') ? 'x-1' : 'web').replace('{session}', 'session-1'),
      right,
    })),
  );
}

describe('J10: the right that a route asks for', () => {
  it('is asked for before its body is looked at, and the refusal is written down', async () => {
    const deeds: Deed[] = [];
    const audit = { ...noAudit, record: (deed: Deed) => deeds.push(deed) };
    await using served = await serve(new FakeMaster(), { authorize: forbidden, audit });
    const place = { path: served.socket };
    const all = await routes();
    expect(all.filter(({ right }) => right !== null).length).toBeGreaterThan(25);
    for (const { method, path, right } of all) {
      for (const { type, body } of method === 'GET' ? [{ type: '', body: '' }] : BODIES) {
        deeds.length = 0;
        const asked: HttpRequest = {
          method,
          path,
          headers: type === '' ? {} : { 'content-type': type },
          body,
        };
        if (right === null) continue;
        const answer = await sendHttp(place, asked);
        if (right.startsWith('each ')) {
          // Either nothing of the list is told, or somebody was asked for by name.
          if (answer?.status === 200) expect(answer.text).toMatch(/\[\]/);
          else expect([path, answer?.status]).toEqual([path, 403]);
          continue;
        }
        expect([method, path, body, answer?.status]).toEqual([method, path, body, 403]);
        expect(deeds).toMatchObject([{ action: right, result: 'refused', why: 'E_FORBIDDEN' }]);
      }
    }
    expect(served.master.asked).toEqual([]);
  });

  it('is asked for again when the body has come: what the address names may be another’s by then', async () => {
    const master = new FakeMaster();
    let asked = 0;
    const authorize: typeof forbidden = (identity, right, resource) => {
      asked += 1;
      return asked === 1 ? (null as never) : forbidden(identity, right, resource);
    };
    await using served = await serve(master, { authorize });
    const headers = { 'content-type': 'application/json' };
    const exec = { method: 'POST', path: '/v1/workers/web/exec', headers, body: '{"argv":["true"]}' };
    expect((await sendHttp({ path: served.socket }, exec))?.status).toBe(403);
    expect(asked).toBe(2);
  });

  it('of a worker that is not there is asked for over any: who has it over none does not hear that', async () => {
    const master = new FakeMaster();
    const authorize: typeof forbidden = (identity, right, resource) =>
      right === 'workers:order' ? forbidden(identity, right, resource) : (null as never);
    await using served = await serve(master, { authorize });
    const ask = async (method: string, path: string) =>
      (await sendHttp({ path: served.socket }, { method, path, headers: {}, body: '' }))?.status;
    expect(await ask('POST', '/v1/workers/nobody/stop')).toBe(403);
    expect(await ask('GET', '/v1/workers/nobody')).toBe(404);
  });
});
