import { setTimeout } from 'node:timers/promises';
import type { Sample } from '../figures.ts';
import { memoryOf } from '../processes.ts';
import { type Scene, toMs } from '../scene.ts';
import { sleepers, withTrial } from '../trial.ts';

/** Until a supervisor that has just started everything is at rest, ms. Ours gives memory back three seconds after its start. */
export const SETTLE_MS = 5000;

/** A supervisor with one worker: how long until it runs, how much memory that takes. */
export const one: Scene = {
  name: 'one worker',
  metrics: ['start', 'memory'],
  withBareNode: true,
  play: (peer, _round, extent, setting) => {
    const count = peer.name === 'bare node' ? 0 : 1;
    return withTrial(peer, sleepers(count, extent.linkage), setting, async (trial) => {
      const samples: Sample[] = [];
      const [stamp] = await trial.started();
      if (stamp && extent.metrics.has('start')) {
        samples.push({ figure: 'start1', value: toMs(stamp.at - trial.launchedAt) });
      }
      if (extent.metrics.has('memory')) {
        await setTimeout(SETTLE_MS, undefined, { signal: setting.signal });
        const { uss, pss } = memoryOf(trial.supervisors());
        samples.push({ figure: 'uss1', value: uss }, { figure: 'pss1', value: pss });
      }
      return samples;
    });
  },
};
