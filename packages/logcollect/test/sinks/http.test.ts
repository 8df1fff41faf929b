import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseRetryAfter } from '../../src/sinks/http.ts';
import { Authority } from '../support/authority.ts';
import { FakeService } from '../support/fake-service.ts';
import { folder } from '../support/place.ts';
import { record, records } from '../support/records.ts';
import { offer, sinkOf } from '../support/sinks.ts';

const CLOSE = 60_000;

test('a webhook gets arrays of objects, zipped, over one connection that is kept', async () => {
  const service = await new FakeService().start();
  const { queue } = sinkOf({
    type: 'webhook',
    endpoint: `${service.origin.replace('//', '//me:p%40ss@')}/in/T0KEN/?key=v`,
    config: { batch_lines: 30, headers: { 'X-Api-Key': 'abcdefgh' } },
  });
  offer(queue, records(90));
  await queue.close(CLOSE);
  expect(service.heard).toHaveLength(3);
  const [heard] = service.heard;
  expect(heard?.path).toBe('/in/T0KEN/?key=v');
  expect(heard?.headers).toMatchObject({
    'content-encoding': 'gzip',
    'content-type': 'application/json',
    'x-api-key': 'abcdefgh',
    authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
  });
  expect((JSON.parse(heard?.body ?? '') as unknown[])[0]).toEqual({
    time: '2026-11-21T12:00:00.250Z',
    worker: 'web',
    run: 1,
    stream: 'stdout',
    seq: 1,
    message: 'line 1',
    host: 'box',
  });
  expect(service.sockets.size).toBeLessThanOrEqual(1);
});

test('a kept connection that the server has closed costs no failure', async () => {
  const service = await new FakeService().start();
  const { queue, news } = sinkOf({ type: 'webhook', endpoint: service.origin });
  for (let round = 1; round <= 3; round += 1) {
    offer(queue, records(2));
    await expect.poll(() => queue.counters().delivered).toBe(round * 2);
    for (const socket of service.sockets) socket.destroy();
  }
  await queue.close(CLOSE);
  expect(news).toEqual([]);
});

test('a redirect is not followed, and its address is not told', async () => {
  const service = await new FakeService().start();
  service.script({ status: 302, headers: { location: 'http://127.0.0.1:1/s3cret' } });
  const { queue, news } = sinkOf({ type: 'webhook', endpoint: `${service.origin}/s3cret` });
  offer(queue, records(1));
  await expect.poll(() => news.length).toBe(1);
  expect(service.heard).toHaveLength(1);
  await queue.close(0);
  expect(news[0]).toMatchObject({
    reason: `HTTP 302 from ${service.origin}, a redirect, which is not followed`,
  });
  expect(JSON.stringify(news)).not.toContain('s3cret');
});

test('an endless answer is read so far and no further', async () => {
  const service = await new FakeService().start();
  service.script({ status: 200, body: 'x'.repeat(20 * 1024 * 1024) });
  const { queue } = sinkOf({ type: 'webhook', endpoint: service.origin });
  offer(queue, records(1));
  await queue.close(CLOSE);
  expect(queue.counters()).toMatchObject({ delivered: 1 });
});

test('closing does not wait for a server that never answers', async () => {
  const service = await new FakeService().start();
  service.script('stall');
  const { queue } = sinkOf({ type: 'webhook', endpoint: service.origin, config: { timeout: '1h' } });
  offer(queue, records(2));
  await expect.poll(() => service.heard.length).toBe(1);
  await queue.close(1000);
  expect(queue.counters()).toMatchObject({ delivered: 0, dropped: 2, waiting: 0 });
});

