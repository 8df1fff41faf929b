import { expect, test } from 'vitest';
import { type Behaviour, FakeService } from '../support/fake-service.ts';
import { record, records } from '../support/records.ts';
import { offer, sinkOf } from '../support/sinks.ts';

const CLOSE = 60_000;
const authentication = { type: 'token', token: 'c0ffee-c0ffee' };

interface Event {
  readonly event: { readonly seq: number };
}

function events(body: string): readonly Event[] {
  return body.split('\n').map((line) => JSON.parse(line) as Event);
}

test('events carry time, host, source and index, and the token is Splunk’s', async () => {
  const service = await new FakeService().start();
  const { queue } = sinkOf({
    type: 'splunk',
    endpoint: `${service.origin}/services/collector`,
    authentication,
    config: { index: 'main', source: 'ours' },
  });
  offer(queue, [record({ level: 'error', stream: 'stderr', fields: { a: 1 } })]);
  await queue.close(CLOSE);
  const [heard] = service.heard;
  expect(heard?.path).toBe('/services/collector/event');
  expect(heard?.headers.authorization).toBe('Splunk c0ffee-c0ffee');
  expect(events(heard?.body ?? '')).toEqual([
    {
      time: record().at / 1000,
      host: 'box',
      source: 'ours',
      sourcetype: '_json',
      index: 'main',
      event: {
        time: '2026-11-21T12:00:00.250Z',
        worker: 'web',
        run: 1,
        stream: 'stderr',
        seq: 1,
        level: 'error',
        message: 'listening',
        fields: { a: 1 },
        host: 'box',
      },
      fields: { worker: 'web', run: '1', stream: 'stderr', level: 'error' },
    },
  ]);
});

test('a refused event is counted and the others are sent again', async () => {
  const service = await new FakeService().start();
  const kept: number[] = [];
  service.answer = ({ body }) => {
    const sent = events(body).map(({ event }) => event.seq);
    const bad = sent.findIndex((seq) => seq === 4 || seq === 8);
    if (bad !== -1) return { status: 400, body: JSON.stringify({ code: 6, 'invalid-event-number': bad }) };
    kept.push(...sent);
    return { status: 200, body: '{"text":"Success","code":0}' };
  };
  const { queue } = sinkOf({ type: 'splunk', endpoint: service.origin, authentication });
  offer(queue, records(10));
  await queue.close(CLOSE);
  expect(kept).toEqual([1, 2, 3, 5, 6, 7, 9, 10]);
  expect(queue.counters()).toMatchObject({ delivered: 8, refused: 2, waiting: 0 });
});

test('with acknowledgement a batch is taken when it is indexed, and sent again when that is not said in time', async () => {
  const service = await new FakeService().start();
  let sent = 0;
  let asked = 0;
  const channels = new Set<unknown>();
  service.answer = ({ path, headers, body }): Behaviour => {
    channels.add(headers['x-splunk-request-channel']);
    if (path.startsWith('/services/collector/event')) {
      sent += 1;
      return { status: 200, body: JSON.stringify({ text: 'Success', code: 0, ackId: sent }) };
    }
    asked += 1;
    const [id] = (JSON.parse(body) as { acks: number[] }).acks as [number];
    return { status: 200, body: JSON.stringify({ acks: { [id]: id >= 2 && asked > 5 } }) };
  };
  const config = { ack: true, ack_timeout: '3s' };
  const { queue } = sinkOf({ type: 'splunk', endpoint: service.origin, authentication, config });
  offer(queue, records(5));
  await expect.poll(() => queue.counters().delivered).toBe(5);
  await queue.close(CLOSE);
  expect(sent).toBeGreaterThanOrEqual(2);
  expect([...channels]).toEqual([
    expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  ]);
});

test.each<[string, Behaviour]>([
  ['503 "server is busy"', { status: 503, body: '{"text":"Server is busy","code":9}' }],
  ['429', { status: 429 }],
  ['a stall', 'stall'],
  ['hanging up', 'hang-up'],
])('after %s the batch is sent again', async (_name, behaviour) => {
  const service = await new FakeService().start();
  service.script(behaviour, behaviour, { status: 200 });
  const { queue } = sinkOf({
    type: 'splunk',
    endpoint: service.origin,
    authentication,
    config: { timeout: '25s' },
  });
  offer(queue, records(3));
  await queue.close(CLOSE);
  expect(queue.counters()).toMatchObject({ delivered: 3, repeated: 6 });
});

test('an index that the token may not write to holds the records back', async () => {
  const service = await new FakeService().start();
  service.script({ status: 400, body: '{"text":"Incorrect index","code":7}' });
  const { queue, news } = sinkOf({ type: 'splunk', endpoint: service.origin, authentication });
  offer(queue, records(3));
  await expect.poll(() => news.length).toBe(1);
  expect(queue.counters()).toMatchObject({ delivered: 0, refused: 0, waiting: 3 });
  await queue.close(10);
  expect(queue.counters()).toMatchObject({ dropped: 3, waiting: 0 });
});
