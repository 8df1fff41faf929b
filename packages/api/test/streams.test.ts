import { once } from 'node:events';
import { get } from 'node:http';
import type { Control } from '@hsu-master/core';
import { NOW, view } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { WebSocket } from 'ws';
import type { Event } from '../src/client/index.ts';
import { execNews } from '../src/contract/exec.ts';
import type { ExecNews } from '../src/contract/index.ts';
import { FakeMaster, it, type Served, serve } from './rig.ts';

const factor = Number(process.env.HSU_TIME_FACTOR ?? 1);

interface Message {
  readonly name: string | null;
  readonly kind: string;
  readonly [key: string]: unknown;
}

/** A connection, and all that came by it. */
class Peer {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  readonly #watchers = new Set<() => void>();

  constructor({ socket }: Pick<Served, 'socket'>) {
    this.socket = new WebSocket(`ws+unix://${socket}:/v1/stream`);
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse((data as Buffer).toString()) as Message);
      for (const look of this.#watchers) look();
    });
    this.socket.on('error', () => {});
  }

  async ask(...requests: readonly object[]): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, 'open');
    for (const request of requests) this.socket.send(JSON.stringify(request));
  }

  /** The first message of that kind, from `from` on. */
  next(kind: string, from = 0): Promise<Message> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.messages.slice(from).find((message) => message.kind === kind);
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  kinds(): readonly string[] {
    return this.messages.map(({ kind }) => kind);
  }
}

describe('the stream', () => {
  it('tells events from a number on, then as they come', async ({ served }) => {
    const { master } = served;
    for (let i = 0; i < 5; i += 1) master.publish();
    const peer = new Peer(served);
    await peer.ask({ op: 'events', name: 'e', since: 3 });
    await peer.next('event');
    master.publish('db');
    await peer.next('event', 3);
    const told = peer.messages
      .filter(({ kind }) => kind === 'event')
      .map(({ event }) => (event as Event).seq);
    expect(told).toEqual([4, 5, 6]);
    expect(peer.messages[0]).toEqual({ name: 'e', kind: 'begun', master: 'abcd0123', seq: 5, resumed: true });
    peer.socket.close();
  });

  it('tells what is no longer remembered, and that another master counts anew', async () => {
    const served = await serve(new FakeMaster(10));
    for (let i = 0; i < 50; i += 1) served.master.publish();
    const peer = new Peer(served);
    await peer.ask(
      { op: 'events', name: 'old', since: 5 },
      { op: 'events', name: 'other', since: 3, master: 'ffff0000' },
    );
    expect(await peer.next('lost')).toMatchObject({ name: 'old', events: 35 });
    await expect.poll(() => peer.messages.filter(({ kind }) => kind === 'event').length).toBe(20);
    expect(peer.messages.find(({ name }) => name === 'other')).toMatchObject({ resumed: false });
    peer.socket.close();
    await served.close();
  });

  it('tells states, then those that change; the last of several counts', async ({ served }) => {
    const { master } = served;
    const peer = new Peer(served);
    await peer.ask({ op: 'states', name: 's', select: ['web'] });
    expect(await peer.next('states')).toMatchObject({ workers: [{ id: 'web', phase: 'running' }] });
    for (const phase of ['stopping', 'stopped'] as const) {
      master.workersNow.set('web', view('web', { phase }));
      master.publish('web');
    }
    master.publish('db');
    expect(await peer.next('state')).toMatchObject({ worker: { id: 'web', phase: 'stopped' } });
    expect(peer.kinds().filter((kind) => kind === 'state')).toHaveLength(1);
    master.workersNow.delete('web');
    master.events.publish({ type: 'worker.removed', payload: { runs: 2 } }, NOW, 'web', null);
    expect(await peer.next('removed')).toMatchObject({ name: 's', worker: 'web', seq: master.events.seq });
    peer.socket.close();
  });

  it('tells lines and losses, ends when asked, and refuses what is wrong without ending the rest', async ({
    served,
  }) => {
    const peer = new Peer(served);
    await peer.ask({ op: 'logs', name: 'l', select: ['web'] });
    expect(await peer.next('line')).toMatchObject({ name: 'l', line: { text: 'hello', worker: 'web' } });
    expect(await peer.next('lost')).toMatchObject({ lost: { bytes: 10, lines: 1, worker: 'web' } });
    await peer.next('ended');
    await peer.ask(
      { op: 'events', name: 'e' },
      { op: 'events', name: 'e' },
      { op: 'logs', name: 'x', select: ['nix'] },
      { op: 'what' },
    );
    peer.socket.send('{');
    await expect.poll(() => peer.kinds().filter((kind) => kind === 'error').length).toBe(4);
    const codes = peer.messages.filter(({ kind }) => kind === 'error').map(({ code }) => code);
    expect(codes).toContain('E_UNKNOWN_WORKER');
    const before = peer.messages.length;
    served.master.publish();
    await peer.next('event', before);
    await peer.ask({ op: 'end', name: 'e' });
    await peer.next('ended', before);
    served.master.publish();
    expect(served.defects).toEqual([]);
    peer.socket.close();
  });

  it('closes with the surface, with the code for it', async () => {
    const served = await serve(new FakeMaster());
    const peer = new Peer(served);
    await peer.ask({ op: 'events', name: 'e' });
    await peer.next('begun');
    const closed = once(peer.socket, 'close');
    await served.close();
    expect((await closed)[0]).toBe(1001);
  });

  it('a frame that is too long ends the connection and nothing else', async ({ served }) => {
    const peer = new Peer(served);
    await once(peer.socket, 'open');
    peer.socket.send('x'.repeat(100_000));
    expect((await once(peer.socket, 'close'))[0]).toBe(1009);
    expect(await served.client.health()).toMatchObject({ workers: { total: 2 } });
  });

  it('F8: who does not read holds little, loses events and is told how many', async () => {
    const served = await serve(new FakeMaster(100));
    const { master } = served;
    const peer = new Peer(served);
    await peer.ask({ op: 'events', name: 'e' });
    await peer.next('begun');
    peer.socket.pause();
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    const total = 40_000;
    for (let i = 0; i < total; i += 1) {
      master.publish();
      if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().external - before).toBeLessThan(16e6);
    peer.socket.resume();
    await expect
      .poll(
        () => (peer.messages.findLast(({ kind }) => kind === 'event')?.['event'] as Event | undefined)?.seq,
      )
      .toBe(total);
    const seen = peer.messages.filter(({ kind }) => kind === 'event').length;
    const lost = peer.messages
      .filter(({ kind }) => kind === 'lost')
      .reduce((sum, { events }) => sum + Number(events), 0);
    expect(lost).toBeGreaterThan(0);
    expect(seen + lost).toBe(total);
    peer.socket.close();
    await served.close();
  });
});

