import { loadNative } from '@hsu-master/native';
import { expect, test } from 'vitest';
import type { LogRecord } from '../src/record.ts';
import type { SinkQueue } from '../src/sinks/queue.ts';
import type { WrittenTarget } from '../src/sinks/read-target.ts';
import { folder } from '../test/support/place.ts';
import { hurriedClock } from '../test/support/real-clock.ts';
import { record, records } from '../test/support/records.ts';
import { offer, sinkOf } from '../test/support/sinks.ts';
import { Rsyslog, type Understood } from './rsyslog.ts';

const CLOSE = 30_000;
const COUNT = 2000;
const clock = hurriedClock();

type Way = 'udp' | 'tcp' | 'tls' | 'stream' | 'datagram';

const loaded = loadNative();
const unixDatagram = loaded.ok ? loaded.native.sendDatagram : null;

function endpointOf(rsyslog: Rsyslog, way: Way): string {
  switch (way) {
    case 'stream':
      return `unix://${rsyslog.stream}`;
    case 'datagram':
      return `unixgram://${rsyslog.datagram}`;
    default:
      return `${way}://127.0.0.1:${rsyslog[way]}`;
  }
}

function targetOf(rsyslog: Rsyslog, way: Way, config: object = {}): WrittenTarget {
  const { certFile, keyFile } = rsyslog.client;
  return {
    type: 'syslog',
    endpoint: endpointOf(rsyslog, way),
    facility: 'local3',
    ...(way === 'tls'
      ? { authentication: { type: 'certificate', cert_file: certFile, key_file: keyFile } }
      : {}),
    config: {
      ...(way === 'tls' ? { ca_file: rsyslog.authority.caFile } : {}),
      flush_interval: '10ms',
      ...config,
    },
  };
}

function syslog(rsyslog: Rsyslog, way: Way, config: object = {}, spillFolder?: string) {
  return sinkOf(targetOf(rsyslog, way, config), {
    clock,
    unixDatagram,
    ...(spillFolder === undefined ? {} : { spillFolder }),
  });
}

async function sent(queue: SinkQueue, all: readonly LogRecord[]): Promise<void> {
  const before = queue.counters().delivered;
  offer(queue, all);
  await expect.poll(() => queue.counters().delivered - before).toBe(all.length);
}

const AWKWARD = [
  record({ seq: 1, level: 'warn', text: 'grüße: "quoted" [x] \\ 🙂', fields: { 'a=b "c"': 'x]"\\y', n: 1 } }),
  record({ seq: 2, stream: 'stderr', text: '' }),
  record({ seq: 3, level: 'emergency', text: 'first\nsecond\n  third' }),
];

test.each<[string, Way, object]>([
  ['UDP', 'udp', {}],
  ['TCP with octet counting', 'tcp', { framing: 'octet_counting' }],
  ['TCP with newlines', 'tcp', { framing: 'newline' }],
  ['TLS with both sides’ certificates', 'tls', {}],
  ['a unix stream socket', 'stream', { framing: 'octet_counting' }],
])(
  'rsyslog understands RFC 5424 over %s, and gets each line once and in order',
  async (_name, way, config) => {
    const rsyslog = await new Rsyslog().start();
    const { queue, news } = syslog(rsyslog, way, config);
    await sent(queue, AWKWARD);
    await expect.poll(() => rsyslog.understood(way)).toHaveLength(3);
    const [first, second, third] = rsyslog.understood(way) as [Understood, Understood, Understood];
    expect(first).toMatchObject({
      priority: String(19 * 8 + 4),
      time: '2026-11-21T12:00:00.250Z',
      host: 'box',
      app: 'web',
      pid: '1',
      id: 'stdout',
      data: '[hsu@32473 worker="web" seq="1" a_b__c_="x\\]\\"\\\\y" n="1"]',
      text: 'grüße: "quoted" [x] \\ 🙂',
    });
    expect(second).toMatchObject({ priority: String(19 * 8 + 3), id: 'stderr', text: '' });
    // rsyslog itself writes a newline within a message as #012.
    expect(third).toMatchObject({ priority: String(19 * 8), text: 'first#012second#012  third' });
    const many = records(COUNT).map((item) => ({ ...item, seq: item.seq + 3 }));
    await sent(queue, many);
    await queue.close(CLOSE);
    await expect.poll(() => rsyslog.understood(way).length).toBe(COUNT + 3);
    expect(
      rsyslog
        .understood(way)
        .slice(3)
        .map(({ text }) => text),
    ).toEqual(many.map(({ text }) => text));
    expect(news).toEqual([]);
  },
);

