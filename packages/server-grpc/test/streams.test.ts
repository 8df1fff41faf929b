import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import type { Control, LogNews } from '@hsu-master/core';
import { describe, expect } from 'vitest';
import { FakeMaster, it, LINE, serve } from './rig.ts';

describe('events', () => {
  it('come after those that were missed, and go on', async ({ owner, served: { master } }) => {
    for (let count = 0; count < 3; count += 1) master.publish();
    const heard = owner.stream('hsu.v1.EventService', 'FollowEvents', { since: 1, master: 'abcd0123' });
    await heard.until((messages) => messages.length === 3);
    master.publish('db');
    const messages = await heard.until(({ length }) => length === 4);
    expect(messages[0]).toEqual({ begun: { master: 'abcd0123', seq: 3, resumed: true } });
    expect(messages.slice(1).map(({ event }) => event?.seq)).toEqual([2, 3, 4]);
    expect(messages[3]).toMatchObject({
      event: { type: 'worker.ready', worker: 'db', run: 2, payload: { fields: {} } },
    });
  });

  it('of another master begin anew, and without a number only what comes is told', async ({
    owner,
    served,
  }) => {
    served.master.publish();
    const other = owner.stream('hsu.v1.EventService', 'FollowEvents', { since: 1, master: 'ffff0000' });
    await other.until((messages) => messages.length === 2);
    expect(other.messages[0]?.begun).toMatchObject({ resumed: false });
    const fresh = owner.stream('hsu.v1.EventService', 'FollowEvents', {});
    await fresh.until((messages) => messages.length === 1);
    served.master.publish('db');
    await fresh.until((messages) => messages.length === 2);
    expect(fresh.messages[1]?.event?.seq).toBe(2);
  });

  it('that are no longer remembered are counted', async () => {
    const served = await serve(new FakeMaster(2));
    try {
      for (let count = 0; count < 50; count += 1) served.master.publish();
      const { lost, events, seq } = await served
        .caller()
        .ask('hsu.v1.EventService', 'ListEvents', { since: 1 });
      expect(lost).toBeGreaterThan(40);
      expect([lost + events.length, seq]).toEqual([49, 50]);
      const heard = served.caller().stream('hsu.v1.EventService', 'FollowEvents', { since: 1 });
      await heard.until((messages) => messages.length === 2 + events.length);
      expect(heard.messages[1]).toEqual({ lost });
    } finally {
      await served.close();
    }
  });

  it('are waited for, of the type that is wanted', async ({ owner, served: { master } }) => {
    const question = { types: ['worker.stopped'], wait: { seconds: 60, nanos: 0 } };
    const asked = owner.ask('hsu.v1.EventService', 'ListEvents', question);
    await owner.ask('proto.CoreService', 'Ping', {});
    master.publish();
    master.events.publish({ type: 'worker.stopped', payload: { completed: true } }, 0, 'web', 1);
    const { events, seq } = await asked;
    expect(events.map(({ type }) => type)).toEqual(['worker.stopped']);
    expect(seq).toBe(master.events.seq);
    const page = await owner.ask('hsu.v1.EventService', 'ListEvents', { limit: 1 });
    expect(page).toMatchObject({ seq: 1, events: [{ seq: 1 }] });
  });
});

