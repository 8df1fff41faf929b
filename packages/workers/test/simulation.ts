import { type Simulation, simulate, type Violation } from '@hsu-master/testkit';
import { expect, test } from 'vitest';
import { Supervisor } from '../src/supervisor.ts';

/** How many seeds one file tries; a nightly run gives more, and another place to begin. */
const SEEDS = Number(process.env.HSU_SEEDS ?? (process.env.HSU_LONG === '1' ? 100_000 : 10_000));
const FIRST = Number(process.env.HSU_FIRST_SEED ?? 1);
/** Set to replay one seed and print all that happens. */
const REPLAY = process.env.HSU_SEED;
/** With that: the step at which the master is killed, and at no other. */
const KILL_AT = process.env.HSU_KILL_AT;

/** The supervisor under simulation, as it is but for what `differs`. */
export function simulation(seed: number, differs: Partial<Simulation> = {}): Simulation {
  return { seed, workers: 'several', make: (parts) => new Supervisor(parts), ...differs };
}

/** How many seeds one file tries with a master killed at every single step. */
const THOROUGH = process.env.HSU_LONG === '1' ? 200 : 4;

/** The supervisor of one seed lives once unharmed, then once for each step at which it could be killed, and is killed there. */
export function testEveryStep(workers: Simulation['workers']): void {
  test.runIf(REPLAY === undefined)(
    `A16: a master that is killed at any step of any effect, in ${THOROUGH} seeds, is followed by one that keeps all properties`,
    { timeout: 3_600_000 },
    async () => {
      for (let seed = FIRST; seed < FIRST + THOROUGH; seed += 1) {
        let steps = 0;
        await simulate(simulation(seed, { workers, killAt: 0, steps: (count) => (steps = count) }));
        expect(steps).toBeGreaterThan(0);
        for (let killAt = 1; killAt <= steps; killAt += 1) {
          const broken = await simulate(simulation(seed, { workers, killAt }));
          if (broken.length > 0) fail(workers, seed, broken, `HSU_KILL_AT=${killAt} `);
        }
      }
    },
  );
}

function fail(workers: Simulation['workers'], seed: number, broken: readonly Violation[], how = ''): never {
  const list = broken.map(({ property, detail }) => `  ${property}: ${detail}`).join('\n');
  const again = `${how}HSU_SEED=${seed} pnpm exec vitest run --project workers simulation-${workers}`;
  expect.unreachable(`seed ${seed} breaks\n${list}\nReplay it with\n  ${again}`);
}

/** Tries all seeds, or replays the one that HSU_SEED names; the first that breaks a property fails the test. */
export function testSeeds(workers: Simulation['workers']): void {
  test.runIf(REPLAY !== undefined)(
    `replay of seed ${REPLAY} with ${workers}`,
    { timeout: 60_000 },
    async () => {
      const killed = KILL_AT === undefined ? {} : { killAt: Number(KILL_AT) };
      const trace = (line: string) => process.stdout.write(`${line}\n`);
      expect(await simulate(simulation(Number(REPLAY), { workers, trace, ...killed }))).toEqual([]);
    },
  );

  test.runIf(REPLAY === undefined)(
    `C2: ${SEEDS} seeds keep all properties`,
    { timeout: 3_600_000 },
    async () => {
      for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
        const broken = await simulate(simulation(seed, { workers }));
        if (broken.length > 0) fail(workers, seed, broken);
      }
    },
  );
}
