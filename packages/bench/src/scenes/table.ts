import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FigureName, Sample } from '../figures.ts';
import { lackOfNpm, pinnedVersion } from '../npm.ts';
import { floor } from '../peers/floor.ts';
import { places } from '../places.ts';
import type { Contender, Contest } from '../scene.ts';
import { type Setting, sleepers, withTrial } from '../trial.ts';
import { within } from '../wait.ts';

const LIMIT_MS = 120_000;
/** Looks of which the mean is taken. */
const LOOKS = 20;
/** Of those that start another program for each look. */
const FEW_LOOKS = 3;

const HOWS = [
  ['table', 'names'],
  ['tableTold', 'told'],
  ['tablePorts', 'ports'],
] as const satisfies readonly (readonly [FigureName, string])[];

type How = (typeof HOWS)[number];

/** A program that looks at all processes so often, beside N that sleep, and writes the mean. */
function byProgram(
  name: string,
  peer: string,
  hows: readonly How[],
  argv: (how: string, setting: Setting) => readonly string[],
): Contender {
  return {
    name,
    peer,
    play: (extent, setting) =>
      withTrial(floor, sleepers(extent.n, extent.linkage), setting, async (trial) => {
        await trial.started();
        const samples: Sample[] = [];
        for (const [figure, how] of hows) {
          const result = `${trial.stamps.path}.${how}`;
          const arena = trial.beside([...argv(how, setting), result]);
          const ended = await within(LIMIT_MS, setting.signal, arena.exited);
          const [ms, seen] = (await readFile(result, 'utf8').catch(() => '')).trim().split(' ').map(Number);
          if (ended?.status !== 0 || ms === undefined || seen === undefined || seen < extent.n)
            throw new Error(`${name} ${how}: saw ${seen ?? 'nothing'} of at least ${extent.n}`);
          samples.push({ figure, value: ms });
        }
        return samples;
      }),
  };
}

const installed = { manifests: places.samplers, folder: places.installedSamplers };

/** What these tell by themselves is the arguments, the user and more; never who listens. */
function fromNpm(name: string): Contender {
  const script = join(places.installedSamplers, 'table.mjs');
  return {
    ...byProgram(name, name, [HOWS[1]], () => [process.execPath, script, name, String(FEW_LOOKS)]),
    missing: () => lackOfNpm(installed, [name]),
    version: () => pinnedVersion(installed, name),
  };
}

/** What it costs to list all processes once. */
export const table: Contest = {
  name: 'process table',
  metric: 'table',
  contenders: [
    byProgram('floor', 'floor', HOWS, (how, { programs }) => [programs.table, how, String(LOOKS)]),
    byProgram('ours', 'ours', HOWS, (how) => [process.execPath, places.tabler, how, String(LOOKS)]),
    fromNpm('ps-list'),
    fromNpm('systeminformation'),
  ],
  rounds: ({ rounds }) => rounds,
};
