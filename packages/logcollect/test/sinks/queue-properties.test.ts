import { FakeClock } from '@hsu-master/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../src/record.ts';
import { SinkQueue } from '../../src/sinks/queue.ts';
import { DEFAULT_QUEUE, type QueueSpec } from '../../src/sinks/queue-spec.ts';
import type { Delivery, Sink } from '../../src/sinks/sink.ts';
import { Spill } from '../../src/sinks/spill.ts';
import { FakeSpillDisk } from '../support/fake-spill-disk.ts';
import { record } from '../support/records.ts';

const RUNS = 200;

/** Lets everything happen that needs no time to pass. */
async function settle(): Promise<void> {
  for (let round = 0; round < 4; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Answers as the test’s dice say, and remembers what it took. */
class DicedSink implements Sink {
  readonly name = 'diced';
  readonly taken: LogRecord[] = [];
  refused = 0;
  largest = 0;
  #answers: readonly number[];
  #asked = 0;
  dead = false;

  constructor(answers: readonly number[]) {
    this.#answers = answers;
  }

  async send(batch: readonly LogRecord[]): Promise<Delivery> {
    await Promise.resolve();
    if (this.dead) return await new Promise<never>(() => undefined);
    this.largest = Math.max(this.largest, batch.length);
    const answer = this.#answers[this.#asked % Math.max(1, this.#answers.length)] ?? 0;
    this.#asked += 1;
    const half = Math.floor(batch.length / 2);
    switch (answer) {
      case 1:
        return { kind: 'later', reason: 'busy', after: null };
      case 2:
        this.taken.push(...batch.slice(half));
        return { kind: 'rest', left: batch.slice(0, half), refused: 0, reason: 'some', after: 100 };
      case 3:
        this.taken.push(...batch.slice(1));
        this.refused += 1;
        return { kind: 'partly', refused: 1, reason: 'malformed' };
      case 4:
        return { kind: 'too-big', reason: 'HTTP 413' };
      case 5:
        throw new Error('a defect of the sink');
      default:
        this.taken.push(...batch);
        return { kind: 'taken' };
    }
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}

const spec = fc.record({
  memory: fc.integer({ min: 500, max: 8000 }),
  batchCount: fc.integer({ min: 1, max: 12 }),
  batchBytes: fc.integer({ min: 300, max: 3000 }),
  whenFull: fc.constantFrom('drop-oldest' as const, 'drop-newest' as const),
  spill: fc.option(
    fc.record({ folder: fc.constant('/spill'), maxBytes: fc.integer({ min: 400, max: 20_000 }) }),
  ),
});

type Step = { readonly offer: number } | { readonly advance: number } | { readonly diskFails: boolean };
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ offer: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 3, arbitrary: fc.record({ advance: fc.integer({ min: 1, max: 5000 }) }) },
    { weight: 1, arbitrary: fc.record({ diskFails: fc.boolean() }) },
  ),
  { minLength: 1, maxLength: 25 },
);

class Scene {
  readonly clock = new FakeClock();
  readonly offered: LogRecord[] = [];
  #numbers = new Map<string, number>();

  async play(queue: SinkQueue, script: readonly Step[], disk: FakeSpillDisk): Promise<void> {
    for (const step of script) {
      if ('offer' in step) for (let count = 0; count < step.offer; count += 1) this.#offer(queue);
      else if ('advance' in step) this.clock.advance(step.advance);
      else {
        disk.trouble = (operation) => {
          if (step.diskFails && operation !== 'remove') throw new Error('EIO');
        };
      }
      await settle();
    }
    disk.trouble = () => undefined;
  }

  #offer(queue: SinkQueue): void {
    const workerId = this.offered.length % 3 === 0 ? 'odd' : 'web';
    const seq = (this.#numbers.get(workerId) ?? 0) + 1;
    this.#numbers.set(workerId, seq);
    const made = record({ workerId, seq, text: 'x'.repeat(this.offered.length % 50) });
    this.offered.push(made);
    queue.offer(made);
  }

