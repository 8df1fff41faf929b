import { type Simulation, simulate } from '@hsu-master/testkit';
import { expect, test } from 'vitest';
import { Supervisor } from '../src/supervisor.ts';

/** How many seeds one file tries; a nightly run gives more, and another place to begin. */
const SEEDS = Number(process.env.HSU_SEEDS ?? 10_000);
const FIRST = Number(process.env.HSU_FIRST_SEED ?? 1);
/** Set to replay one seed and print all that happens. */
const REPLAY = process.env.HSU_SEED;

/** The supervisor under simulation, as it is but for what `differs`. */
export function simulation(seed: number, differs: Partial<Simulation> = {}): Simulation {
  return { seed, workers: 'several', make: (parts) => new Supervisor(parts), ...differs };
}

/** Tries all seeds, or replays the one that HSU_SEED names; the first that breaks a property fails the test. */
export function testSeeds(workers: Simulation['workers']): void {
  test.runIf(REPLAY !== undefined)(
    `replay of seed ${REPLAY} with ${workers}`,
    { timeout: 60_000 },
    async () => {
      const trace = (line: string) => process.stdout.write(`${line}\n`);
      expect(await simulate(simulation(Number(REPLAY), { workers, trace }))).toEqual([]);
    },
  );

  test.runIf(REPLAY === undefined)(
    `C2: ${SEEDS} seeds keep all properties`,
    { timeout: 600_000 },
    async () => {
      for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
        const broken = await simulate(simulation(seed, { workers }));
        if (broken.length === 0) continue;
        const list = broken.map(({ property, detail }) => `  ${property}: ${detail}`).join('\n');
        const again = `HSU_SEED=${seed} pnpm exec vitest run --project workers simulation-${workers}`;
        expect.unreachable(`seed ${seed} breaks\n${list}\nReplay it with\n  ${again}`);
      }
    },
  );
}
