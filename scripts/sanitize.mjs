// The C++ of the Linux addon under sanitizers and clang-tidy: `node scripts/sanitize.mjs [tidy] [address] [thread]`, all without arguments.
//   tidy      clang-tidy with native/.clang-tidy over native/linux and what it shares
//   address   the engine without Node (native/linux/test/stress.cc) under AddressSanitizer and UndefinedBehaviorSanitizer
//   thread    the same under ThreadSanitizer
// The pump on disks that fail has its own, with CI_FULL=1: packages/native/test/pump-faults.test.ts. Needs Debian's `clang-tidy` and g++.
// The last line is `N passed, N failed, N skipped`.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages } from './debian.mjs';
import { StepFailed, step } from './step.mjs';
import { environment, root } from './tree.mjs';

const linux = join(root, 'native', 'linux');
const env = environment();
const place = mkdtempSync(join(tmpdir(), 'hsu-sanitize-'));

/** Sources without Node-API, relative to native/linux. */
const sources = ['src', 'src/pump', '../shared/hsu/pump'].flatMap((folder) =>
  readdirSync(join(linux, folder))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => `${folder}/${name}`),
);
const language = ['-std=c++20', '-I../shared', '-Isrc'];

async function stress(name, flags, wanted = {}) {
  const program = join(place, name);
  const files = ['test/stress.cc', ...sources];
  const build = ['g++', ...language, '-g', '-O1', ...flags, '-pthread', '-o', program, ...files];
  await step(`building for ${name}`, build, { cwd: linux, env });
  // ThreadSanitizer wants its addresses where they are without randomisation.
  await step(`the engine under ${name}`, ['setarch', '-R', program], {
    cwd: linux,
    env: { ...env, ...wanted },
  });
}

const parts = {
  tidy: async () => {
    installPackages(['clang-tidy']);
    await step('clang-tidy', ['clang-tidy', '--quiet', ...sources, '--', ...language], { cwd: linux, env });
  },
  address: () => stress('address', ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']),
  thread: () =>
    stress('thread', ['-fsanitize=thread'], {
      TSAN_OPTIONS: `suppressions=${join(linux, 'test', 'stress.tsan')}`,
    }),
};

const asked = process.argv.slice(2);
const counts = { passed: 0, failed: 0 };
for (const name of asked.length > 0 ? asked : Object.keys(parts)) {
  try {
    if (!(name in parts))
      throw new StepFailed(`no part ${name}; there are: ${Object.keys(parts).join(', ')}`);
    await parts[name]();
    counts.passed += 1;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    counts.failed += 1;
    process.stderr.write(`  FAILED ${name}\n${error.message}\n`);
  }
}
rmSync(place, { recursive: true, force: true });
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, 0 skipped\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
