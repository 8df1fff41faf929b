import { setTimeout } from 'node:timers/promises';
import type { Sample } from '../figures.ts';
import { type Scene, toMs } from '../scene.ts';
import { sleepers, type Trial, withTrial } from '../trial.ts';
import { until } from '../wait.ts';
import { SETTLE_MS } from './one.ts';

const WORKERS = 10;
/** Between two kills of different workers, so that each runs longer than a second before its next: runit waits for those that have not. */
const PAUSE_MS = 150;
const RESTART_LIMIT_MS = 15_000;

async function killOne(trial: Trial, worker: number, signal: AbortSignal): Promise<number> {
  const victim = trial.stamps.all().findLast((stamp) => stamp.worker === worker);
  if (!victim) throw new Error(`worker ${worker} never ran`);
  const killedAt = process.hrtime.bigint();
  process.kill(victim.pid, 'SIGKILL');
  const successor = await until(`restart of worker ${worker}`, RESTART_LIMIT_MS, 1, signal, () =>
    trial.stamps.all().findLast((stamp) => stamp.worker === worker && stamp.at > killedAt),
  );
  return toMs(successor.at - killedAt);
}

/** Ten workers, killed one after the other with SIGKILL. */
export const crash: Scene = {
  name: 'crash',
  metrics: ['restart'],
  play: (peer, _round, extent, setting) =>
    withTrial(peer, sleepers(WORKERS, 'static'), setting, async (trial) => {
      const samples: Sample[] = [];
      await trial.started();
      await setTimeout(SETTLE_MS, undefined, { signal: setting.signal });
      for (let kill = 0; kill < Math.ceil(extent.kills / extent.rounds); kill++) {
        samples.push({ figure: 'restart', value: await killOne(trial, kill % WORKERS, setting.signal) });
        await setTimeout(PAUSE_MS, undefined, { signal: setting.signal });
      }
      return samples;
    }),
};
