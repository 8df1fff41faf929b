import { setTimeout } from 'node:timers/promises';
import type { Sample } from '../figures.ts';
import { memoryOf, type Process } from '../processes.ts';
import { type Scene, toMs } from '../scene.ts';
import { sleepers, type Trial, withTrial } from '../trial.ts';
import { lastOf } from './hundred.ts';
import { SETTLE_MS } from './one.ts';

/** CPU time of `after` that `before` had not used yet, ms. */
function cpuBetween(before: readonly Process[], after: readonly Process[]): number {
  const used = new Map(before.map(({ pid, cpu }) => [pid, cpu]));
  return after.reduce((sum, { pid, cpu }) => sum + cpu - (used.get(pid) ?? 0), 0);
}

/** CPU that the supervisor of a trial uses from now on, % of a core. */
export async function shareOf(trial: Trial, seconds: number, signal: AbortSignal): Promise<number> {
  const before = trial.supervisors();
  const from = performance.now();
  await setTimeout(seconds * 1000, undefined, { signal });
  const passed = performance.now() - from;
  return (cpuBetween(before, trial.supervisors()) / passed) * 100;
}

/** N workers: start, memory, and what the supervisor does while nothing happens. */
export const many: Scene = {
  name: 'N workers',
  metrics: ['start', 'memory', 'idle'],
  play: (peer, round, extent, setting) =>
    withTrial(peer, sleepers(extent.n, extent.linkage), setting, async (trial) => {
      const samples: Sample[] = [];
      const stamps = await trial.started();
      if (extent.metrics.has('start')) {
        const last = lastOf(stamps);
        const first = stamps.reduce((least, { at }) => (at < least ? at : least), last);
        samples.push({ figure: 'startFirstToLast', value: toMs(last - first) });
        samples.push({ figure: 'startFromCommand', value: toMs(last - trial.launchedAt) });
      }
      const watchIdle = extent.metrics.has('idle') && round < extent.idleRounds;
      if (extent.metrics.has('memory') || watchIdle) {
        await setTimeout(SETTLE_MS, undefined, { signal: setting.signal });
      }
      if (extent.metrics.has('memory')) {
        const supervisors = trial.supervisors();
        const { uss, pss } = memoryOf(supervisors);
        samples.push({ figure: 'ussN', value: uss }, { figure: 'pssN', value: pss });
        samples.push({ figure: 'processesN', value: supervisors.length });
      }
      if (watchIdle) {
        samples.push({ figure: 'idle', value: await shareOf(trial, extent.idleSeconds, setting.signal) });
      }
      return samples;
    }),
};
