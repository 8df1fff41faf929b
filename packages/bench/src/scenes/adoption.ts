import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FigureName, Sample } from '../figures.ts';
import { floor } from '../peers/floor.ts';
import { launcher, ours } from '../peers/ours.ts';
import { places } from '../places.ts';
import { type Contender, type Contest, type Extent, toMs } from '../scene.ts';
import { type Setting, sleepers, type Trial, withTrial } from '../trial.ts';
import { until } from '../wait.ts';

const LIMIT_MS = 120_000;
/** A line of output is looked for so often, ms: as much may be added to what is timed by it. */
const LOOK_MS = 1;

type Size = readonly [count: number, figure: FigureName];

const sizes = ({ n }: Extent): readonly Size[] => [
  [1, 'adopt1'],
  [100, 'adopt100'],
  [n, 'adoptN'],
];

const outputOf = (trial: Trial): Promise<string> =>
  readFile(join(dirname(trial.stamps.path), 'output'), 'utf8').catch(() => '');

/** The milliseconds that a program beside a trial prints. */
async function told(
  trial: Trial,
  count: number,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const { status } = await trial.beside(argv).exited;
  const value = new RegExp(`^reattached ${count} (\\S+)$`, 'm').exec(await outputOf(trial))?.[1];
  signal.throwIfAborted();
  if (status !== 0 || value === undefined) throw new Error(`${argv.join(' ')}: ended with status ${status}`);
  return Number(value);
}

const inC: Contender = {
  name: 'floor',
  peer: 'floor',
  async play(extent, setting) {
    const samples: Sample[] = [];
    for (const [count, figure] of sizes(extent)) {
      const value = await withTrial(floor, sleepers(count, extent.linkage), setting, async (trial) => {
        await trial.started();
        const workers = trial.arena.processes().filter(({ program }) => program === 'stamp');
        const list = `${trial.stamps.path}.pids`;
        await writeFile(list, workers.map(({ pid }) => `${pid}\n`).join(''));
        return told(trial, count, [setting.programs.reattach, list], setting.signal);
      });
      samples.push({ figure, value });
    }
    return samples;
  },
};

const byOurs: Contender = {
  name: 'ours',
  peer: 'ours',
  async play(extent, setting) {
    const samples: Sample[] = [];
    for (const [count, figure] of sizes(extent)) {
      const [value, command] = await withTrial(ours, sleepers(count, extent.linkage), setting, (trial) =>
        reattach(trial, count, setting),
      );
      samples.push({ figure, value });
      if (figure === 'adopt100') samples.push({ figure: 'adopt100Command', value: command });
    }
    return samples;
  },
};

/** Kills the master; a second one takes charge and leaves again, a third is the launcher, which ends them in order. */
async function reattach(
  trial: Trial,
  count: number,
  { containment, signal }: Setting,
): Promise<readonly [inProcess: number, command: number]> {
  await trial.started();
  const { pid } = await trial.arena.launched();
  process.kill(pid, 'SIGKILL');
  await trial.arena.exited;
  const config = join(dirname(trial.stamps.path), 'config.yaml');
  const adopter = [process.execPath, places.adopter, config, containment, String(count)];
  const inProcess = await told(trial, count, adopter, signal);
  const before = (await outputOf(trial)).length;
  const third = trial.beside([process.execPath, launcher, 'run', config, '--containment', containment]);
  const { pid: thirdPid, at: from } = await third.launched();
  const at = await until('all workers taken charge of', LIMIT_MS, LOOK_MS, signal, async () => {
    const lines = (await outputOf(trial)).slice(before).match(/^\S+: runs on /gm)?.length ?? 0;
    return lines >= count ? process.hrtime.bigint() : undefined;
  });
  process.kill(thirdPid, 'SIGTERM');
  await third.exited;
  return [inProcess, toMs(at - from)];
}

/** How long a new master takes to take charge of the workers of one that was killed. */
export const adoption: Contest = {
  name: 'adoption',
  metric: 'adopt',
  contenders: [inC, byOurs],
  rounds: ({ rounds }) => rounds,
};
