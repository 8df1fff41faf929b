// Runs tests of the addon and of the host with binaries for other machines than this one (runtimes.mjs); which, foreign.json says.
//   node scripts/prebuilt/foreign.mjs [--only NAME,…] [--no-build]
// vitest itself runs on the pinned Node; the workers in which it runs tests are the foreign one's.
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { countsOf } from '../counts.mjs';
import { fail, setup } from '../setup.mjs';
import { environment, program, root, tools } from '../tree.mjs';
import { buildTargets } from './build.mjs';
import { place, runtimeOf } from './runtimes.mjs';
import { builtFile, fileOf, targets } from './targets.mjs';

/** What is run, and what cannot be, and why. */
const plan = JSON.parse(readFileSync(join(import.meta.dirname, 'foreign.json'), 'utf8'));

/**
 * The target's binary, and nothing else, in the place of what this clone has built for itself. Without a tag in its name it is taken
 * also by who does not know on what libc it runs.
 */
function mounts(target) {
  const addon = join(root, 'native', 'linux');
  const stage = join(place, 'stage', target.name);
  const empty = join(place, 'empty');
  for (const folder of [join(stage, target.folder), empty, join(addon, 'build'), join(addon, 'prebuilds')])
    mkdirSync(folder, { recursive: true });
  copyFileSync(builtFile(target), join(stage, fileOf({ ...target, tag: undefined })));
  return [`${stage}:${join(addon, 'prebuilds')}`, `${empty}:${join(addon, 'build')}`];
}

function run(target, { node, emulates, env, command }, { cwd, files }) {
  const { name } = target;
  const report = join(tools, 'reports', `foreign-${name}-${cwd.split('/').pop()}.json`);
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const [own, script] = program('vitest');
  const words = [
    '-r',
    join(import.meta.dirname, 'execpath.cjs'),
    script,
    'run',
    ...files,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    '--testTimeout=240000',
    '--hookTimeout=240000',
    ...(emulates ? ['--maxWorkers=1'] : []),
  ];
  const factor = Number(process.env.HSU_TIME_FACTOR ?? 1) * (emulates ? 10 : 2);
  const since = performance.now();
  const [first, ...others] = [...command(mounts(target)), own, ...words];
  const { status } = spawnSync(first, others, {
    cwd: join(root, cwd),
    env: environment({ ...env, HSU_FOREIGN_NODE: node, HSU_TIME_FACTOR: String(factor) }),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const counts = countsOf(status, existsSync(report) ? readFileSync(report, 'utf8') : '');
  const seconds = ((performance.now() - since) / 1000).toFixed(0);
  process.stderr.write(`  ${name}, ${cwd}: ${counts.passed} passed, ${counts.failed} failed, ${seconds} s\n`);
  return counts;
}

/**
 * The suites of a target, with its binary as it was built: counts by the folder whose tests they are, and what cannot be run, by reason.
 * Throws StepFailed.
 */
export async function runSuites(target) {
  const suites = plan.suites[target.name] ?? [];
  const ran = {};
  for (const suite of suites) ran[suite.cwd] = run(target, await runtimeOf(target.name), suite);
  const cannot = plan.cannot[target.name] ?? {};
  for (const [what, why] of Object.entries(cannot))
    process.stderr.write(`  not run on ${target.name}: ${what}: ${why}\n`);
  return { ran, cannot };
}

if (resolve(process.argv[1] ?? '') === import.meta.filename) {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, build: { type: 'boolean', default: true } },
    allowNegative: true,
  });
  const total = { passed: 0, failed: 0, skipped: 0 };
  try {
    await setup();
    const asked = targets(values.only ?? Object.keys(plan.suites).join(','));
    if (values.build) await buildTargets(asked);
    for (const target of asked) {
      const { ran, cannot } = await runSuites(target);
      for (const counts of Object.values(ran))
        for (const kind of Object.keys(total)) total[kind] += counts[kind];
      total.skipped += Object.keys(cannot).length;
    }
  } catch (error) {
    fail(error);
  }
  process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}
