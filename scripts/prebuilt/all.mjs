// What CI does of this folder: builds for all machines, checks what was built, runs what can be run here, and installs it as it is packed.
//   node scripts/prebuilt/all.mjs [--only NAME,…]   targets whose sources are those of verified.json are skipped
// With CI_FULL=1 none is skipped, each is built twice to the same bytes, and what was found is written to verified.json, to be committed.
// The last line is `N passed, N failed, N skipped`.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { installPackages } from '../debian.mjs';
import { fail, setup } from '../setup.mjs';
import { StepFailed, seconds } from '../step.mjs';
import { buildTargets } from './build.mjs';
import { runSuites } from './foreign.mjs';
import { installTargets } from './install.mjs';
import { builtFile, targets } from './targets.mjs';
import { inputsOf, isVerified, record } from './verified.mjs';
import { verifyTargets } from './verify.mjs';

/** How a target's binary is run here, in the words of docs/platforms.md. */
const SHOWN = { 'linux-x64': 'run natively', 'linux-arm64': 'run under qemu', 'win32-x64': 'run under Wine' };

const isFull = Boolean(process.env.CI_FULL);
const total = { passed: 0, failed: 0, skipped: 0 };
const since = performance.now();
const told = (what) => process.stderr.write(`  ${what} after ${seconds(since)}\n`);

const add = (counts) => {
  for (const kind of Object.keys(total)) total[kind] += counts[kind];
  return counts;
};

/** One that cannot be built or run does not keep the others from being looked at. */
async function attempt(name, work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(`  FAILED ${name}\n${error.message}\n`);
    total.failed += 1;
    return null;
  }
}

/** Builds a target, checks it and runs its suites; the installation comes later, for all. */
async function verifyOne(target) {
  const inputs = inputsOf(target);
  await buildTargets([target], { twice: isFull });
  const checks = verifyTargets([target]);
  const bytes = readFileSync(builtFile(target));
  const { ran, cannot } = checks.failed === 0 ? await runSuites(target) : { ran: {}, cannot: {} };
  for (const counts of [{ ...checks, passed: checks.passed + 1 }, ...Object.values(ran)]) add(counts);
  total.skipped += Object.keys(cannot).length;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const shown = SHOWN[target.folder] ?? 'compiled only';
  return { inputs, shown, bytes: bytes.length, sha256, checks, ran, cannot };
}

const isGood = ({ checks, ran, installed }) =>
  [checks, installed, ...Object.values(ran)].every((counts) => counts?.failed === 0);

async function verifyAll(stale) {
  installPackages(['lld', 'llvm']);
  const results = {};
  for (const target of stale) results[target.name] = await attempt(target.name, () => verifyOne(target));
  told('built, checked and run');
  const built = stale.filter(({ name }) => results[name] !== null);
  const installed = await attempt('the installation', () => installTargets(built));
  for (const [name, counts] of Object.entries(installed ?? {})) results[name].installed = add(counts);
  told('installed');
  if (!isFull) return;
  const good = Object.entries(results).map(([name, result]) => [
    name,
    result && isGood(result) ? result : null,
  ]);
  record(Object.fromEntries(good));
}

await setup().catch(fail);
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const asked = targets(values.only);
const stale = asked.filter((target) => isFull || !isVerified(target));
for (const { name } of asked.filter((target) => !stale.includes(target))) {
  process.stderr.write(`  skipped: ${name}: its sources are those that verified.json is of\n`);
  total.skipped += 1;
}
if (stale.length > 0) await verifyAll(stale);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
