// `npm test`: sets up and runs every vitest project, or with `--suite NAME` what needs more than this tree: `servers` real
// servers, `cgroup1` the cgroups of this machine, `vm` a virtual
// machine, `wine` node.exe. Other arguments go to vitest.
// `--record`, where all of a suite passes: scripts/shown.json tells so. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { countsOf } from './counts.mjs';
import { fail, setup } from './setup.mjs';
import { record, skipsFile } from './shown.mjs';
import { environment, nodeFolder, program, root, tools } from './tree.mjs';

/**
 * Files at once in the suite `all`. Most wait for programs that they started: more than there are processors keep these busy. The other
 * suites measure, and their files run one after the other.
 */
const AT_ONCE = Number(process.env.HSU_TEST_FILES ?? 2 * availableParallelism());

const launcher = join(root, 'packages', 'hsu-master');
const logcollect = join(root, 'packages', 'logcollect');
/** Where each suite runs, one place after the other. */
const suites = {
  all: [{ cwd: root, config: 'vitest.config.ts' }],
  servers: [launcher, logcollect].map((cwd) => ({ cwd, config: 'vitest.servers.config.ts' })),
  cgroup1: [{ cwd: launcher, config: 'vitest.cgroup1.config.ts' }],
  vm: null,
  wine: null,
};

const args = process.argv.slice(2);
const at = args.indexOf('--suite');
const name = at === -1 ? 'all' : args.splice(at, 2)[1];
const recordAt = args.indexOf('--record');
const given = [...args];
if (recordAt !== -1) args.splice(recordAt, 1);
if (!(name in suites)) fail(new Error(`no suite "${name}"; there are: ${Object.keys(suites).join(', ')}`));

await setup().catch(fail);
rmSync(skipsFile, { force: true });
const run = { vm: inGuests, wine: underWine }[name] ?? (() => here(suites[name]));
const { passed, failed, skipped } = await run().catch(fail);
if (recordAt !== -1 && failed === 0 && args.length === 0)
  record(name, where(), existsSync(skipsFile) ? readFileSync(skipsFile, 'utf8') : '');
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exit(failed === 0 ? 0 : 1);

/** What a suite ran on. */
function where() {
  const node = JSON.parse(readFileSync(join(nodeFolder() ?? '', 'package.json'), 'utf8')).version;
  if (name === 'wine') return { target: 'win32-x64', how: 'run under Wine', node };
  const { glibcVersionRuntime } = process.report.getReport().header;
  const libc = glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return { target: `${process.platform}-${process.arch}-${libc}`, how: 'run natively', node };
}

async function here(places) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  // What bundles is installed by the setup.
  const { bundleInCi } = await import('./bundle.mjs');
  const unbundle = await bundleInCi();
  try {
    for (const [index, place] of places.entries()) {
      const counts = one(place, places.length === 1 ? name : `${name}-${index + 1}`);
      for (const kind of Object.keys(total)) total[kind] += counts[kind];
    }
  } finally {
    unbundle();
  }
  return total;
}

function one({ cwd, config }, reportName) {
  const report = join(tools, 'reports', `${reportName}.json`);
  mkdirSync(join(tools, 'reports'), { recursive: true });
  rmSync(report, { force: true });
  const skips = `--reporter=${join(root, 'scripts', 'skips-reporter.mjs')}`;
  const flags = ['--reporter=default', '--reporter=json', skips, `--outputFile.json=${report}`];
  if (name === 'all') flags.push(`--maxWorkers=${AT_ONCE}`);
  // A filter may be meant for another place.
  const filter = args.length > 0 ? ['--passWithNoTests', ...args] : args;
  const [node, script] = program('vitest');
  const { status } = spawnSync(node, [script, 'run', '--config', config, ...flags, ...filter], {
    cwd,
    env: { ...environment(), HSU_SKIPS: skipsFile },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return countsOf(status, existsSync(report) ? readFileSync(report, 'utf8') : '');
}

async function inGuests() {
  const { runAsRoot, runInGuests } = await import('./vm/suite.mjs');
  if (process.getuid?.() !== 0) process.exit(runAsRoot(given));
  return runInGuests(args);
}

async function underWine() {
  const { runAsRoot, runUnderWine } = await import('./windows/suite.mjs');
  if (process.getuid?.() !== 0) process.exit(runAsRoot(given));
  return runUnderWine(args);
}
