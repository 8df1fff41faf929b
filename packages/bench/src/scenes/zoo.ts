import { setTimeout } from 'node:timers/promises';
import type { Scene } from '../scene.ts';
import { type Trial, withTrial } from '../trial.ts';
import { until, within } from '../wait.ts';

const WORKERS = 10;
const ALL = WORKERS * 4;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 40_000;
const AFTER_STOP_MS = 5000;

const awkwardOnes = (trial: Trial) =>
  trial.arena.processes().filter(({ program }) => program === 'awkward').length;

/** Ten workers of four awkward processes each (floor/awkward.c): how many outlive the stop. */
export const zoo: Scene = {
  name: 'awkward',
  metrics: ['orphans'],
  play: (peer, _round, _extent, setting) =>
    withTrial(
      peer,
      { program: 'awkward', count: WORKERS, grace: 2000, sampled: false },
      setting,
      async (trial) => {
        await trial.commandReturned();
        await until(`${ALL} awkward processes`, START_LIMIT_MS, 50, setting.signal, () =>
          awkwardOnes(trial) === ALL ? true : undefined,
        );
        await setTimeout(1500, undefined, { signal: setting.signal });
        const { returned } = trial.requestStop();
        await within(STOP_LIMIT_MS, setting.signal, returned);
        await setTimeout(AFTER_STOP_MS, undefined, { signal: setting.signal });
        return [{ figure: 'orphans', value: awkwardOnes(trial) }];
      },
    ),
};
