import { describe, expect } from 'vitest';
import { counter, expectWhole, livesIn, Premises, runsOn } from './adoption.ts';
import { eventually, it, PATIENCE, type Stage } from './drive.ts';
import { isAlive } from './proc.ts';

const NAMES = ['logging', 'quiet'];

function prepared(stage: Stage, on_master_exit?: string) {
  const counts = counter(stage);
  const premises = new Premises(stage);
  const workers = [
    { id: 'logging', command: counts('logging', 10) },
    { id: 'quiet', command: counts('quiet', 0), depends_on: ['logging'] },
  ];
  const master = on_master_exit === undefined ? {} : { on_master_exit };
  const config = stage.config({ master, workers });
  const run = (...flags: string[]) => stage.hsu(['run', config, ...premises.flags, ...flags]);
  return { premises, run };
}

describe.concurrent('on_master_exit', () => {
  it(
    'leave: an ordered end leaves the workers, and the next master goes on with them',
    async ({ stage }) => {
      const { premises, run } = prepared(stage, 'leave');
      let master = run();
      const pids = new Map<string, number>();
      for (const name of NAMES) pids.set(name, await master.started(name));
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        expect(await master.stop(signal)).toEqual({ code: 0, signal: null });
        expect(master.matching(/leaving the workers running/)).toHaveLength(1);
        expect(master.matching(/: (stopping|ended|stopped)/)).toEqual([]);
        expect([...pids.values()].every(isAlive)).toBe(true);
        master = run();
        for (const name of NAMES) expect(await runsOn(master, name)).toBe(pids.get(name));
        const before = premises.linesOf('logging');
        await eventually(() => premises.linesOf('logging') > before + 20);
      }
      const timed = master.stop().then(() => run('--run-duration', '0.5').end());
      expect((await timed).code).toBe(0);
      expect([...pids.values()].every(isAlive)).toBe(true);
      for (const pid of pids.values()) process.kill(pid, 'SIGTERM');
      await eventually(() => [...pids.values()].every((pid) => !isAlive(pid)));
      // What is left in the pipe goes with its last holder.
      const lives = livesIn(premises.log('logging'));
      expectWhole(lives);
      expect(lives).toHaveLength(1);
    },
    PATIENCE * 2,
  );

  it.for(['stop', undefined])('%s: an ordered end stops them', async (written, { stage }) => {
    const { premises, run } = prepared(stage, written);
    const master = run();
    for (const name of NAMES) await master.started(name);
    await eventually(() => premises.linesOf('logging') > 5);
    expect((await master.stop()).code).toBe(0);
    premises.expectClean();
    expect(livesIn(premises.log('logging'))).toMatchObject([{ end: expect.any(Number) }]);
  });
});
