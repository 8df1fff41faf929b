// What CI does of this folder: builds for all machines, checks what was built, and runs what can be run here.
//   node scripts/prebuilt/all.mjs              with CI_FULL=1 each is built twice, and all suites of foreign.json run
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { installPackages } from '../debian.mjs';
import { fail, setup } from '../setup.mjs';
import { StepFailed, seconds } from '../step.mjs';
import { buildTargets } from './build.mjs';
import { targets } from './targets.mjs';
import { verifyTargets } from './verify.mjs';

const isFull = Boolean(process.env.CI_FULL);
const total = { passed: 0, failed: 0, skipped: 0 };
const add = (counts) => {
  for (const kind of Object.keys(total)) total[kind] += counts[kind];
};

/** One that cannot be built does not keep the others from being looked at. */
async function build(target) {
  try {
    await buildTargets([target], { twice: isFull });
    return true;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(`  FAILED ${target.name}\n${error.message}\n`);
    return false;
  }
}

await setup().catch(fail);
installPackages(['lld', 'llvm']);
const since = performance.now();
for (const target of targets()) {
  const built = await build(target);
  add({ passed: built ? 1 : 0, failed: built ? 0 : 1, skipped: 0 });
  if (built) add(verifyTargets([target]));
}
process.stderr.write(`  built and checked in ${seconds(since)}\n`);

const only = isFull ? [] : ['--only', 'linux-x64-musl'];
const { stdout } = spawnSync(process.execPath, [join(import.meta.dirname, 'foreign.mjs'), ...only], {
  encoding: 'utf8',
  maxBuffer: 1 << 28,
  stdio: ['ignore', 'pipe', 'inherit'],
});
process.stdout.write(stdout);
const [passed, failed, skipped] = /(\d+) passed, (\d+) failed, (\d+) skipped\n$/
  .exec(stdout)
  ?.slice(1)
  .map(Number) ?? [0, 1, 0];
add({ passed, failed, skipped });
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