describe('F8: a dead browser', () => {
  it('is told that it is let go, and then is, with all that waits for it; others hear on', async () => {
    await using served = await serve(new FakeMaster(1000), { patience: 300 * factor });
    const { master } = served;
    const [dead, living] = [new Peer(served), new Peer(served)];
    for (const peer of [dead, living]) {
      await peer.ask({ op: 'events', name: 'e' });
      await peer.next('begun');
    }
    const open = master.listening;
    dead.socket.pause();
    const closed = once(dead.socket, 'close');
    // More than the system and the master hold for it.
    while (master.listening === open) {
      for (let i = 0; i < 100; i += 1) master.publish();
      await new Promise((resolve) => setImmediate(resolve));
    }
    dead.socket.resume();
    expect([1013, 1006]).toContain((await closed)[0]);
    const { seq } = master.events;
    master.publish();
    const last = () => {
      const told = living.messages.findLast(({ kind }) => kind === 'event');
      return (told?.['event'] as Event | undefined)?.seq;
    };
    await expect.poll(last).toBe(seq + 1);
    expect(served.defects).toEqual([]);
    living.socket.close();
  });
});

describe('lines of JSON', () => {
  it('tell events as they come, until the reader goes', async ({ served }) => {
    const stop = new AbortController();
    const seen: number[] = [];
    served.master.publish();
    for await (const item of served.client.followEvents({ since: 0 }, stop.signal)) {
      if ('lost' in item) throw new Error('lost');
      seen.push(item.seq);
      if (seen.length < 3) served.master.publish();
      else stop.abort();
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  it('tell what comes from a command that is run in the place of a worker', async ({ served }) => {
    const seen: ExecNews[] = [];
    for await (const news of served.client.exec('web', ['true'])) seen.push(execNews.parse(news));
    expect(seen).toEqual([
      { session: 'session-1' },
      { stream: 'stderr', data: 'AP8K' },
      { exit: { code: 3, signal: null } },
    ]);
    await served.client.execInput('session-1', { data: 'aGVsbG8=', end: true });
    await served.client.execSignal('session-1', 'SIGINT');
    expect(served.master.asked).toEqual(['write hello', 'end', 'signal SIGINT']);
    await expect(served.client.execInput('other', {})).rejects.toMatchObject({ code: 'E_UNKNOWN_SESSION' });
  });

  it('that are not waited for any more are no defect', async ({ served }) => {
    const asked = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    Object.assign(served.master.logs, { tail: waitsInVain(asked.resolve, ended.resolve) });
    const request = get({ socketPath: served.socket, path: '/v1/logs' }).on('error', () => {});
    await asked.promise;
    request.destroy();
    await ended.promise;
    await served.client.health();
    expect(served.defects).toEqual([]);
  });

  it('say that the master has gone when the surface closes', async () => {
    const served = await serve(new FakeMaster());
    const lines = served.client.followEvents({});
    const next = lines.next();
    await expect.poll(() => served.master.events.seq).toBe(0);
    await served.close();
    await expect(next).rejects.toMatchObject({ code: 'E_NO_MASTER' });
  });
});

/** Reads nothing, until it is to read no more. */
function waitsInVain(asked: () => void, ended: () => void): Control['logs']['tail'] {
  return (_query, _count, signal) =>
    new Promise((_resolve, reject) => {
      asked();
      signal.addEventListener('abort', () => {
        reject((signal as AbortSignal).reason as Error);
        ended();
      });
    });
}