  async close(queue: SinkQueue, within: number): Promise<void> {
    const state = { isClosed: false };
    void queue.close(within).then(() => (state.isClosed = true));
    for (let round = 0; !state.isClosed; round += 1) {
      expect(round).toBeLessThan(2000);
      await settle();
      if (!state.isClosed) this.clock.runNext();
    }
  }
}

function keys(records: readonly LogRecord[]): string[] {
  return records.map(({ workerId, seq }) => `${workerId} ${seq}`);
}

/** A partial refusal reorders within its batch; otherwise a worker’s records come in their order. */
function expectOrder(records: readonly LogRecord[]): void {
  const last = new Map<string, number>();
  for (const { workerId, seq } of records) {
    expect(seq).toBeGreaterThan(last.get(workerId) ?? 0);
    last.set(workerId, seq);
  }
}

function queueSpec(
  over: Omit<QueueSpec, keyof typeof DEFAULT_QUEUE | 'spill'> & Partial<QueueSpec>,
): QueueSpec {
  return { ...DEFAULT_QUEUE, spill: null, ...over };
}

test('every record is delivered once and in order, refused, dropped with a count, or kept for the next master', async () => {
  await fc.assert(
    fc.asyncProperty(
      spec,
      steps,
      fc.array(fc.nat(5), { maxLength: 12 }),
      fc.nat(20_000),
      async (bounds, script, answers, within) => {
        const scene = new Scene();
        const disk = new FakeSpillDisk();
        const first = new DicedSink(answers);
        const surroundings = { clock: scene.clock, disk, news: () => undefined };
        const queue = new SinkQueue(first, queueSpec(bounds), surroundings);
        await scene.play(queue, script, disk);
        const before = queue.counters();
        expect(before.delivered + before.refused + before.dropped + before.damaged + before.waiting).toBe(
          scene.offered.length,
        );
        await scene.close(queue, within);
        const counters = queue.counters();

        const second = new DicedSink([]);
        const next = new SinkQueue(second, queueSpec(bounds), surroundings);
        await settle();
        await scene.close(next, 60_000);

        const all = [...first.taken, ...second.taken];
        expect(new Set(keys(all)).size).toBe(all.length);
        expect(all.length + counters.refused + counters.dropped + counters.damaged).toBe(
          scene.offered.length,
        );
        expect(first.taken).toHaveLength(counters.delivered);
        expect(first.largest).toBeLessThanOrEqual(bounds.batchCount);
        if (!answers.includes(2)) expectOrder(all);
        if (bounds.spill === null) expect(second.taken).toHaveLength(0);
      },
    ),
    { numRuns: RUNS },
  );
});

test('a master that is killed loses what was in memory and repeats one batch, no more', async () => {
  await fc.assert(
    fc.asyncProperty(
      spec,
      steps,
      fc.array(fc.nat(1), { maxLength: 12 }),
      fc.nat(300),
      async (bounds, script, answers, torn) => {
        const scene = new Scene();
        const disk = new FakeSpillDisk();
        const first = new DicedSink(answers);
        const surroundings = { clock: scene.clock, disk, news: () => undefined };
        const queue = new SinkQueue(first, queueSpec(bounds), surroundings);
        // What the disk refuses to note is delivered again, however much it is.
        await scene.play(
          queue,
          script.filter((step) => !('diskFails' in step)),
          disk,
        );
        const { dropped, refused, waiting } = queue.counters();
        const after = disk.afterCrash(torn);
        first.dead = true;

        const second = new DicedSink([]);
        const next = new SinkQueue(second, queueSpec(bounds), { ...surroundings, disk: after });
        await settle();
        await scene.close(next, 60_000);
        const again = next.counters();

        expectOrder(second.taken);
        const twice = keys(second.taken).filter((key) => keys(first.taken).includes(key));
        expect(twice.length).toBeLessThanOrEqual(bounds.batchCount);
        const seen = new Set(keys([...first.taken, ...second.taken]));
        const missing = scene.offered.length - seen.size - dropped - refused;
        if (torn === 0) {
          expect(again.damaged).toBe(0);
          expect(missing).toBeLessThanOrEqual(waiting - (again.found - twice.length));
        } else expect(missing).toBeLessThanOrEqual(waiting);
      },
    ),
    { numRuns: RUNS },
  );
});

