// `npm test`: sets up and runs every vitest project, or with `--suite servers` the tests with real servers.
// Other arguments go to vitest. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fail, setup } from './setup.mjs';
import { environment, program, root, tools } from './tree.mjs';

const suites = {
  all: { cwd: root, config: 'vitest.config.ts' },
  servers: { cwd: join(root, 'packages', 'hsu-master'), config: 'vitest.servers.config.ts' },
};

const args = process.argv.slice(2);
const at = args.indexOf('--suite');
const name = at === -1 ? 'all' : args.splice(at, 2)[1];
const suite = suites[name];
if (!suite) fail(new Error(`no suite "${name}"; there are: ${Object.keys(suites).join(', ')}`));

await setup().catch(fail);
const report = join(tools, 'reports', `${name}.json`);
mkdirSync(join(tools, 'reports'), { recursive: true });
rmSync(report, { force: true });
const vitest = [
  'run',
  '--config',
  suite.config,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
];
const [node, script] = program('vitest');
const { status } = spawnSync(node, [script, ...vitest, ...args], {
  cwd: suite.cwd,
  env: environment(),
  stdio: ['ignore', 'inherit', 'inherit'],
});

const counts = { passed: 0, failed: 0, skipped: 0 };
if (existsSync(report)) {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  counts.passed = result.numPassedTests;
  counts.failed = result.numFailedTests;
  counts.skipped = result.numPendingTests + result.numTodoTests;
}
// A file that does not load or an unhandled rejection fails no test, and still fails.
if (status !== 0 && counts.failed === 0) counts.failed = 1;
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exit(counts.failed === 0 ? 0 : 1);
