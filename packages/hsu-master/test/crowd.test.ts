import { ApiError, type Client, type PlainOrder } from '@hsu-master/api/client';
import { expect } from 'vitest';
import { clientOf } from './background.ts';
import { eventually, it, PATIENCE } from './drive.ts';

const CLIENTS = 100;
const SPAN = 3000;
const ORDERS: readonly PlainOrder[] = ['start', 'stop', 'restart', 'reset', 'kill'];

/** Numbers that are the same each time: mulberry32. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One client that asks at random until the time is up; what it was answered that it should not have been. */
async function ask(
  client: Client,
  ids: readonly string[],
  random: () => number,
  until: number,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  while (performance.now() < until) {
    const id = pick(ids);
    const what = random();
    try {
      if (what < 0.5) {
        const { state } = await client.order(id, pick(ORDERS), pick([undefined, '1s', '20s']));
        if (state === 'failed') wrong.push(`${id} failed`);
      } else if (what < 0.6) await client.workers({ usage: random() < 0.5 });
      else if (what < 0.7) await client.why(id);
      else if (what < 0.8) await client.events({ since: Math.floor(random() * 100), limit: 10 });
      else if (what < 0.9) await client.logs({ select: [id], lines: 5 });
      else await client.worker(id);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) wrong.push(String(error));
    }
  }
  return wrong;
}

it(
  `${CLIENTS} clients at once give random orders: no error of the master, no lost ticket, never two processes of one worker`,
  async ({ stage }) => {
    const ids = Array.from({ length: 8 }, (_, index) => `w${index}`);
    const run = stage.run(
      ids.map((id) => ({
        id,
        shell: true,
        command: 'echo hello; exec sleep 1000',
        ...(id === 'w7' ? { depends_on: ['w0'] } : {}),
      })),
    );
    await run.line(/w7: started/);
    const clients = Array.from({ length: CLIENTS }, () => clientOf(stage));
    const [observer] = clients as [Client, ...Client[]];
    const until = performance.now() + SPAN;
    const wrong = await Promise.all(
      clients.map((client, index) => ask(client, ids, chance(index + 1), until)),
    );
    expect(wrong.flat()).toEqual([]);
    // Each run of a worker ends before its next begins: at most one process lives.
    const { events, lost } = await observer.events({ since: 0 });
    const living = new Map<string, number>();
    for (const { type, workerId, run: number } of events) {
      if (workerId === null || number === null) continue;
      if (type === 'worker.started') {
        if (lost === 0) expect(living.has(workerId)).toBe(false);
        living.set(workerId, number);
      } else if (type === 'worker.exited') living.delete(workerId);
    }
    for (const id of ids) await observer.order(id, 'stop', '20s');
    // What waited for a dependency has been overruled.
    await expect.poll(() => observer.tickets(), { timeout: PATIENCE }).toEqual([]);
    const { workers } = await observer.workers();
    expect(workers.map(({ phase, process }) => [phase, process])).toEqual(ids.map(() => ['stopped', null]));
    await eventually(() => stage.leftOvers().filter(({ pid }) => pid !== run.pid).length === 0);
    expect(run.matching(/internal error/)).toEqual([]);
    for (const client of clients) client.close();
    await run.stop();
  },
  3 * PATIENCE,
);
