import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HsuError, RunRecord, WorkerMemo } from '@hsu-master/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FileJournal, openJournal } from '../src/journal/journal.ts';

const RUNS = process.env.HSU_LONG === '1' ? 5000 : 300;
const WORKERS = ['web', 'db', 'wörker'] as const;
const BOOT = '5a1f';

let place: string;
beforeAll(() => {
  // In memory where there is such a place: thousands of synced writes to a disk take minutes.
  place = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hsu-damage-'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Something that a master says to its journal. */
type Said =
  | { readonly kind: 'record'; readonly id: string; readonly run: number }
  | { readonly kind: 'forget'; readonly id: string; readonly run: number }
  | { readonly kind: 'remember'; readonly id: string; readonly run: number }
  | { readonly kind: 'drop'; readonly id: string }
  | { readonly kind: 'wish'; readonly id: string; readonly wish: 'up' | 'down' };

const id = fc.constantFrom(...WORKERS);
const run = fc.nat(1000);
const anySaid: fc.Arbitrary<readonly Said[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('record' as const), id, run }),
    fc.record({ kind: fc.constant('forget' as const), id, run }),
    fc.record({ kind: fc.constant('remember' as const), id, run }),
    fc.record({ kind: fc.constant('drop' as const), id }),
    fc.record({
      kind: fc.constant('wish' as const),
      id,
      wish: fc.constantFrom('up' as const, 'down' as const),
    }),
  ),
  { minLength: 1, maxLength: 30 },
);

function recordOf(workerId: string, number: number): RunRecord {
  const process = { pid: number + 1, startedAt: String(number * 7) };
  return {
    workerId,
    run: number,
    process,
    mark: `m.${workerId}.${number}`,
    at: number,
    command: 'c',
    limits: null,
  };
}

function memoOf(number: number): WorkerMemo {
  const history = { streak: 1, restarts: [number], breaker: { state: 'closed' } } as const;
  const phase = { name: 'backoff', until: number + 0.25, reason: '“x”\n' } as const;
  const rest = { lastEnd: null, limitFactors: {}, trace: null };
  return { desired: 'up', enabled: true, run: number, restarts: number, history, phase, ...rest };
}

function say(journal: FileJournal, said: Said): void {
  if (said.kind === 'record') journal.recordRun(recordOf(said.id, said.run));
  else if (said.kind === 'forget') journal.forgetRun(said.id, said.run);
  else if (said.kind === 'remember') journal.remember(said.id, memoOf(said.run));
  else if (said.kind === 'drop') journal.remember(said.id, null);
  else journal.recordDesired(said.id, said.wish);
}

const log = (): string => join(place, 'run', 'runs.log');
const desired = (): string => join(place, 'state', 'desired.json');

function open(): FileJournal {
  const directories = { runDirectory: join(place, 'run'), stateDirectory: join(place, 'state') };
  return openJournal({ ...directories, bootId: BOOT, now: 0, failed: () => {} });
}

/** Everything that a master is told at its beginning, per worker and kind, as text. */
function toldBy(journal: FileJournal): ReadonlyMap<string, string> {
  const told = new Map<string, string>();
  for (const record of journal.leftOvers()) told.set(`run of ${record.workerId}`, JSON.stringify(record));
  for (const [worker, memo] of journal.memos()) told.set(`memo of ${worker}`, JSON.stringify(memo));
  for (const worker of WORKERS) {
    const wish = journal.desired(worker);
    if (wish !== null) told.set(`wish for ${worker}`, wish);
  }
  return told;
}

/** What a master was told that read the damaged file, and whether it was told of damage. The synced file is away. */
async function afterDamage(damage: (bytes: Buffer) => Buffer) {
  writeFileSync(log(), damage(readFileSync(log())));
  rmSync(desired(), { force: true });
  const journal = open();
  const told = toldBy(journal);
  const isTold = journal.refusals().length > 0;
  await journal.close();
  return { told, isTold };
}

