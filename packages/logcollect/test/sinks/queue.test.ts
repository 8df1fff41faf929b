import { FakeClock } from '@hsu-master/testkit';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../src/record.ts';
import { SinkQueue } from '../../src/sinks/queue.ts';
import { DEFAULT_QUEUE, type QueueSpec, type SinkNews } from '../../src/sinks/queue-spec.ts';
import type { Delivery, Sink } from '../../src/sinks/sink.ts';
import { FakeSpillDisk } from '../support/fake-spill-disk.ts';
import { records } from '../support/records.ts';
import { offer } from '../support/sinks.ts';

const SPILL = { folder: '/spill', maxBytes: 1024 * 1024 };

async function settle(): Promise<void> {
  for (let round = 0; round < 6; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

function stage(spec: Partial<QueueSpec> = {}, disk = new FakeSpillDisk()) {
  const clock = new FakeClock();
  const news: SinkNews[] = [];
  const batches: { at: number; seqs: number[] }[] = [];
  const state = {
    answer: (): Delivery | Promise<Delivery> => ({ kind: 'taken' }),
    closed: false,
  };
  const sink: Sink = {
    name: 'there',
    async send(batch: readonly LogRecord[]) {
      batches.push({ at: clock.now(), seqs: batch.map(({ seq }) => seq) });
      return await state.answer();
    },
    async close() {
      await Promise.resolve();
      state.closed = true;
    },
  };
  const queue = new SinkQueue(
    sink,
    { ...DEFAULT_QUEUE, spill: null, ...spec },
    { clock, disk, news: (item) => news.push(item) },
  );
  const advance = async (span: number, step = span): Promise<void> => {
    for (let done = 0; done < span; done += step) {
      clock.advance(Math.min(step, span - done));
      await settle();
    }
  };
  return { clock, news, batches, state, queue, advance };
}

test('a batch goes when it is full, or large, or its first record has waited', async () => {
  const { batches, queue, advance } = stage({ batchCount: 3, batchBytes: 10_000 });
  await settle();
  offer(queue, records(2));
  await advance(999);
  expect(batches).toEqual([]);
  await advance(1);
  expect(batches).toEqual([{ at: 1000, seqs: [1, 2] }]);
  offer(queue, records(7));
  await settle();
  expect(batches.map(({ seqs }) => seqs.length)).toEqual([2, 3, 3]);
  await advance(1000);
  expect(batches.at(-1)).toEqual({ at: 2000, seqs: [7] });
  offer(queue, records(2, { text: 'x'.repeat(6000) }));
  await settle();
  expect(batches.at(-1)?.seqs).toEqual([1]);
});

test('failures are repeated after growing, jittered pauses, and not before the service allows', async () => {
  const { batches, state, queue, advance, news } = stage({ batchAge: 0, longestRetry: 4000 });
  const later = (after: number | null): Delivery => ({ kind: 'later', reason: 'busy', after });
  const answers = [later(null), later(null), later(null), later(null), later(30_000)];
  state.answer = () => answers.shift() ?? { kind: 'taken' };
  offer(queue, records(1));
  await advance(60_000, 10);
  const pauses = batches.slice(1).map(({ at }, index) => at - (batches[index]?.at ?? 0));
  expect(pauses).toHaveLength(5);
  [1000, 2000, 4000, 4000].forEach((most, index) => {
    expect(pauses[index]).toBeGreaterThanOrEqual(most / 2);
    expect(pauses[index]).toBeLessThanOrEqual(most + 10);
  });
  expect(pauses[4]).toBeGreaterThanOrEqual(30_000);
  expect(news).toMatchObject([
    { sink: 'there', kind: 'failing', reason: 'busy' },
    { sink: 'there', kind: 'recovered', failures: 5 },
  ]);
  expect(queue.counters()).toMatchObject({ delivered: 1, failures: 5, repeated: 5, trouble: null });
});

test('an outage loses the oldest or the newest, says so once, and tells the exact number when it is over', async () => {
  for (const whenFull of ['drop-oldest', 'drop-newest'] as const) {
    const { batches, state, queue, advance, news } = stage({ memory: 2100, batchCount: 4, whenFull });
    state.answer = () => ({ kind: 'later', reason: 'away', after: null });
    offer(queue, records(4));
    await settle();
    offer(queue, records(100, { workerId: 'db' }).slice(4));
    await settle();
    const losses = news.filter(({ kind }) => kind === 'losing' || kind === 'lost');
    expect(losses).toMatchObject([
      { cause: 'dropped', kind: 'losing', records: 0, reason: 'more comes than goes' },
    ]);
    state.answer = () => ({ kind: 'taken' });
    await advance(30_000, 100);
    expect(queue.counters()).toMatchObject({ delivered: 14, dropped: 86, waiting: 0 });
    const [, lost] = news.filter(({ kind }) => kind === 'losing' || kind === 'lost');
    expect(lost).toMatchObject({ kind: 'lost', records: 86, workers: new Map([['db', 86]]) });
    const seqs = batches.flatMap(({ seqs }) => seqs).slice(-10);
    expect(seqs).toEqual(
      Array.from({ length: 10 }, (_unused, index) => (whenFull === 'drop-oldest' ? 91 : 5) + index),
    );
  }
});

test('closing sends what waits, keeps on disk what is left, and the next master goes on with it', async () => {
  const disk = new FakeSpillDisk();
  const first = stage({ spill: SPILL, batchCount: 10 }, disk);
  first.state.answer = () =>
    first.batches.length < 3 ? { kind: 'taken' } : { kind: 'later', reason: 'away', after: null };
  await settle();
  offer(first.queue, records(50));
  await first.queue.close(10_000);
  expect(first.clock.now()).toBe(0);
  expect(first.state.closed).toBe(true);
  expect(first.queue.counters()).toMatchObject({ delivered: 20, dropped: 0 });
  const second = stage({ spill: SPILL, batchCount: 10 }, disk);
  offer(second.queue, records(3, { run: 2 }));
  await settle();
  await second.advance(1000);
  expect(second.batches.flatMap(({ seqs }) => seqs)).toEqual([
    ...records(50)
      .slice(20)
      .map(({ seq }) => seq),
    1,
    2,
    3,
  ]);
  expect(second.news).toEqual([{ sink: 'there', kind: 'found', records: 30 }]);
  expect([...disk.files.keys()]).toEqual(['/spill/position']);
});

test('closing gives a sink that answers nothing its time, and no more', async () => {
  const { state, queue, clock, news } = stage({ batchAge: 0 });
  state.answer = () => new Promise(() => undefined);
  offer(queue, records(5));
  await settle();
  let isClosed = false;
  void queue.close(3000).then(() => (isClosed = true));
  await settle();
  clock.advance(4999);
  await settle();
  expect(isClosed).toBe(false);
  clock.advance(1);
  await settle();
  expect(isClosed).toBe(true);
  expect(queue.counters()).toMatchObject({ dropped: 5, waiting: 0 });
  expect(news.at(-1)).toMatchObject({ kind: 'lost', records: 5, reason: 'the master ended' });
  offer(queue, records(1));
  expect(queue.counters()).toMatchObject({ offered: 6, dropped: 6 });
});

test('a full disk is told once; records wait in memory, the surplus is counted, and it resumes by itself', async () => {
  const disk = new FakeSpillDisk();
  disk.quota = 3000;
  const { state, queue, advance, news } = stage({ spill: SPILL, memory: 20_000, batchCount: 10 }, disk);
  state.answer = () => ({ kind: 'later', reason: 'away', after: null });
  await settle();
  for (let count = 0; count < 20; count += 1) {
    offer(queue, records(10));
    await advance(200, 50);
  }
  const { dropped, waiting, delivered } = queue.counters();
  expect(news.filter(({ kind }) => kind === 'spill-failing')).toMatchObject([{ reason: 'ENOSPC' }]);
  expect(dropped).toBeGreaterThan(0);
  expect(dropped + waiting + delivered).toBe(200);
  disk.quota = Number.POSITIVE_INFINITY;
  state.answer = () => ({ kind: 'taken' });
  await advance(120_000, 1000);
  expect(queue.counters()).toMatchObject({ dropped, delivered: 200 - dropped, damaged: 0, waiting: 0 });
});

test('lag is the age of the oldest record', async () => {
  const { state, queue, clock } = stage({ batchAge: 0 });
  state.answer = () => new Promise(() => undefined);
  offer(queue, records(2, { at: clock.wallNow() }));
  await settle();
  clock.advance(1234);
  expect(queue.counters()).toMatchObject({ lag: 1234, waiting: 2, trouble: null });
});

test('without a folder for the spill records go by memory, and the folder is used as soon as it can be', async () => {
  const disk = new FakeSpillDisk();
  disk.trouble = (operation) => {
    if (operation === 'makeFolder') throw Object.assign(new Error('EACCES: no'), { code: 'EACCES' });
  };
  const { batches, state, queue, advance, news } = stage(
    { spill: SPILL, memory: 20_000, batchCount: 10 },
    disk,
  );
  await settle();
  offer(queue, records(30));
  await advance(1000, 50);
  expect(batches.flatMap(({ seqs }) => seqs)).toEqual(records(30).map(({ seq }) => seq));
  expect(news).toEqual([{ sink: 'there', kind: 'spill-failing', reason: 'EACCES' }]);
  state.answer = () => ({ kind: 'later', reason: 'away', after: null });
  disk.trouble = () => undefined;
  for (let count = 0; count < 20; count += 1) {
    offer(queue, records(10));
    await advance(1000, 50);
  }
  expect(queue.counters()).toMatchObject({ dropped: 0, delivered: 30, waiting: 200 });
  expect(queue.counters().spilled).toBeGreaterThan(100);
  await queue.close(0);
  const next = stage({ spill: SPILL }, disk);
  await next.queue.close(1000);
  expect(next.queue.counters()).toMatchObject({ found: 200, delivered: 200 });
});
