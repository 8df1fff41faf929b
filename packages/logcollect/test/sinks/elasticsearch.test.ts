import { expect, test } from 'vitest';
import { type Behaviour, FakeService, type Heard } from '../support/fake-service.ts';
import { hurriedClock } from '../support/real-clock.ts';
import { record, records } from '../support/records.ts';
import { offer, sinkOf } from '../support/sinks.ts';

const CLOSE = 60_000;

function documents({ body }: Heard): { create: Record<string, string>; document: Record<string, unknown> }[] {
  const lines = body.trimEnd().split('\n');
  return Array.from({ length: lines.length / 2 }, (_unused, index) => ({
    create: (JSON.parse(lines[index * 2] as string) as { create: Record<string, string> }).create,
    document: JSON.parse(lines[index * 2 + 1] as string) as Record<string, unknown>,
  }));
}

/** A fake of `_bulk` that keeps what it takes; `verdict` gives the status of each document. */
async function elasticsearch(verdict: (seq: number, attempt: number) => number = () => 201) {
  const service = await new FakeService().start();
  const kept: number[] = [];
  const attempts = new Map<number, number>();
  service.answer = (request): Behaviour => {
    const items = documents(request).map(({ document }) => {
      const { seq } = document.hsu as { seq: number };
      const attempt = (attempts.get(seq) ?? 0) + 1;
      attempts.set(seq, attempt);
      const status = verdict(seq, attempt);
      if (status === 201) kept.push(seq);
      const error = { type: 'mapper_parsing_exception', reason: 'no such field\nhere' };
      return { create: status === 201 ? { status } : { status, error } };
    });
    const errors = items.some(({ create }) => create.status !== 201);
    return { status: 200, body: JSON.stringify(errors ? { errors, items } : { errors }) };
  };
  return { service, kept, attempts };
}

test('documents go to _bulk with index, time, worker and fields', async () => {
  const { service } = await elasticsearch();
  const { queue } = sinkOf({
    type: 'elasticsearch',
    endpoint: `${service.origin}/es/`,
    authentication: { type: 'basic', username: 'me', password: 'open sesame' },
    config: { index: 'logs-{worker_id}-{yyyy}.{MM}.{dd}', ids: true, pipeline: 'p q', compress: false },
  });
  const time = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  offer(queue, [
    record({
      workerId: 'Web',
      seq: 7,
      run: 3,
      level: 'warn',
      time,
      message: 'slow',
      text: 'W slow',
      fields: { ms: 9 },
    }),
  ]);
  await queue.close(CLOSE);
  const [heard] = service.heard as [Heard];
  expect([heard.method, heard.path]).toEqual([
    'POST',
    '/es/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason&pipeline=p%20q',
  ]);
  expect(heard.headers['content-type']).toBe('application/x-ndjson');
  expect(heard.headers.authorization).toBe(`Basic ${Buffer.from('me:open sesame').toString('base64')}`);
  expect(documents(heard)).toEqual([
    {
      create: { _index: 'logs-web-2026.01.02', _id: `box-Web-3-7-${record().at}` },
      document: {
        '@timestamp': '2026-01-02T03:04:05.006Z',
        message: 'slow',
        event: { original: 'W slow' },
        log: { level: 'warn', stream: 'stdout' },
        service: { name: 'Web' },
        host: { name: 'box' },
        hsu: { run: 3, seq: 7 },
        fields: { ms: 9 },
      },
    },
  ]);
});

test('of a batch only what was refused for the moment is sent again; what is malformed is counted, a conflict is there already', async () => {
  const verdict = (seq: number, attempt: number) => {
    if (seq % 5 === 0) return 400;
    if (seq === 1) return 409;
    return seq % 3 === 0 && attempt < 3 ? 429 : 201;
  };
  const { service, kept, attempts } = await elasticsearch(verdict);
  const { queue, news } = sinkOf({
    type: 'opensearch',
    endpoint: service.origin,
    config: { batch_lines: 100 },
  });
  offer(queue, records(100));
  await queue.close(CLOSE);
  expect(queue.counters()).toMatchObject({ delivered: 80, refused: 20, dropped: 0, waiting: 0 });
  expect(new Set(kept).size).toBe(kept.length);
  expect(kept).toHaveLength(79);
  expect([...attempts].filter(([seq]) => seq % 3 !== 0).every(([, count]) => count === 1)).toBe(true);
  expect(news.find((item) => item.kind === 'lost')).toMatchObject({ workers: new Map([['web', 20]]) });
  expect(news.find((item) => item.kind === 'losing')).toMatchObject({
    cause: 'refused',
    reason: `${service.origin}: 409 mapper_parsing_exception no such field here`.replace('409', '429'),
  });
});

test.each<[string, Behaviour]>([
  ['429 with Retry-After', { status: 429, headers: { 'retry-after': '2' } }],
  ['503', { status: 503 }],
  ['a stall', 'stall'],
  ['hanging up', 'hang-up'],
  ['hanging up in its answer', { status: 200, hangUpAfter: '{"errors":fal' }],
  ['something else than JSON', { status: 200, body: '<html>' }],
])('after %s the batch is sent again', async (_name, behaviour) => {
  const { service, kept } = await elasticsearch();
  const well = service.answer;
  let asked = 0;
  service.answer = (request) => {
    asked += 1;
    return asked <= 2 ? behaviour : well(request);
  };
  const { queue, news } = sinkOf({
    type: 'elasticsearch',
    endpoint: service.origin,
    config: { timeout: '25s' },
  });
  offer(queue, records(50));
  await expect.poll(() => queue.counters().delivered).toBe(50);
  await queue.close(CLOSE);
  expect(kept).toEqual(records(50).map(({ seq }) => seq));
  expect(news.map(({ kind }) => kind)).toEqual(['failing', 'recovered']);
});

test('too large a request is halved until it is taken; a single record that is too large is refused', async () => {
  const { service, kept } = await elasticsearch();
  const well = service.answer;
  service.answer = (request) =>
    documents(request).length > 6 || request.body.includes('line 13"') ? { status: 413 } : well(request);
  const { queue } = sinkOf({ type: 'elasticsearch', endpoint: service.origin });
  offer(queue, records(40));
  await queue.close(CLOSE);
  expect(queue.counters()).toMatchObject({ delivered: 39, refused: 1, waiting: 0 });
  expect(kept).toEqual(
    records(40)
      .map(({ seq }) => seq)
      .filter((seq) => seq !== 13),
  );
});

test('records wait while credentials are refused, and no message has them', async () => {
  const { service, kept } = await elasticsearch();
  const well = service.answer;
  service.answer = (request) =>
    request.headers.authorization === 'ApiKey sEcReT' && kept.length === 0 && service.heard.length < 3
      ? { status: 401, body: 'the key sEcReT is not known' }
      : well(request);
  const authentication = { type: 'token', token: 'sEcReT' };
  const clock = hurriedClock(3000);
  const { queue, news } = sinkOf(
    { type: 'elasticsearch', endpoint: service.origin, authentication },
    { clock },
  );
  offer(queue, records(3));
  await expect.poll(() => queue.counters().delivered).toBe(3);
  await queue.close(CLOSE);
  expect(news[0]).toMatchObject({
    kind: 'failing',
    reason: `HTTP 401 from ${service.origin}: the key *** is not known`,
  });
  expect(JSON.stringify(news)).not.toContain('sEcReT');
});
