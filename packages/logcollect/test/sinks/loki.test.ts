import { expect, test } from 'vitest';
import { type Behaviour, FakeService } from '../support/fake-service.ts';
import { record, records } from '../support/records.ts';
import { offer, sinkOf } from '../support/sinks.ts';

const CLOSE = 60_000;
const AT = record().at;

interface Pushed {
  readonly stream: Record<string, string>;
  readonly values: readonly [string, string, Record<string, string>?][];
}

function streams(body: string): readonly Pushed[] {
  return (JSON.parse(body) as { streams: readonly Pushed[] }).streams;
}

test('labels are few and safe, run and fields are metadata, and equal times are told apart', async () => {
  const service = await new FakeService().start();
  service.answer = () => ({ status: 204 });
  const { queue } = sinkOf({
    type: 'loki',
    endpoint: `${service.origin}/loki/api/v1/push`,
    config: { tenant: 'shop', labels: { 'env-name': 'prod', '1st': 'x' }, level_label: true },
  });
  offer(queue, [
    record({ seq: 1, text: 'same', fields: { 'user.id': 7, deep: { a: [1] } } }),
    record({ seq: 2, text: 'same', at: AT - 5 }),
    record({ seq: 3, text: 'oops', stream: 'stderr', level: 'error' }),
  ]);
  await queue.close(CLOSE);
  const [heard] = service.heard;
  expect(heard?.path).toBe('/loki/api/v1/push');
  expect(heard?.headers['x-scope-orgid']).toBe('shop');
  const labels = { worker: 'web', host: 'box', env_name: 'prod', _1st: 'x' };
  expect(streams(heard?.body ?? '')).toEqual([
    {
      stream: { ...labels, stream: 'stdout', level: 'unknown' },
      values: [
        [`${AT}000000`, 'same', { run: '1', seq: '1', level: 'unknown', user_id: '7', deep: '{"a":[1]}' }],
        [`${AT}000001`, 'same', { run: '1', seq: '2', level: 'unknown' }],
      ],
    },
    {
      stream: { ...labels, stream: 'stderr', level: 'error' },
      values: [[`${AT}000000`, 'oops', { run: '1', seq: '3', level: 'error' }]],
    },
  ]);
});

test.each<[string, Behaviour]>([
  ['429', { status: 429, body: 'ingestion rate limit exceeded' }],
  ['500', { status: 500 }],
  ['a stall', 'stall'],
  ['hanging up', 'hang-up'],
])(
  'after %s the same entries are sent again with the same times, in their order',
  async (_name, behaviour) => {
    const service = await new FakeService().start();
    service.script(behaviour, behaviour, { status: 204 });
    const { queue } = sinkOf({
      type: 'loki',
      endpoint: service.origin,
      config: { batch_lines: 10, timeout: '25s' },
    });
    offer(queue, records(20));
    await queue.close(CLOSE);
    expect(queue.counters()).toMatchObject({ delivered: 20, repeated: 20, waiting: 0 });
    const bodies = service.heard.map(({ body }) => body);
    expect(bodies[1]).toBe(bodies[0]);
    expect(bodies[2]).toBe(bodies[0]);
    const times = [bodies[2], bodies[3]].flatMap((body) =>
      streams(body ?? '').flatMap(({ values }) => values.map(([time]) => BigInt(time))),
    );
    expect(times).toHaveLength(20);
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] as bigint))).toBe(true);
  },
);

test('entries that Loki ignores are counted as refused, the others as delivered', async () => {
  const service = await new FakeService().start();
  const body = "entry with timestamp x ignored, reason: 'entry too far behind',\ntotal ignored: 3 out of 10";
  service.script({ status: 400, body });
  const { queue } = sinkOf({ type: 'loki', endpoint: service.origin });
  offer(queue, records(10));
  await queue.close(CLOSE);
  expect(queue.counters()).toMatchObject({ delivered: 7, refused: 3, waiting: 0 });
});
