import { expect, test } from 'vitest';
import { simulateForeign } from './foreign-simulation.ts';

const SEEDS = Number(process.env.HSU_SEEDS ?? (process.env.HSU_LONG === '1' ? 20_000 : 300));
const FIRST = Number(process.env.HSU_FIRST_SEED ?? 1);
const REPLAY = process.env.HSU_SEED;

test.runIf(REPLAY !== undefined)(`replay of seed ${REPLAY}`, { timeout: 60_000 }, async () => {
  expect(await simulateForeign(Number(REPLAY), (line) => void process.stdout.write(`${line}\n`))).toEqual([]);
});

test.runIf(REPLAY === undefined)(
  `K3 A1: processes of others come, go, and leave their pids to strangers, in ${SEEDS} seeds: nobody is signalled without leave`,
  { timeout: 3_600_000 },
  async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      const [broken] = await simulateForeign(seed);
      const again = `HSU_SEED=${seed} pnpm exec vitest run --project workers simulation-unmanaged`;
      if (broken !== undefined) expect.unreachable(`seed ${seed}: ${broken}\nReplay it with\n  ${again}`);
    }
  },
);