describe('a stream ends', () => {
  const endless = (
    master: FakeMaster,
    text: string,
  ): { readonly told: () => number; readonly ended: Promise<void> } => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let told = 0;
    master.lines = async function* (signal): AsyncIterable<LogNews> {
      try {
        while (!signal.aborted) {
          told += text.length;
          yield { kind: 'line', line: { ...LINE, text } };
          await new Promise((next) => setImmediate(next));
        }
      } finally {
        resolve();
      }
    };
    return { told: () => told, ended: promise };
  };

  it('when its caller does', async ({ owner, served: { master } }) => {
    const source = endless(master, 'x');
    const heard = owner.stream('hsu.v1.LogService', 'FollowLogs', {});
    await heard.until((messages) => messages.length > 3);
    heard.call.cancel();
    await source.ended;
  });

  it('when the token is no longer valid', async ({ owner, served: { master, gate } }) => {
    const source = endless(master, 'x');
    const heard = owner.stream('hsu.v1.LogService', 'FollowLogs', {});
    await heard.until((messages) => messages.length > 3);
    gate.revoke();
    expect(await heard.ended).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: 'all is let in no more',
    });
    await source.ended;
  });

  it('when the server closes, and so does what waits', async () => {
    const served = await serve();
    served.master.settle = () => new Promise(() => {});
    const owner = served.caller();
    const heard = owner.stream('hsu.v1.WorkerService', 'WatchWorkers', {});
    const events = owner.stream('hsu.v1.EventService', 'FollowEvents', {});
    await heard.until((messages) => messages.length === 1);
    await events.until((messages) => messages.length === 1);
    const wait = { seconds: 600, nanos: 0 };
    const waiting = owner.ask('hsu.v1.OrderService', 'Stop', { id: 'web', wait });
    await owner.ask('proto.CoreService', 'Ping', {});
    await served.close();
    expect(await heard.ended).toMatchObject({ code: status.UNAVAILABLE });
    expect(await events.ended).toMatchObject({ code: status.UNAVAILABLE });
    expect(await waiting).toMatchObject({ state: 'TICKET_STATE_PENDING' });
  });

  it('when its reader does not read: no more than a bound is fetched for it, and its connection is ended', async () => {
    const served = await serve(new FakeMaster(), { patience: { longest: 200 } });
    try {
      const source = endless(served.master, 'x'.repeat(50_000));
      const heard = served.caller().stream('hsu.v1.LogService', 'FollowLogs', {});
      await heard.until((messages) => messages.length === 1);
      const [socket] = served.sockets;
      heard.call.pause();
      await source.ended;
      expect(source.told()).toBeLessThan(4 * 1024 * 1024);
      if (socket?.closed === false) await once(socket, 'close');
      heard.call.resume();
      const ended = await heard.ended;
      expect([status.RESOURCE_EXHAUSTED, status.UNAVAILABLE, status.CANCELLED]).toContain(ended?.code);
      expect(await served.caller().ask('proto.CoreService', 'Ping', {})).toEqual({});
    } finally {
      await served.close();
    }
  });

  it('with the notice of it where its reader reads again in time', async () => {
    const served = await serve(new FakeMaster(), { patience: { longest: 200, notice: 60_000 } });
    try {
      const source = endless(served.master, 'x'.repeat(50_000));
      const heard = served.caller().stream('hsu.v1.LogService', 'FollowLogs', {});
      await heard.until((messages) => messages.length === 1);
      heard.call.pause();
      await source.ended;
      heard.call.resume();
      expect(await heard.ended).toMatchObject({
        code: status.RESOURCE_EXHAUSTED,
        details: expect.stringContaining('nothing was read'),
      });
    } finally {
      await served.close();
    }
  });
});

describe('health', () => {
  it('says of each worker whether it is ready, and of the whole that it answers', async ({ owner }) => {
    const check = async (service: string) =>
      (await owner.ask('grpc.health.v1.Health', 'Check', { service })).status;
    expect(await check('')).toBe('SERVING');
    expect(await check('web')).toBe('SERVING');
    expect(await check('db')).toBe('NOT_SERVING');
    expect(await check('hsu.v1.WorkerService')).toBe('SERVING');
    await expect(check('nobody')).rejects.toMatchObject({ code: status.NOT_FOUND });
    const { statuses } = await owner.ask('grpc.health.v1.Health', 'List', {});
    expect(statuses).toMatchObject({ web: { status: 'SERVING' }, db: { status: 'NOT_SERVING' } });
  });

  it('is told with each change', async ({ owner, served: { master } }) => {
    const heard = owner.stream('grpc.health.v1.Health', 'Watch', { service: 'web' });
    await heard.until((messages) => messages.length === 1);
    master.publish('web');
    master.change('web', { ready: false });
    await heard.until((messages) => messages.length === 2);
    master.change('web', { ready: true });
    await heard.until((messages) => messages.length === 3);
    expect(heard.messages.map((one) => one.status)).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']);
    const unknown = owner.stream('grpc.health.v1.Health', 'Watch', { service: 'nobody' });
    await unknown.until((messages) => messages.length === 1);
    expect(unknown.messages).toEqual([{ status: 'SERVICE_UNKNOWN' }]);
  });
});

it('who breaks off what reads lines causes no defect, however it ends', async ({ owner, served }) => {
  const asked = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const tail: Control['logs']['tail'] = (_query, _count, signal) =>
    new Promise((_resolve, reject) => {
      asked.resolve();
      signal.addEventListener('abort', () => {
        reject((signal as AbortSignal).reason as Error);
        ended.resolve();
      });
    });
  const follow: Control['logs']['follow'] = async function* (query, count, signal) {
    yield { kind: 'line', line: LINE };
    await tail(query, count, signal);
  };
  Object.assign(served.master.logs, { tail, follow });
  const { call, ended: over } = owner.stream('hsu.v1.LogService', 'FollowLogs', {});
  await asked.promise;
  call.cancel();
  await Promise.all([ended.promise, over]);
  await expect(owner.ask('hsu.v1.LogService', 'TailLogs', {}, 200)).rejects.toMatchObject({
    code: status.DEADLINE_EXCEEDED,
  });
  await owner.ask('hsu.v1.MasterService', 'GetVersion', {});
  expect(served.defects).toEqual([]);
});
