import { setTimeout } from 'node:timers/promises';
import type { Sample } from '../figures.ts';
import { type Scene, toMs } from '../scene.ts';
import type { Stamp } from '../stamps.ts';
import { sleepers, withTrial } from '../trial.ts';
import { within } from '../wait.ts';

const STOP_LIMIT_MS = 60_000;

/** Of stamps: when the last was made. */
export const lastOf = (stamps: readonly Stamp[]): bigint =>
  stamps.reduce((last, { at }) => (at > last ? at : last), 0n);

/** A hundred workers that end at SIGTERM: how long until they run, and how long until all is gone. */
export const hundred: Scene = {
  name: '100 workers',
  metrics: ['start', 'stop'],
  play: (peer, _round, extent, setting) =>
    withTrial(peer, sleepers(100, extent.linkage), setting, async (trial) => {
      const samples: Sample[] = [];
      const stamps = await trial.started();
      if (extent.metrics.has('start')) {
        samples.push({ figure: 'start100', value: toMs(lastOf(stamps) - trial.launchedAt) });
      }
      if (extent.metrics.has('stop')) {
        // Longer than any supervisor takes to believe in a start.
        await setTimeout(1500, undefined, { signal: setting.signal });
        const { at, returned } = trial.requestStop();
        await within(STOP_LIMIT_MS, setting.signal, returned);
        const empty = await within(STOP_LIMIT_MS, setting.signal, trial.arena.empty);
        if (empty === undefined) throw new Error(`not stopped within ${STOP_LIMIT_MS / 1000} s`);
        samples.push({ figure: 'stop', value: toMs(empty.at - at) });
      }
      return samples;
    }),
};
