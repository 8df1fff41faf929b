import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { QueueCounters } from '../../src/sinks/queue-spec.ts';
import { folder } from '../support/place.ts';

const PROGRAM = fileURLToPath(new URL('../programs/spill-life.ts', import.meta.url));
const LIVES = 5;
const BATCH = 50;
/** 64 KiB of the lightest records. */
const MOST_IN_MEMORY = 330;

async function live(place: string, life: number, until: number | null): Promise<string> {
  const words = [PROGRAM, place, String(life), until === null ? 'last' : 'killed'];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    const offered = Number(said.split('\n').at(-2)?.split(' ')[0] ?? 0);
    if (until !== null && offered >= until && child.exitCode === null) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return said.trimEnd().split('\n').at(-1) ?? '';
}

test('masters that are killed with a spill lose what was in memory, repeat at most a batch each, and keep the order', async () => {
  const place = folder();
  const offered: number[] = [];
  for (let life = 1; life <= LIVES; life += 1) {
    const [count = 0, , dropped = 0] = (await live(place, life, 300 * life)).split(' ').map(Number);
    offered.push(count - dropped);
  }
  const counters = JSON.parse(await live(place, LIVES + 1, null)) as QueueCounters;
  expect(counters).toMatchObject({ waiting: 0, dropped: 0, refused: 0 });

  const taken = readFileSync(join(place, 'taken'), 'utf8').trimEnd().split('\n');
  const seen = new Set<string>();
  let repeated = 0;
  let [lastRun, lastSeq] = [0, 0];
  for (const line of taken) {
    if (seen.has(line)) {
      repeated += 1;
      continue;
    }
    seen.add(line);
    const [run = 0, seq = 0] = line.split(' ').map(Number);
    expect(run > lastRun || (run === lastRun && seq > lastSeq), `${line} after ${lastRun} ${lastSeq}`).toBe(
      true,
    );
    [lastRun, lastSeq] = [run, seq];
  }
  expect(repeated).toBeLessThanOrEqual(LIVES * BATCH);
  const total = offered.reduce((sum, count) => sum + count, 0);
  expect(seen.size).toBeGreaterThanOrEqual(total - LIVES * MOST_IN_MEMORY);
  expect(counters.found).toBeGreaterThan(0);
});
