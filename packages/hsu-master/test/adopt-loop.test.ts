import { describe, expect } from 'vitest';
import { counter, expectWhole, livesIn, Premises, runsOn } from './adoption.ts';
import { eventually, factor, it, type Launched, PATIENCE } from './drive.ts';
import { isAlive, processesOf } from './proc.ts';
import { ofWindows, onWindows } from './windows.ts';

const LONG = process.env.HSU_LONG === '1';

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a master that is killed again and again', () => {
  it(
    'H1: ten times in steady state: the same pids, no restart, whole logs, nothing left behind',
    async ({ stage }) => {
      const counts = counter(stage);
      const premises = new Premises(stage);
      const names = ['a', 'b', 'c', 'quiet'];
      const config = stage.config(names.map((id) => ({ id, command: counts(id, id === 'quiet' ? 0 : 10) })));
      const run = () => stage.hsu(['run', config, ...premises.flags]);
      let master = run();
      const pids = new Map<string, number>();
      for (const name of names) pids.set(name, await master.started(name));
      let settled: ReturnType<Premises['inventory']> | null = null;
      for (let kill = 1; kill <= 10; kill += 1) {
        await master.stop('SIGKILL');
        master = run();
        for (const name of names) expect(await runsOn(master, name)).toBe(pids.get(name));
        const before = premises.linesOf('a');
        await eventually(() => premises.linesOf('a') > before + 20);
        const { descriptors, fifos, groups } = (settled ??= premises.inventory(master));
        expect(premises.inventory(master)).toMatchObject({ fifos, groups });
        // Node has one more or less open as it goes, and files that are being written.
        await eventually(() => Math.abs(premises.inventory(master).descriptors - descriptors) <= 2);
        expect(master.matching(/: started|TWIN|refused|defect|internal/)).toEqual([]);
      }
      const counting = stage.processes().filter(({ command }) => command.includes('.lock'));
      expect(counting).toHaveLength(names.length);
      expect((await master.stop()).code).toBe(0);
      premises.expectClean();
      for (const name of names) {
        const lives = livesIn(premises.log(name));
        expectWhole(lives, onWindows ? 20 : 0);
        expect(lives.map(({ run: number, end }) => [number, end])).toEqual([[1, expect.any(Number)]]);
      }
    },
    PATIENCE * 4,
  );

  const seed = Number(process.env.HSU_SEED ?? Date.now() % 1e6);

  it(
    `H1: at random moments (HSU_SEED=${seed}): one instance each, counters monotonic, no stranger signalled, nothing left behind`,
    async ({ stage, skip }) => {
      skip(...ofWindows('its programs are of Linux'));
      const random = randomFrom(seed);
      const between = (least: number, most: number) => least + Math.floor(random() * (most - least));
      const pause = (time: number) => new Promise<void>((resolve) => void setTimeout(resolve, time));
      const counts = counter(stage);
      const premises = new Premises(stage);
      const restart = { delay: '20ms', max_delay: '200ms', max_retries: 0 };
      const workers = [
        { id: 'log1', command: counts('log1', 10), restart },
        { id: 'log2', command: counts('log2', 5), restart, depends_on: ['log1'] },
        { id: 'crash1', command: counts('crash1', 5, 20, 1), restart },
        { id: 'crash2', command: counts('crash2', 1, 60, 3), restart },
        { id: 'crash3', command: counts('crash3', 2, 1, 1), restart },
        { id: 'quiet', command: counts('quiet', 0), restart },
      ];
      const ids = workers.map(({ id }) => id);
      const config = stage.config(workers);
      // A signal for a stranger would end it, or be told.
      const strangers = ids.map((id) => stage.launch(counts(`stranger-${id}`, 0)));
      await Promise.all(strangers.map((stranger) => stranger.line(/^life/)));
      const run = () => stage.hsu(['run', config, ...premises.flags]);
      const until = performance.now() + (LONG ? 120_000 : 15_000);
      let rounds = 0;
      let stops = 0;
      const masters: Launched[] = [];
      while (performance.now() < until) {
        rounds += 1;
        const master = run();
        masters.push(master);
        // Some are killed while they start.
        if (random() < 0.2) await pause(between(0, 400 * factor));
        else await master.line(/^hsu-master: holds/).then(() => pause(between(0, 600)));
        const how = random();
        if (how < 0.2 || how >= 0.9) stops += 1;
        if (how < 0.2) {
          master.signal('SIGINT');
          await pause(between(0, 60));
        }
        if (how < 0.9) await master.stop('SIGKILL');
        else await master.stop('SIGINT');
        const living = processesOf(stage.path('counts')).filter(
          ({ command }) => !command.includes('stranger'),
        );
        for (const id of ids) {
          const instances = living.filter(({ command }) => command.includes(`/${id}.lock`));
          expect(instances.length, `instances of ${id} in round ${rounds}`).toBeLessThanOrEqual(1);
        }
      }
      const last = run();
      await last.line(/^hsu-master: holds/);
      for (const id of ['log1', 'log2', 'quiet']) {
        const pattern = new RegExp(`^${id}: (runs on|started)`);
        await last.until(`${id} runs`, () => last.matching(pattern).length > 0);
      }
      const { fifos, descriptors } = premises.inventory(last);
      // Two per living run; one that crashes may have its former, too.
      expect(fifos).toBeLessThanOrEqual(ids.length * 4);
      expect(descriptors).toBeLessThan(300);
      expect((await last.stop()).code).toBe(0);
      premises.expectClean();
      for (const master of [...masters, last])
        expect(master.matching(/TWIN|defect|internal error|refused|unrecorded/)).toEqual([]);
      for (const stranger of strangers) {
        expect(isAlive(stranger.pid)).toBe(true);
        expect(stranger.lines).toHaveLength(1);
      }
      for (const id of ids) expectWhole(livesIn(premises.log(id)));
      expect(rounds).toBeGreaterThan(3);
    },
    (LONG ? 240_000 : 60_000) * factor,
  );
});
