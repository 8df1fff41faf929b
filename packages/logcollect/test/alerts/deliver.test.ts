import type { ExecOutcome, ExecRequest, Host } from '@hsu-master/core';
import { FakeClock, fakeExit } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { AlertDelivery } from '../../src/alerts/deliver.ts';
import type { AlertRule, LogAlert } from '../../src/alerts/rule.ts';
import { FakeService } from '../support/fake-service.ts';
import { hurriedClock } from '../support/real-clock.ts';

function alert(over: Partial<AlertRule> = {}): LogAlert {
  const rule: AlertRule = {
    name: 'refused',
    workers: [],
    pattern: 'refused',
    minLevel: null,
    stream: null,
    count: 3,
    within: 10_000,
    every: null,
    exec: ['/bin/page', '-u'],
    webhook: null,
    timeout: 5000,
    ...over,
  };
  return {
    kind: 'raised',
    rule,
    workerId: 'web',
    run: 4,
    lines: 3,
    line: 'a\0b refused',
    message: 'so it is',
  };
}

/** A host whose programs end when the test says so. */
function stage(clock = new FakeClock()) {
  const asked: ExecRequest[] = [];
  const ends: ((outcome: ExecOutcome) => void)[] = [];
  let cancelled = 0;
  const failed: string[] = [];
  const host = {
    exec(request: ExecRequest) {
      asked.push(request);
      const { promise, resolve } = Promise.withResolvers<ExecOutcome>();
      ends.push(resolve);
      return { outcome: promise, cancel: () => (cancelled += 1) };
    },
  } as unknown as Host;
  const delivery = new AlertDelivery({
    clock,
    host,
    cwd: '/srv',
    mark: 'm1',
    failed: (_alert, to, reason) => failed.push(`${to}: ${reason}`),
  });
  const end = async (index: number, code: number, output = ''): Promise<void> => {
    ends[index]?.({ kind: 'exited', exit: fakeExit({ code }), output });
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, asked, end, failed, delivery, cancelled: () => cancelled };
}

describe('a program', () => {
  test('finds the alert in its environment', async () => {
    const { asked, end, failed, delivery } = stage();
    delivery.deliver(alert());
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ mark: 'm1.log-alert.1', timeout: 5000 });
    expect(asked[0]?.command).toMatchObject({
      argv: ['/bin/page', '-u'],
      cwd: '/srv',
      env: {
        HSU_ALERT: 'raised',
        HSU_ALERT_RULE: 'refused',
        HSU_ALERT_WORKER: 'web',
        HSU_ALERT_RUN: '4',
        HSU_ALERT_LINES: '3',
        HSU_ALERT_LINE: 'a\u{fffd}b refused',
        HSU_ALERT_MESSAGE: 'so it is',
      },
    });
    await end(0, 0);
    expect(failed).toEqual([]);
  });

  test('that fails is tried once more, then it is told', async () => {
    const { clock, asked, end, failed, delivery } = stage();
    delivery.deliver(alert());
    await end(0, 1);
    clock.advance(2000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(2);
    await end(1, 2, 'x\n\u001b[1mno pager\n');
    expect(failed).toEqual(['exec: exit 2: [1mno pager']);
  });

  test('runs beside at most three others; a hundred wait, more fail at once', async () => {
    const { asked, end, failed, delivery, cancelled } = stage();
    for (let count = 0; count < 106; count += 1) delivery.deliver(alert());
    expect(asked).toHaveLength(4);
    expect(failed).toEqual(Array.from({ length: 2 }, () => 'exec: too many alerts are waiting to be sent'));
    await end(0, 0);
    expect(asked).toHaveLength(5);
    delivery.close();
    expect(cancelled()).toBe(4);
    delivery.deliver(alert());
    expect(asked).toHaveLength(5);
  });
});

describe('a webhook', () => {
  const webhooked = (webhook: string) => alert({ exec: null, webhook });

  test('gets the alert as JSON, again after a failure', async () => {
    const service = await new FakeService().start();
    service.script({ status: 503 }, { status: 204 });
    const { failed, delivery } = stage(hurriedClock(100) as FakeClock);
    delivery.deliver(webhooked(`${service.origin}/hook?key=1`));
    await expect.poll(() => service.heard.length).toBe(2);
    expect(service.heard[1]?.path).toBe('/hook?key=1');
    expect(JSON.parse(service.heard[1]?.body ?? '')).toEqual({
      alert: 'raised',
      rule: 'refused',
      worker: 'web',
      run: 4,
      lines: 3,
      count: 3,
      within: '10s',
      line: 'a\0b refused',
      message: 'so it is',
      at: expect.stringMatching(/^20.*Z$/) as string,
    });
    expect(failed).toEqual([]);
  });

  test('that does not take it is told with its origin only', async () => {
    const service = await new FakeService().start();
    service.script({ status: 404 });
    const { failed, delivery } = stage(hurriedClock(100) as FakeClock);
    delivery.deliver(webhooked(`${service.origin}/T0KEN`));
    delivery.deliver(webhooked('ftp://x'));
    await expect.poll(() => failed.length).toBe(2);
    expect(failed.toSorted()).toEqual([
      `webhook: HTTP 404 from ${service.origin}`,
      'webhook: not an http or https address',
    ]);
  });
});
