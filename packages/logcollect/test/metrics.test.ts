import { FakeClock } from '@hsu-master/testkit';
import { expect, test } from 'vitest';
import { LogMetrics } from '../src/metrics.ts';
import { record } from './support/records.ts';

test('lines, bytes, levels, errors and losses are counted per worker', () => {
  const clock = new FakeClock();
  const metrics = new LogMetrics(clock);
  const at = clock.wallNow();
  metrics.count(record({ at, text: 'grüße' }));
  metrics.count(record({ at, text: 'x', level: 'error' }));
  metrics.count(record({ at, text: 'y', level: 'alert' }));
  metrics.count(record({ at, workerId: 'db', level: 'warn', text: '' }));
  metrics.drop('web', 3, 'loki');
  metrics.drop('web', 4, 'loki');
  metrics.drop('web', 1, 'pump');
  metrics.drop(null, 2, 'loki');
  clock.advance(10_000);
  expect(metrics.snapshot()).toEqual({
    workers: [
      {
        workerId: 'web',
        lines: 3,
        bytes: 9,
        levels: { error: 1, alert: 1 },
        errors: 2,
        errorRate: 0.2,
        errorShare: 2 / 3,
        dropped: { loki: 7, pump: 1 },
        lag: 0,
        longestLag: 0,
      },
      expect.objectContaining({ workerId: 'db', lines: 1, bytes: 0, levels: { warn: 1 }, errors: 0 }),
    ],
    dropped: { loki: 2 },
  });
  metrics.forget('web');
  expect(metrics.snapshot().workers.map(({ workerId }) => workerId)).toEqual(['db']);
});

test('rates are of the last minute, and the lag is that between reading and counting', () => {
  const clock = new FakeClock();
  const metrics = new LogMetrics(clock);
  for (let second = 0; second < 300; second += 1) {
    const level = second >= 240 && second % 2 === 0 ? 'error' : 'info';
    metrics.count(record({ at: clock.wallNow() - (second === 250 ? 900 : 20), level }));
    clock.advance(1000);
  }
  const [web] = metrics.snapshot().workers;
  expect(web).toMatchObject({ lines: 300, errors: 30, lag: 20, longestLag: 900 });
  expect(web?.errorRate).toBeCloseTo(0.5, 1);
  expect(web?.errorShare).toBeCloseTo(0.5, 1);
  clock.advance(120_000);
  expect(metrics.snapshot().workers[0]).toMatchObject({
    errorRate: 0,
    errorShare: 0,
    longestLag: 0,
    lag: 20,
  });
});