test('servers are recognised by an authority of one’s own, and get a client’s certificate', async () => {
  const place = folder();
  const authority = new Authority(place);
  const server = authority.issue('server');
  const client = authority.issue('client');
  const service = await new FakeService({
    cert: readFileSync(server.certFile),
    key: readFileSync(server.keyFile),
    ca: readFileSync(authority.caFile),
    requestCert: true,
    rejectUnauthorized: true,
  }).start();
  const authentication = { type: 'certificate', cert_file: client.certFile, key_file: client.keyFile };
  const known = sinkOf({
    type: 'webhook',
    endpoint: service.origin,
    authentication,
    config: { ca_file: authority.caFile },
  });
  const anonymous = sinkOf({
    type: 'webhook',
    endpoint: service.origin,
    config: { ca_file: authority.caFile },
  });
  const distrustful = sinkOf({ type: 'webhook', endpoint: service.origin, authentication });
  const careless = sinkOf({
    type: 'webhook',
    endpoint: service.origin,
    authentication,
    config: { insecure_skip_verify: true },
  });
  const misplaced = sinkOf({
    type: 'webhook',
    endpoint: service.origin,
    config: { ca_file: `${place}/none.pem` },
  });
  for (const { queue } of [known, anonymous, distrustful, careless, misplaced]) queue.offer(record());
  await expect.poll(() => known.queue.counters().delivered).toBe(1);
  await expect.poll(() => careless.queue.counters().delivered).toBe(1);
  await expect
    .poll(() => [anonymous, distrustful, misplaced].every(({ news }) => news.length > 0))
    .toBe(true);
  await Promise.all([known, anonymous, distrustful, careless, misplaced].map(({ queue }) => queue.close(0)));
  expect(anonymous.news[0]).toMatchObject({ kind: 'failing' });
  expect(distrustful.news[0]).toMatchObject({ reason: expect.stringMatching(/certificate/) as string });
  expect(misplaced.news[0]).toMatchObject({
    reason: `${service.origin}: cannot read ${place}/none.pem: ENOENT`,
  });
});

test('Retry-After is in seconds or a date', () => {
  const now = Date.UTC(2026, 0, 1);
  expect(parseRetryAfter('120', now)).toBe(120_000);
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000);
  expect(parseRetryAfter('Thu, 01 Jan 2025 00:00:30 GMT', now)).toBe(0);
  expect(parseRetryAfter('soon', now)).toBeNull();
  expect(parseRetryAfter(undefined, now)).toBeNull();
});

test('a host without an address, one that speaks no TLS, and one of another name: records wait, and it is said why', async () => {
  const place = folder();
  const authority = new Authority(place);
  const { certFile, keyFile } = authority.issue('server');
  const tls = await new FakeService({ cert: readFileSync(certFile), key: readFileSync(keyFile) }).start();
  const plain = await new FakeService().start();
  const { port } = new URL(plain.origin);
  const peers = {
    nameless: sinkOf({ type: 'webhook', endpoint: 'http://no-such-host.invalid/in?key=hunter2' }),
    mute: sinkOf({ type: 'webhook', endpoint: `https://127.0.0.1:${port}/in?key=hunter2` }),
    other: sinkOf({
      type: 'webhook',
      endpoint: `${tls.origin}/in?key=hunter2`,
      config: { ca_file: authority.caFile, server_name: 'somebody.else.example' },
    }),
    closed: sinkOf({ type: 'webhook', endpoint: 'http://127.0.0.1:1/in?key=hunter2' }),
  };
  for (const { queue } of Object.values(peers)) offer(queue, records(3));
  await expect
    .poll(() => Object.values(peers).every(({ news }) => news.length > 0), { timeout: CLOSE })
    .toBe(true);
  const reasonOf = ({ news }: (typeof peers)['other']) => {
    const [first] = news;
    return first?.kind === 'failing' ? first.reason : '';
  };
  expect(reasonOf(peers.nameless)).toMatch(/^http:\/\/no-such-host\.invalid: getaddrinfo E\w+/);
  expect(reasonOf(peers.mute)).toMatch(/SSL|TLS|wrong version/i);
  expect(reasonOf(peers.other)).toMatch(/somebody\.else\.example/);
  expect(reasonOf(peers.closed)).toMatch(/ECONNREFUSED/);
  for (const peer of Object.values(peers)) {
    expect(peer.queue.counters()).toMatchObject({ delivered: 0, waiting: 3, dropped: 0 });
    expect(JSON.stringify(peer.news)).not.toContain('hunter2');
    await peer.queue.close(0);
  }
});
