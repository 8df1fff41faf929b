import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toMs } from './scene.ts';
import type { Setting, Trial } from './trial.ts';
import { within } from './wait.ts';

/** For all that has no limit of its own, ms. */
export const LIMIT_MS = 120_000;

export const folderOf = (trial: Trial): string => dirname(trial.stamps.path);

/** What everything in the trial has written so far. */
export const outputOf = (trial: Trial): Promise<string> =>
  readFile(join(folderOf(trial), 'output'), 'utf8').catch(() => '');

/** Runs a command to its end, beside the supervisor; its time and what it wrote. */
export async function call(trial: Trial, argv: readonly string[], { signal }: Setting) {
  const before = (await outputOf(trial)).length;
  const arena = trial.beside(argv);
  const { at: from } = await arena.launched();
  const ended = await within(LIMIT_MS, signal, arena.exited);
  const text = (await outputOf(trial)).slice(before);
  if (ended?.status !== 0) throw new Error(`${argv.join(' ')}: ${ended?.status ?? 'did not end'}`);
  return { ms: toMs(ended.at - from), text };
}

/** Where ours is asked. */
export async function socketOf(trial: Trial): Promise<string> {
  const run = join(folderOf(trial), 'home/run');
  for (const name of await readdir(run)) {
    if ((await readdir(join(run, name))).includes('control.sock')) return join(run, name, 'control.sock');
  }
  throw new Error(`no master listens below ${run}`);
}
