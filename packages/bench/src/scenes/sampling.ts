import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { FigureName, Sample } from '../figures.ts';
import { lackOfNpm, pinnedVersion } from '../npm.ts';
import { floor } from '../peers/floor.ts';
import { ours } from '../peers/ours.ts';
import { places } from '../places.ts';
import { cpuWithChildren } from '../processes.ts';
import type { Contender, Contest, Extent } from '../scene.ts';
import { type Load, type Setting, sleepers, type Trial, withTrial } from '../trial.ts';
import { until } from '../wait.ts';
import { shareOf } from './many.ts';
import { SETTLE_MS } from './one.ts';

const TREES = 100;
const CHILDREN = 4;
const FIRST_SAMPLE_LIMIT_MS = 60_000;

type Crowd = readonly [figure: FigureName, load: Load];

/** N trees of one process, and fewer of several. */
function crowds({ n, linkage }: Extent): readonly Crowd[] {
  return [
    ['sampling', sleepers(n, linkage)],
    ['samplingTrees', { ...sleepers(TREES, 'static'), children: CHILDREN } as Load],
  ];
}

/** What ours uses with sampling, less what it uses without. */
function byOurs(containment: 'auto' | 'off'): Contender {
  return {
    name: containment === 'auto' ? 'ours' : 'ours, no containment',
    peer: 'ours',
    async play(extent, given) {
      const setting = { ...given, containment };
      const share = (load: Load) =>
        withTrial(ours, load, setting, async (trial) => {
          await trial.started();
          await setTimeout(SETTLE_MS, undefined, { signal: setting.signal });
          return shareOf(trial, extent.sampleSeconds, setting.signal);
        });
      const samples: Sample[] = [];
      for (const [figure, load] of crowds(extent)) {
        const idle = await share(load);
        samples.push({ figure, value: (await share({ ...load, sampled: true })) - idle });
      }
      return samples;
    },
  };
}

/** A program that is given pids, and reads what they use once a second or as often as it can. */
function byProgram(peer: string, argv: (setting: Setting) => readonly string[]): Contender {
  return {
    name: peer,
    peer,
    async play(extent, setting) {
      const samples: Sample[] = [];
      for (const [figure, load] of crowds(extent)) {
        const { share, rate } = await withTrial(floor, load, setting, async (trial) => {
          await trial.started();
          return watch(trial, load, argv(setting), extent.sampleSeconds, setting.signal);
        });
        samples.push({ figure, value: share });
        if (figure === 'sampling') samples.push({ figure: 'samplingRate', value: rate });
      }
      return samples;
    },
  };
}

async function watch(
  trial: Trial,
  load: Load,
  argv: readonly string[],
  seconds: number,
  signal: AbortSignal,
): Promise<{ share: number; rate: number }> {
  const count = load.count * (load.program === 'stamp' ? load.children + 1 : 1);
  const pids = await until(`${count} processes`, FIRST_SAMPLE_LIMIT_MS, 100, signal, () => {
    const found = trial.arena.processes().filter(({ program }) => program === load.program);
    return found.length === count ? found.map(({ pid }) => pid) : undefined;
  });
  const [pidsFile, samplesFile] = [`${trial.stamps.path}.pids`, `${trial.stamps.path}.samples`];
  await writeFile(pidsFile, `${pids.join('\n')}\n`);
  const taken = async () => (await readFile(samplesFile).catch(() => '')).length;
  const arena = trial.beside([...argv, pidsFile, samplesFile]);
  const { pid } = await arena.launched();
  const ended = new AbortController();
  void arena.exited.then(() => ended.abort(new Error(`${argv.join(' ')} ended`)));
  const whole = AbortSignal.any([signal, ended.signal]);
  await until(
    'a first sample',
    FIRST_SAMPLE_LIMIT_MS,
    50,
    whole,
    async () => (await taken()) > 0 || undefined,
  );
  await setTimeout(SETTLE_MS, undefined, { signal: whole });
  const [cpu, samples, from] = [cpuWithChildren(pid), await taken(), performance.now()];
  await setTimeout(seconds * 1000, undefined, { signal: whole });
  const passed = performance.now() - from;
  const used = cpuWithChildren(pid) - cpu;
  return { share: (used / passed) * 100, rate: (((await taken()) - samples) / passed) * 1000 };
}

const installed = { manifests: places.samplers, folder: places.installedSamplers };

function fromNpm(name: string): Contender {
  return {
    ...byProgram(name, () => [process.execPath, join(places.installedSamplers, `${name}.mjs`)]),
    missing: () => lackOfNpm(installed, [name]),
    version: () => pinnedVersion(installed, name),
  };
}

/** What it costs to know each second what many processes use. */
export const sampling: Contest = {
  name: 'sampling',
  metric: 'sampling',
  contenders: [
    byProgram('floor', ({ programs }) => [programs.reader]),
    byOurs('auto'),
    byOurs('off'),
    fromNpm('pidusage'),
    fromNpm('systeminformation'),
  ],
  rounds: ({ sampleRounds }) => sampleRounds,
};
