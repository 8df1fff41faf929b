// The tests that run in the virtual machine: one boot for each folder of packages/hsu-master/test-vm that has some.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { bundleInCi } from '../bundle.mjs';
import { countsOf } from '../counts.mjs';
import { StepFailed } from '../step.mjs';
import { program, root, tools } from '../tree.mjs';
import { boot, kindNames, NO_RESULT } from './boot.mjs';
import { guestEnvironment, quote } from './guest-environment.mjs';
import { image } from './image.mjs';
import { compileZoo } from './zoo.mjs';

const tests = join(root, 'packages', 'hsu-master', 'test-vm');
const reports = join(tools, 'reports');

/** Seconds for one boot and all of its tests. */
const limit = Number(process.env.HSU_VM_LIMIT ?? 1800);

/** Guests at once: emulated, one keeps hardly more than one processor busy. */
const AT_ONCE = Number(process.env.HSU_VM_GUESTS ?? availableParallelism());

/**
 * Boots each kind of guest that has tests whose path contains one of `filters` (all where there are none), and prints what
 * vitest says. Options of vitest (`-t NAME`) go to each.
 * @param {readonly string[]} args
 * @returns {Promise<{passed: number, failed: number, skipped: number}>}
 */
export async function runInGuests(args) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const filters = args.filter((word, index) => !word.startsWith('-') && !args[index - 1]?.startsWith('-'));
  const kinds = kindNames
    .map((name) => ({ name, files: testsOf(name).filter((file) => wanted(file, filters)) }))
    .filter(({ files }) => files.length > 0);
  if (kinds.length === 0) throw new StepFailed(`vm: no test of ${tests} is named so: ${filters.join(' ')}`);
  const options = args.filter((word) => !filters.includes(word));
  const lane = async () => {
    for (let kind = kinds.shift(); kind !== undefined; kind = kinds.shift()) {
      const { passed, failed, skipped } = await runGuest(kind.name, [...kind.files, ...options]);
      counts.passed += passed;
      counts.failed += failed;
      counts.skipped += skipped;
    }
  };
  await image();
  compileZoo();
  const unbundle = await bundleInCi();
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } finally {
    unbundle();
  }
  return counts;
}

const wanted = (file, filters) => filters.length === 0 || filters.some((filter) => file.includes(filter));

function testsOf(kind) {
  if (!existsSync(join(tests, kind))) return [];
  return readdirSync(join(tests, kind), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test-vm', kind, name));
}

async function runGuest(kind, words) {
  const say = linesOf(kind);
  say(`a guest of the kind ${kind}\n`);
  const since = performance.now();
  const [, vitest] = program('vitest');
  const flags = ['run', '--config', 'vitest.vm.config.ts', '--reporter=default', '--reporter=json'];
  const command = ['node', vitest, ...flags, ...words].map(quote).join(' ');
  const { code, report, uptime, console } = await boot({
    kind,
    script:
      `${guestEnvironment()}cd packages/hsu-master\n` +
      `exec ${command} --outputFile.json="$HSU_VM_REPORT"\n`,
    limit,
    onOutput: (data) => say(data.toString('latin1')),
  });
  mkdirSync(reports, { recursive: true });
  writeFileSync(join(reports, `vm-${kind}.console`), console);
  const seconds = ((performance.now() - since) / 1000).toFixed(0);
  const how = code === NO_RESULT ? 'no result' : `exit ${code}, booted in ${uptime} s`;
  say(`\n${how}, ${seconds} s in all\n`);
  return countsOf(code, report);
}

/** Guests that run at once speak at once: whole lines, and whose they are. */
function linesOf(kind) {
  let rest = '';
  return (text) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop();
    for (const line of lines) process.stdout.write(`vm ${kind}: ${line}\n`, 'latin1');
  };
}

/** As root, which the image and the shared tree need: by sudo where it asks for no password. */
export function runAsRoot(args) {
  if (spawnSync('sudo', ['-n', 'true']).status !== 0)
    throw new StepFailed('The virtual machine needs root, and sudo is not there or asks for a password.');
  const kept = [
    'XDG_CACHE_HOME',
    'HOME',
    'PATH',
    'CI',
    'HSU_VM_DIR',
    'HSU_VM_ACCEL',
    'HSU_VM_LIMIT',
    'HSU_VM_TIME_FACTOR',
    'HSU_VM_GUESTS',
  ];
  const variables = kept.flatMap((name) => (process.env[name] ? [`${name}=${process.env[name]}`] : []));
  const script = join(root, 'scripts', 'test.mjs');
  const command = ['-n', 'env', ...variables, process.execPath, script, '--suite', 'vm', ...args];
  return spawnSync('sudo', command, { stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1;
}