test('however often masters follow one another in order, every record is delivered once and in order, or counted', async () => {
  const life = fc.record({
    script: steps.map((all) => all.filter((step) => !('diskFails' in step))),
    answers: fc.array(fc.constantFrom(0, 0, 1, 1, 3, 4, 5), { maxLength: 8 }),
    within: fc.nat(3000),
  });
  await fc.assert(
    fc.asyncProperty(spec, fc.array(life, { minLength: 2, maxLength: 5 }), async (bounds, lives) => {
      const scene = new Scene();
      const disk = new FakeSpillDisk();
      const surroundings = { clock: scene.clock, disk, news: () => undefined };
      const taken: LogRecord[] = [];
      let lost = 0;
      for (const { script, answers, within } of [...lives, { script: [], answers: [], within: 60_000 }]) {
        const sink = new DicedSink(answers);
        const queue = new SinkQueue(sink, queueSpec(bounds), surroundings);
        await scene.play(queue, script, disk);
        await scene.close(queue, within);
        const { dropped, refused, damaged } = queue.counters();
        expect(damaged).toBe(0);
        lost += dropped + refused;
        taken.push(...sink.taken);
      }
      expectOrder(taken);
      expect(new Set(keys(taken)).size).toBe(taken.length);
      expect(taken.length + lost).toBe(scene.offered.length);
      expect([...disk.files.keys()].filter((path) => path.endsWith('.spill'))).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

test('a master that is killed while it closes loses nothing that was on disk', async () => {
  const roomy = spec.map((bounds) => ({ ...bounds, spill: { folder: '/spill', maxBytes: 10_000_000 } }));
  const calm = steps.map((all) => all.filter((step) => !('diskFails' in step)));
  const life = fc.record({ script: calm, answers: fc.array(fc.nat(1), { maxLength: 8 }) });
  await fc.assert(
    fc.asyncProperty(
      roomy,
      life,
      life,
      fc.nat(14),
      fc.nat(2000),
      async (bounds, one, other, operations, within) => {
        const scene = new Scene();
        const clock = scene.clock;
        const disk = new FakeSpillDisk();
        // The first leaves something ahead of everything.
        const before = new DicedSink(one.answers);
        const first = new SinkQueue(before, queueSpec(bounds), { clock, disk, news: () => undefined });
        await scene.play(first, one.script, disk);
        await scene.close(first, 10);

        const sink = new DicedSink(other.answers);
        const second = new SinkQueue(sink, queueSpec(bounds), { clock, disk, news: () => undefined });
        await scene.play(second, other.script, disk);
        const onDisk = keys(await everything(disk.copy()));
        disk.left = operations;
        void second.close(within);
        for (let round = 0; round < 30; round += 1) {
          await settle();
          clock.advance(100);
        }
        sink.dead = true;

        const after = new DicedSink([]);
        const third = new SinkQueue(after, queueSpec(bounds), {
          clock,
          disk: disk.afterCrash(),
          news: () => undefined,
        });
        await scene.close(third, 60_000);
        const seen = new Set(keys([...before.taken, ...sink.taken, ...after.taken]));
        expect(onDisk.filter((key) => !seen.has(key))).toEqual([]);
      },
    ),
    { numRuns: RUNS },
  );
});

async function everything(disk: FakeSpillDisk): Promise<LogRecord[]> {
  const spill = new Spill({ folder: '/spill', maxBytes: 10_000_000 }, disk);
  await spill.open();
  const all: LogRecord[] = [];
  for (let next = await spill.read(); next !== null; next = await spill.read()) all.push(...next.records);
  return all;
}
