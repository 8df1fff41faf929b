import type { AlertSpec, EventDraft, ExecOutcome, ExecRequest, Host } from '@hsu-master/core';
import { FakeClock, fakeExit, workerSpec } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { type Alert, Alerts } from '../src/limits/alerts.ts';

const SPEC: AlertSpec = { exec: ['/bin/page', '-u'], webhook: null, timeout: 5000, every: 60_000 };

/** Alerts over a host whose programs end when the test says so. */
function stage() {
  const clock = new FakeClock();
  const asked: ExecRequest[] = [];
  const ends: ((outcome: ExecOutcome) => void)[] = [];
  const cancelled: number[] = [];
  const published: EventDraft[] = [];
  let refusal: Error | null = null;
  const host = {
    exec(request: ExecRequest) {
      if (refusal !== null) throw refusal;
      const number = asked.push(request);
      const { promise, resolve } = Promise.withResolvers<ExecOutcome>();
      ends.push(resolve);
      return { outcome: promise, cancel: () => cancelled.push(number) };
    },
  } as unknown as Host;
  const alerts = new Alerts(host, clock);
  const alert = (id = 'web', limit: Alert['limit'] = 'memory.max_rss'): Alert => ({
    spec: workerSpec(id),
    run: 3,
    process: { pid: 4711, startedAt: '9' },
    limit,
    value: 612 * 2 ** 20,
    allowed: 512 * 2 ** 20,
    policy: 'alert',
    message: `worker "${id}": memory 612MiB of 512MiB for 30s`,
    publish: (event) => published.push(event),
  });
  return {
    clock,
    asked,
    ends,
    cancelled,
    published,
    alerts,
    alert,
    raise: (id?: string, limit?: Alert['limit']) => alerts.raise(alert(id, limit), SPEC),
    refuse: (error: Error) => {
      refusal = error;
    },
    /** The time after which what failed is tried again. */
    async pause(): Promise<void> {
      clock.advance(2000);
      await heard();
    },
    async end(index: number, code: number, output = ''): Promise<void> {
      ends[index]?.({ kind: 'exited', exit: fakeExit({ code }), output });
      await heard();
    },
  };
}

async function heard(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('the program', () => {
  test('finds the alert in its environment, and runs as the master in the worker’s directory', async () => {
    const scene = stage();
    scene.raise();
    expect(scene.asked).toMatchObject([{ mark: 'web.4711-9.alert.1', timeout: 5000 }]);
    expect(scene.asked[0]?.command).toEqual({
      argv: ['/bin/page', '-u'],
      cwd: '/',
      env: {
        HSU_ALERT_WORKER: 'web',
        HSU_ALERT_RUN: '3',
        HSU_ALERT_PID: '4711',
        HSU_ALERT_LIMIT: 'memory.max_rss',
        HSU_ALERT_VALUE: '641728512',
        HSU_ALERT_MAXIMUM: '536870912',
        HSU_ALERT_POLICY: 'alert',
        HSU_ALERT_MESSAGE: 'worker "web": memory 612MiB of 512MiB for 30s',
      },
      umask: null,
      user: null,
      group: null,
      groups: null,
    });
    await scene.end(0, 0);
    expect([scene.published, scene.clock.pending]).toEqual([[], 0]);
  });

  test('that fails is run once more, later; then that is said', async () => {
    const scene = stage();
    scene.raise();
    await scene.end(0, 1, 'no route\n');
    expect(scene.asked).toHaveLength(1);
    await scene.pause();
    expect(scene.asked).toHaveLength(2);
    await scene.end(1, 2, 'starting\nno route \u001b[31mto host\n');
    expect(scene.published).toEqual([
      {
        type: 'alert.failed',
        payload: { limit: 'memory.max_rss', to: 'exec', reason: 'exit 2: no route [31mto host' },
      },
    ]);
    scene.clock.advance(60_000);
    expect(scene.asked).toHaveLength(2);
  });

  test('that succeeds the second time has arrived', async () => {
    const scene = stage();
    scene.raise();
    await scene.end(0, 1);
    await scene.pause();
    await scene.end(1, 0);
    expect(scene.published).toEqual([]);
  });

  test('that cannot be run, or takes too long, is said to have', async () => {
    const scene = stage();
    scene.raise();
    scene.ends[0]?.({ kind: 'timed-out', output: '' });
    await heard();
    await scene.pause();
    scene.ends[1]?.({
      kind: 'failed',
      failure: { code: 'E_EXEC_NOT_FOUND', message: 'cannot start "/bin/page"' },
    });
    await heard();
    scene.refuse(new Error('host is closed'));
    scene.raise('other');
    await heard();
    await scene.pause();
    const reasons = scene.published.map(({ payload }) => (payload as { reason: string }).reason);
    expect(reasons).toEqual(['cannot start "/bin/page"', 'Error: host is closed']);
  });
});

describe('how often', () => {
  test('the same limit of a worker alerts once in its time, others by themselves', async () => {
    const scene = stage();
    scene.raise();
    scene.raise();
    scene.raise('web', 'cpu.max_percent');
    scene.raise('other');
    expect(scene.asked).toHaveLength(3);
    for (const index of [0, 1, 2]) await scene.end(index, 0);
    scene.clock.advance(59_999);
    scene.raise();
    expect(scene.asked).toHaveLength(3);
    scene.clock.advance(1);
    scene.raise();
    expect(scene.asked).toHaveLength(4);
  });
});

describe('many alerts', () => {
  test('wait for one another, in order; what is too many fails at once', async () => {
    const scene = stage();
    for (let number = 0; number < 110; number += 1) scene.raise(`w${number}`);
    expect(scene.asked).toHaveLength(4);
    expect(scene.published).toHaveLength(6);
    expect(scene.published[0]).toMatchObject({
      payload: { reason: 'too many alerts are waiting to be sent' },
    });
    for (let number = 0; number < 104; number += 1) await scene.end(number, 0);
    expect(scene.asked.map(({ command }) => command.env.HSU_ALERT_WORKER)).toEqual(
      Array.from({ length: 104 }, (_unused, index) => `w${index}`),
    );
    expect(scene.clock.pending).toBe(0);
  });
});

describe('the end of the master', () => {
  test('gives up what is under way, what waits and what is to be tried again', async () => {
    const scene = stage();
    for (let number = 0; number < 10; number += 1) scene.raise(`w${number}`);
    await scene.end(0, 1);
    expect(scene.clock.pending).toBe(1);
    scene.alerts.close();
    expect([scene.cancelled, scene.clock.pending]).toEqual([[2, 3, 4], 0]);
    scene.ends[1]?.({ kind: 'timed-out', output: '' });
    await heard();
    scene.raise('late');
    expect([scene.asked.length, scene.clock.pending, scene.published]).toEqual([4, 0, []]);
  });
});
