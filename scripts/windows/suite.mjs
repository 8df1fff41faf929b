// The tests that run under Wine: packages/*/test-wine.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { countsOf } from '../counts.mjs';
import { skipsFile } from '../shown.mjs';
import { StepFailed } from '../step.mjs';
import { root, tools } from '../tree.mjs';
import { zooInside } from './programs.mjs';
import { inside, runWindows } from './rig.mjs';
import { setupWindows } from './setup.mjs';
import { stageInside, stageTree } from './stage.mjs';

/** Seconds for all of its tests. */
const limit = Number(process.env.HSU_WINE_LIMIT ?? 600);

/**
 * Runs the tests whose path contains one of the filters, all where there are none; options go to vitest.
 * @param {readonly string[]} args
 * @returns {Promise<{passed: number, failed: number, skipped: number}>}
 */
export async function runUnderWine(args) {
  await setupWindows();
  await stageTree();
  const stage = join(tools, 'windows', 'stage');
  const report = join(stage, 'report.json');
  for (const name of ['report.json', 'skips.json']) rmSync(join(stage, name), { force: true });
  copyFileSync(join(root, 'scripts', 'skips-reporter.mjs'), join(stage, 'skips-reporter.mjs'));
  const since = performance.now();
  const reporters = ['default', 'json', './skips-reporter.mjs'].map((name) => `--reporter=${name}`);
  const flags = ['run', ...reporters, '--outputFile.json=report.json'];
  const command = [inside.node, `${stageInside}\\node_modules\\vitest\\vitest.mjs`, ...flags, ...args];
  const { code } = await runWindows(command, {
    cwd: '/w/.tools/windows/stage',
    limit,
    env: { HSU_NODE: inside.node, HSU_ZOO: zooInside, HSU_SKIPS: 'skips.json' },
    onOutput: (data) => process.stdout.write(data),
  });
  process.stdout.write(`wine: exit ${code}, ${((performance.now() - since) / 1000).toFixed(0)} s\n`);
  mkdirSync(join(tools, 'reports'), { recursive: true });
  const skips = join(stage, 'skips.json');
  if (existsSync(skips)) copyFileSync(skips, skipsFile);
  return countsOf(code, existsSync(report) ? readFileSync(report, 'utf8') : '');
}

/** As root, which the rig needs: by sudo where it asks for no password. */
export function runAsRoot(args) {
  if (spawnSync('sudo', ['-n', 'true']).status !== 0)
    throw new StepFailed('The Windows rig needs root, and sudo is not there or asks for a password.');
  const kept = [
    'XDG_CACHE_HOME',
    'HOME',
    'PATH',
    'CI',
    'HSU_WINDOWS_RIG',
    'HSU_WINE_LIMIT',
    'HSU_TIME_FACTOR',
  ];
  const variables = kept.flatMap((name) => (process.env[name] ? [`${name}=${process.env[name]}`] : []));
  const script = join(root, 'scripts', 'test.mjs');
  const command = ['-n', 'env', ...variables, process.execPath, script, '--suite', 'wine', ...args];
  return spawnSync('sudo', command, { stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1;
}