test.each<Way>(['udp', 'tcp', 'tls', 'stream'])('rsyslog understands RFC 3164 over %s', async (way) => {
  const rsyslog = await new Rsyslog().start();
  const { queue } = syslog(rsyslog, way, { syslog_format: 'rfc3164', tag: 'shop' });
  await sent(queue, [record({ level: 'info', text: 'hello there' })]);
  await queue.close(CLOSE);
  await expect.poll(() => rsyslog.understood(way)).toHaveLength(1);
  expect(rsyslog.understood(way)[0]).toMatchObject({
    priority: String(19 * 8 + 6),
    host: 'box',
    app: 'shop',
    pid: '1',
    text: ' hello there',
  });
});

test('rsyslog gets each line from a datagram socket as from a program of the machine’s own, also when it is behind', async () => {
  const rsyslog = await new Rsyslog().start();
  const { queue, news } = syslog(rsyslog, 'datagram');
  const all = records(5 * COUNT, { level: 'info' });
  await sent(queue, all);
  await queue.close(CLOSE);
  await expect.poll(() => rsyslog.understood('datagram').length).toBe(all.length);
  const understood = rsyslog.understood('datagram');
  expect(understood[0]).toMatchObject({ priority: String(19 * 8 + 6), app: 'web', pid: '1' });
  expect(understood.map(({ text }) => text)).toEqual(all.map(({ text }) => ` ${text}`));
  expect(news).toEqual([]);
});

test('what rsyslog misses while it is down waits on disk, and comes in order when it is back', async () => {
  const rsyslog = await new Rsyslog().start();
  const place = folder();
  const { queue, news } = syslog(
    rsyslog,
    'tcp',
    { buffer_size: '64KiB', batch_lines: 50, max_retry_delay: '200ms', retry_delay: '50ms' },
    place,
  );
  const all = records(6000);
  await sent(queue, all.slice(0, 100));
  await expect.poll(() => rsyslog.understood('tcp').length).toBe(100);
  await rsyslog.stop();
  for (let at = 100; at < all.length; at += 100) {
    offer(queue, all.slice(at, at + 100));
    // What is on its way to the disk is there before more comes.
    await expect.poll(() => queue.counters().memory).toBeLessThan(48 * 1024);
  }
  expect(news.map(({ kind }) => kind)).toEqual(['failing']);
  expect(queue.counters().spilled).toBeGreaterThan(5000);
  await rsyslog.start();
  await expect.poll(() => queue.counters().delivered).toBe(6000);
  await queue.close(CLOSE);
  await expect.poll(() => rsyslog.understood('tcp').length).toBe(6000);
  expect(rsyslog.understood('tcp').map(({ text }) => text)).toEqual(all.map(({ text }) => text));
  expect(news.map(({ kind }) => kind)).toEqual(['failing', 'recovered']);
});

test('a server that the authority does not know gets nothing', async () => {
  const rsyslog = await new Rsyslog().start();
  const stranger = await new Rsyslog().start();
  const { certFile, keyFile } = rsyslog.client;
  const { queue, news } = sinkOf(
    {
      type: 'syslog',
      endpoint: `tls://127.0.0.1:${rsyslog.tls}`,
      authentication: { type: 'certificate', cert_file: certFile, key_file: keyFile },
      config: { ca_file: stranger.authority.caFile },
    },
    { clock },
  );
  offer(queue, records(3));
  await expect.poll(() => news.length).toBe(1);
  await queue.close(0);
  expect(rsyslog.understood('tls')).toEqual([]);
  expect(queue.counters()).toMatchObject({ delivered: 0, dropped: 3 });
});
