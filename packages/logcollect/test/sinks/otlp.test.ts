import { expect, test } from 'vitest';
import { type Behaviour, FakeService } from '../support/fake-service.ts';
import { record, records } from '../support/records.ts';
import { offer, sinkOf } from '../support/sinks.ts';

const CLOSE = 60_000;

test('records are OTLP’s JSON: a resource per worker, 64-bit numbers as texts, ids of traces as hex', async () => {
  const service = await new FakeService().start();
  const { queue } = sinkOf({
    type: 'otlp',
    endpoint: service.origin,
    config: { resource: { 'deployment.environment': 'prod' } },
  });
  const trace = '4BF92F3577B34DA6A3CE929D0E0E4736';
  const time = record().at - 1000;
  offer(queue, [
    record({
      level: 'warn',
      time,
      message: 'slow',
      text: 'W slow',
      fields: {
        trace_id: trace,
        span_id: '00f067aa0ba902b7',
        ms: 1.5,
        ok: true,
        list: [1, null],
        deep: { a: 'b' },
      },
    }),
    record({ workerId: 'db', fields: { trace_id: 'not an id' } }),
  ]);
  await queue.close(CLOSE);
  const [heard] = service.heard;
  expect([heard?.path, heard?.headers['content-type']]).toEqual(['/v1/logs', 'application/json']);
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const resource = (worker: string) => ({
    attributes: [
      text('service.name', worker),
      text('host.name', 'box'),
      text('deployment.environment', 'prod'),
    ],
  });
  expect(JSON.parse(heard?.body ?? '')).toEqual({
    resourceLogs: [
      {
        resource: resource('web'),
        scopeLogs: [
          {
            scope: { name: 'hsu-master' },
            logRecords: [
              {
                timeUnixNano: `${time}000000`,
                observedTimeUnixNano: `${record().at}000000`,
                severityNumber: 13,
                severityText: 'warn',
                body: { stringValue: 'slow' },
                traceId: trace.toLowerCase(),
                spanId: '00f067aa0ba902b7',
                attributes: [
                  text('log.iostream', 'stdout'),
                  { key: 'hsu.run', value: { intValue: '1' } },
                  { key: 'hsu.seq', value: { intValue: '1' } },
                  text('log.record.original', 'W slow'),
                  text('trace_id', trace),
                  text('span_id', '00f067aa0ba902b7'),
                  { key: 'ms', value: { doubleValue: 1.5 } },
                  { key: 'ok', value: { boolValue: true } },
                  { key: 'list', value: { arrayValue: { values: [{ intValue: '1' }, {}] } } },
                  { key: 'deep', value: { kvlistValue: { values: [text('a', 'b')] } } },
                ],
              },
            ],
          },
        ],
      },
      expect.objectContaining({ resource: resource('db') }),
    ],
  });
  expect(heard?.body).not.toContain('"traceId":"not an id"');
});

test('what the collector rejects of a batch is counted', async () => {
  const service = await new FakeService().start();
  const body = JSON.stringify({ partialSuccess: { rejectedLogRecords: '2', errorMessage: 'too old' } });
  service.script({ status: 200, body });
  const { queue, news } = sinkOf({ type: 'otlp', endpoint: `${service.origin}/v1/logs` });
  offer(queue, records(5));
  await queue.close(CLOSE);
  expect(queue.counters()).toMatchObject({ delivered: 3, refused: 2 });
  expect(news[0]).toMatchObject({ kind: 'losing', reason: `${service.origin}: too old` });
});

test.each<[string, Behaviour, 'again' | 'refused']>([
  ['429', { status: 429 }, 'again'],
  ['503', { status: 503, headers: { 'retry-after': '1' } }, 'again'],
  ['a stall', 'stall', 'again'],
  ['hanging up', 'hang-up', 'again'],
  ['400', { status: 400 }, 'refused'],
  ['500, after which the protocol forbids it', { status: 500 }, 'refused'],
])('%s', async (_name, behaviour, outcome) => {
  const service = await new FakeService().start();
  service.script(behaviour, { status: 200, body: '{}' });
  const { queue } = sinkOf({ type: 'otlp', endpoint: service.origin, config: { timeout: '25s' } });
  offer(queue, records(5));
  await queue.close(CLOSE);
  const [delivered, refused] = outcome === 'again' ? [5, 0] : [0, 5];
  expect(queue.counters()).toMatchObject({ delivered, refused, waiting: 0 });
});
