// One life of a master as far as a spill is concerned: `FOLDER LIFE last|killed`. Offers numbered records for as long as it lives, to a
// sink that is often away and notes what it takes in `FOLDER/taken`; says how many it has offered. The last life only delivers.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { SinkQueue } from '../../src/sinks/queue.ts';
import { DEFAULT_QUEUE } from '../../src/sinks/queue-spec.ts';
import type { Sink } from '../../src/sinks/sink.ts';
import { hurriedClock } from '../support/real-clock.ts';
import { record } from '../support/records.ts';

const [folder = '', life = '1', end = 'last'] = process.argv.slice(2);
const isLast = end === 'last';
const sink: Sink = {
  name: 'noting',
  async send(batch) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    if (!isLast && Math.random() < 0.7) return { kind: 'later', reason: 'away', after: null };
    appendFileSync(join(folder, 'taken'), batch.map(({ run, seq }) => `${run} ${seq}\n`).join(''));
    return { kind: 'taken' };
  },
  close: () => Promise.resolve(),
};
const queue = new SinkQueue(
  sink,
  {
    ...DEFAULT_QUEUE,
    memory: 64 * 1024,
    batchCount: 50,
    firstRetry: 500,
    longestRetry: 3000,
    spill: { folder: join(folder, 'spill'), maxBytes: 256 * 1024 * 1024 },
  },
  { clock: hurriedClock(100), news: () => undefined },
);

if (isLast) {
  await queue.close(600_000);
  process.stdout.write(`${JSON.stringify(queue.counters())}\n`);
} else {
  let seq = 0;
  setInterval(() => {
    for (let count = 0; count < 20; count += 1) {
      seq += 1;
      queue.offer(record({ run: Number(life), seq, text: `line ${seq}` }));
    }
    const { dropped, spilled } = queue.counters();
    process.stdout.write(`${seq} ${spilled} ${dropped}\n`);
  }, 4);
}