/** Says all that; returns what the next master would be told after each step, at first that of nothing. */
async function written(all: readonly Said[]): Promise<readonly ReadonlyMap<string, string>[]> {
  rmSync(join(place, 'run'), { recursive: true, force: true });
  rmSync(join(place, 'state'), { recursive: true, force: true });
  const journal = open();
  const states: ReadonlyMap<string, string>[] = [new Map()];
  const known = new Map<string, string>();
  for (const said of all) {
    say(journal, said);
    if (said.kind === 'record') known.set(`run of ${said.id}`, JSON.stringify(recordOf(said.id, said.run)));
    else if (said.kind === 'forget') known.delete(`run of ${said.id}`);
    else if (said.kind === 'remember') known.set(`memo of ${said.id}`, JSON.stringify(memoOf(said.run)));
    else if (said.kind === 'drop') known.delete(`memo of ${said.id}`);
    else if (said.wish === 'down') known.set(`wish for ${said.id}`, 'down');
    else known.delete(`wish for ${said.id}`);
    states.push(new Map(known));
  }
  await journal.close();
  return states;
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

const seed = Number(process.env.HSU_SEED ?? 1);

describe('H3: records that were damaged are recovered or refused, and never invented', {
  timeout: 600_000,
}, () => {
  test('undamaged, all is there', async () => {
    const property = fc.asyncProperty(anySaid, async (all) => {
      const states = await written(all);
      const { told, isTold } = await afterDamage((bytes) => bytes);
      expect(told).toEqual(states.at(-1));
      expect(isTold).toBe(false);
    });
    await fc.assert(property, { seed, numRuns: RUNS });
  });

  test('any byte changed: each thing that is told was said of that worker, and what is missing was refused', async () => {
    const property = fc.asyncProperty(
      anySaid,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (all, at, flip) => {
        const states = await written(all);
        const { told, isTold } = await afterDamage((bytes) => {
          const index = at % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ flip;
          return bytes;
        });
        for (const [key, value] of told) expect(states.some((state) => state.get(key) === value)).toBe(true);
        if (!isTold) expect(told).toEqual(states.at(-1));
      },
    );
    await fc.assert(property, { seed, numRuns: RUNS });
  });

  test('cut anywhere: what is told is what was so at some earlier moment, and a line that is cut is refused', async () => {
    const property = fc.asyncProperty(anySaid, fc.nat(), async (all, at) => {
      const states = await written(all);
      let isWhole = false;
      const { told, isTold } = await afterDamage((bytes) => {
        const rest = bytes.subarray(0, at % bytes.length);
        isWhole = rest.at(-1) === 10;
        return rest;
      });
      expect(states.some((state) => isSame(state, told))).toBe(true);
      // The missing end of a last line takes nothing with it.
      if (!isTold) expect(isWhole || isSame(told, states.at(-1) ?? new Map())).toBe(true);
    });
    await fc.assert(property, { seed, numRuns: RUNS });
  });

  test('garbage of any kind is refused', async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (garbage) => {
      await written([]);
      const { told, isTold } = await afterDamage(() => Buffer.from(garbage));
      expect([told.size, isTold]).toEqual([0, true]);
    });
    await fc.assert(property, { seed, numRuns: RUNS });
  });

  test('any byte of the synced file changed, or cut: it says the same, or it is set aside and told', async () => {
    const property = fc.asyncProperty(fc.nat(), fc.nat(255), fc.boolean(), async (at, flip, hasLog) => {
      await written([]);
      const journal = open();
      journal.recordDesired('web', 'down');
      journal.recordJudgement('db', { kind: 'open', until: 17, trips: 1, streak: 3 });
      await journal.close();
      if (!hasLog) rmSync(log());
      const bytes = readFileSync(desired());
      const index = at % bytes.length;
      if (flip === 0) writeFileSync(desired(), bytes.subarray(0, index));
      else {
        bytes[index] = (bytes[index] ?? 0) ^ flip;
        writeFileSync(desired(), bytes);
      }
      const found = readFileSync(desired());
      let read: FileJournal;
      try {
        read = open();
      } catch (error) {
        // One byte can make it look like a newer version's.
        expect((error as HsuError).message).toMatch(/desired\.json was written by a newer version/);
        return;
      }
      const isRefused = read.refusals().length > 0;
      // The log of this boot knows what was wished in it.
      expect(read.desired('web')).toBe(isRefused && !hasLog ? null : 'down');
      expect(read.desired('db')).toBeNull();
      const judged = { kind: 'open', until: 17, trips: 1, streak: 3 };
      expect(read.judgement('db')).toEqual(isRefused ? null : judged);
      if (isRefused) expect(readFileSync(`${desired()}.refused`)).toEqual(found);
      await read.close();
    });
    await fc.assert(property, { seed, numRuns: RUNS });
  });
});
