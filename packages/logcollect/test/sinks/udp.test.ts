import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { consoleOut } from '../../src/sinks/console.ts';
import { UnixDatagramWire } from '../../src/sinks/syslog-wire.ts';
import { folder } from '../support/place.ts';
import { hurriedClock } from '../support/real-clock.ts';
import { records } from '../support/records.ts';
import { offer, sinkOf } from '../support/sinks.ts';

const CLOSE = 60_000;

async function listener(port = 0) {
  const socket = createSocket('udp4');
  const heard: string[] = [];
  socket.on('message', (message) => heard.push(String(message)));
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => {
    try {
      socket.close();
    } catch {
      // It is closed already.
    }
  });
  return { socket, heard, port: socket.address().port };
}

test('over UDP it is noticed that nobody listens, and what was sent at that moment is sent again', async () => {
  const first = await listener();
  const { port } = first;
  first.socket.close();
  const { queue, news } = sinkOf({
    type: 'syslog',
    endpoint: `udp://127.0.0.1:${port}`,
    config: { batch_lines: 10 },
  });
  offer(queue, records(40));
  await expect.poll(() => news.length).toBe(1);
  expect(news[0]).toMatchObject({
    kind: 'failing',
    reason: expect.stringContaining('ECONNREFUSED') as string,
  });
  expect(queue.counters().delivered).toBe(0);
  const second = await listener(port);
  await queue.close(CLOSE);
  await expect.poll(() => second.heard.length).toBe(40);
  expect(second.heard.map((text) => / (line \d+)$/.exec(text)?.[1])).toEqual(
    records(40).map(({ text }) => text),
  );
});

test('a datagram socket that is behind is waited for; without a way to send there, records wait', async () => {
  const taken: string[] = [];
  let refusals = 3;
  const wire = new UnixDatagramWire(
    '/dev/log',
    (_path, bytes) => {
      refusals -= 1;
      if (refusals >= 0) return 'EAGAIN';
      if (taken.length === 2) return 'ENOENT';
      taken.push(Buffer.from(bytes).toString());
      return null;
    },
    hurriedClock(100),
  );
  const messages = ['a', 'b', 'c'].map((text) => Buffer.from(text));
  expect(await wire.send(messages, new AbortController().signal)).toEqual({
    sent: 2,
    reason: '/dev/log: ENOENT',
  });
  expect(taken).toEqual(['a', 'b']);
  const { queue, news } = sinkOf({ type: 'syslog', config: { spill_size: 0 } });
  offer(queue, records(1));
  await expect.poll(() => news.length).toBe(1);
  expect(news[0]).toMatchObject({ reason: expect.stringContaining('need the native addon') as string });
  await queue.close(0);
});

test('a descriptor of the master’s is written in order, and closed for writing when that is done', async () => {
  const path = join(folder(), 'out');
  const fd = openSync(path, 'w');
  const out = consoleOut(fd, hurriedClock());
  const texts = Array.from({ length: 50 }, (_unused, index) => `${index} ${'x'.repeat(20_000)}\n`);
  for (const text of texts) await out(text);
  await out.close();
  closeSync(fd);
  expect(readFileSync(path, 'utf8')).toBe(texts.join(''));
});
