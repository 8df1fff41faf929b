// The C++ of the addons under sanitizers and clang-tidy: `node scripts/sanitize.mjs [PART…]`, all without arguments.
//   tidy      clang-tidy with native/.clang-tidy over native/linux, native/shared, native/windows, and what of native/macos needs no Mac
//   address   the engine without Node (native/linux/test/stress.cc) under AddressSanitizer and UndefinedBehaviorSanitizer, leaks included
//   addon     the whole Linux addon under both, in Node: the tests of packages/native, the pump's of logcollect, the host contract of workers
//   thread    the engine under ThreadSanitizer
// With --stale those parts are skipped that passed with these sources (native/sanitized.json), unless CI_FULL=1; with CI_FULL=1 what
// passes is written there, to be committed.
// What a child does between clone and exec runs in our memory on the spawner's thread-local storage and is left out of all three
// (IN_CHILD in native/linux/src/in_child.h): sanitizers keep state there that is the spawner's. It makes system calls and nothing else.
// The pump on disks that fail has its own, with CI_FULL=1: packages/native/test/pump-faults.test.ts. Needs Debian's `clang-tidy`, g++,
// and for native/windows `g++-mingw-w64-x86-64-posix`. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from './debian.mjs';
import { recipes } from './prebuilt/targets.mjs';
import { StepFailed, seconds, step } from './step.mjs';
import { environment, program, root } from './tree.mjs';

const env = environment();
const place = mkdtempSync(join(tmpdir(), 'hsu-sanitize-'));
const folderOf = (addon) => join(root, 'native', addon);
const recipeOf = (addon) => recipes({ addon, source: folderOf(addon) })[0];
const linux = recipeOf('linux');

const resolve = (name, from) =>
  dirname(createRequire(join(from, 'package.json')).resolve(`${name}/package.json`));
const includes = (addon, recipe) => [
  ...recipe.includes.map((name) => `-I${name}`),
  `-isystem${join(resolve('node-api-headers', root), 'include')}`,
  `-isystem${resolve('node-addon-api', folderOf(addon))}`,
];
const flagsOf = (addon, recipe = recipeOf(addon)) => [
  '-std=c++20',
  ...includes(addon, recipe),
  ...['NAPI_CPP_EXCEPTIONS', ...recipe.defines].map((name) => `-D${name}`),
];

/** As many at a time as there are processors. Throws one StepFailed with what all that failed said. */
async function all(jobs) {
  const waiting = [...jobs];
  const failures = [];
  const work = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      await job().catch((error) => {
        if (!(error instanceof StepFailed)) throw error;
        failures.push(error.message);
      });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  if (failures.length > 0) throw new StepFailed(failures.join('\n\n'));
}

const isGlue = (source) => source.includes('/glue/');

/** The objects of the Linux addon's sources and others of its folder, in the order given. */
async function compile(kind, sources, flags) {
  const since = performance.now();
  mkdirSync(join(place, kind), { recursive: true });
  const object = (source) => join(place, kind, `${source.replaceAll('/', '-')}.o`);
  const built = new Set(readdirSync(join(place, kind)));
  const missing = sources.filter((source) => !built.has(basename(object(source))));
  await all(
    missing.map((source) => () => {
      const words = [
        '-c',
        '-g',
        '-O1',
        '-fPIC',
        '-fno-omit-frame-pointer',
        ...flags,
        ...flagsOf('linux', linux),
      ];
      // g++ 12 takes no address of a function for a constant any more when it checks for null, which node-addon-api needs; null is found
      // without it as well.
      const glue = isGlue(source) ? ['-fno-sanitize=null,nonnull-attribute,returns-nonnull-attribute'] : [];
      const command = ['g++', ...words, ...glue, source, '-o', object(source)];
      return step(source, command, { cwd: folderOf('linux'), env, quiet: true });
    }),
  );
  process.stderr.write(`  ${missing.length} sources for ${kind} ${seconds(since)}\n`);
  return sources.map(object);
}

/** Runs the engine without Node, made with these flags. */
async function stress(kind, flags, wanted = {}) {
  const file = join(place, `${kind}-stress`);
  const sources = ['test/stress.cc', ...linux.sources.filter((source) => !isGlue(source))];
  const objects = await compile(kind, sources, flags);
  await step(`linking for ${kind}`, ['g++', ...flags, '-pthread', '-o', file, ...objects], { env });
  // Sanitizers want their addresses where they are without randomisation.
  await step(`the engine under ${kind}`, ['setarch', '-R', file], { env: { ...env, ...wanted } });
}

const address = ['-fsanitize=address,undefined,float-cast-overflow', '-fno-sanitize-recover=all'];

/** The tests that go through the addon; those that build programs of their own have nothing of it. */
const suites = {
  native: ['packages/native/test/'],
  logcollect: ['packages/logcollect/test/capture/', 'packages/logcollect/test/store/pump'],
  workers: ['packages/workers/test/host-contract', 'packages/workers/test/host-native'],
};
const without = ['**/macos.test.ts', '**/pump-faults.test.ts'];

async function addon() {
  const tree = join(place, 'addon');
  const reports = join(place, 'reports');
  mkdirSync(join(tree, 'build', 'Release'), { recursive: true });
  mkdirSync(reports);
  // Some tests go on as an ordinary user.
  for (const [folder, mode] of [
    [place, 0o755],
    [reports, 0o777],
  ])
    chmodSync(folder, mode);
  const file = join(tree, 'build', 'Release', 'hsu_native.node');
  const objects = await compile('address', linux.sources, address);
  const flags = ['-shared', '-Wl,-z,now', '-Wl,-z,nodelete', ...address];
  await step('linking the addon', ['g++', ...flags, '-o', file, ...objects], { env });
  const common = `log_path=${join(reports, 'report')}:abort_on_error=0`;
  const wanted = {
    ...env,
    // Where node-gyp-build looks before it looks in the package.
    '@HSU_MASTER/NATIVE_LINUX_PREBUILD': tree,
    LD_PRELOAD: spawnSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout.trim(),
    // Node frees little of what it has when it ends; `address` looks for leaks.
    ASAN_OPTIONS: `detect_leaks=0:${common}`,
    UBSAN_OPTIONS: `print_stacktrace=1:${common}`,
    // Between 2 and 4 times as slow.
    HSU_TIME_FACTOR: String(4 * Number(process.env.HSU_TIME_FACTOR ?? 1)),
  };
  await check(wanted, file);
  const failed = [];
  for (const [project, files] of Object.entries(suites)) {
    const words = ['run', '--project', project, ...without.flatMap((name) => ['--exclude', name]), ...files];
    const command = ['setarch', '-R', ...program('vitest'), ...words];
    await step(`tests of ${project} with the addon under both`, command, { env: wanted }).catch((error) =>
      failed.push(error.message),
    );
  }
  const told = readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
  if (told.length + failed.length > 0) throw new StepFailed([...told, ...failed].join('\n'));
}

/** Else the tests would show nothing of it. */
async function check(wanted, file) {
  const script = `const { loadNative } = await import('@hsu-master/native');
    const loaded = loadNative();
    const maps = (await import('node:fs')).readFileSync('/proc/self/maps', 'utf8');
    if (!loaded.ok || !maps.includes(${JSON.stringify(file)})) throw new Error(loaded.reason ?? 'another addon was loaded');`;
  const [node] = program('vitest');
  await step('loading the addon', ['setarch', '-R', node, '--input-type=module', '-e', script], {
    cwd: join(root, 'packages', 'workers'),
    env: wanted,
    quiet: true,
  });
}

/** Each source once, as the first that compiles it does. */
function tidied() {
  const compiled = [
    { addon: 'linux', sources: linux.sources, flags: flagsOf('linux', linux) },
    { addon: 'linux', sources: ['test/stress.cc'], flags: flagsOf('linux', linux) },
    // The others include headers that only a Mac has.
    {
      addon: 'macos',
      sources: ['src/launch/main.cc', 'src/launch/plan.cc', 'src/process_args.cc', 'src/keepers.cc'],
      flags: flagsOf('macos'),
    },
    { addon: 'windows', sources: recipeOf('windows').sources, flags: forWindows() },
  ];
  const seen = new Set();
  return compiled.flatMap(({ addon, sources, flags }) =>
    sources
      .filter((source) => !seen.has(join(addon, source)) && seen.add(join(addon, source)))
      .map((source) => ({ addon, source, flags })),
  );
}

/** clang finds the C headers of mingw by itself, those of C++ not where Debian has them. */
function forWindows() {
  const words = ['-x', 'c++', '-E', '-v', '/dev/null'];
  const { stderr } = spawnSync('x86_64-w64-mingw32-g++-posix', words, { encoding: 'utf8' });
  const places = stderr.match(/^ \S*\/c\+\+\S*$/gm) ?? [];
  return [
    '--target=x86_64-w64-mingw32',
    ...places.map((name) => `-isystem${name.trim()}`),
    ...flagsOf('windows'),
  ];
}

/** The analyser does not see that bare calls of the system write into memory; that is read from here alone. The compiler warns as ever. */
const BARE_CALLS = {
  'linux/src/child.cc': [
    '--checks=-clang-analyzer-core.uninitialized.Assign,-clang-analyzer-core.UndefinedBinaryOperatorResult',
  ],
};

async function tidy() {
  installPackages(['clang-tidy', 'g++-mingw-w64-x86-64-posix']);
  const since = performance.now();
  const files = tidied();
  await all(
    files.map(({ addon, source, flags }) => () => {
      const command = [
        'clang-tidy',
        '--quiet',
        ...(BARE_CALLS[`${addon}/${source}`] ?? []),
        source,
        '--',
        ...flags,
      ];
      return step(`native/${addon}/${source}`, command, { cwd: folderOf(addon), env, quiet: true });
    }),
  );
  process.stderr.write(`  clang-tidy over ${files.length} sources ${seconds(since)}\n`);
}

const parts = {
  tidy,
  address: () => stress('address', address),
  addon,
  thread: () =>
    stress('thread', ['-fsanitize=thread'], {
      TSAN_OPTIONS: `suppressions=${join(folderOf('linux'), 'test', 'stress.tsan')}`,
    }),
};

/** Changes when anything does that a part looks at. */
function digestOfSources() {
  const hash = createHash('sha256');
  const files = [import.meta.filename, join(root, 'native', '.clang-tidy')];
  for (const name of ['linux', 'macos', 'shared', 'windows'])
    for (const file of readdirSync(folderOf(name), { recursive: true }).toSorted((a, b) => (a < b ? -1 : 1)))
      if (/^(?!build\/|node_modules\/).*\.(cc|c|h|gyp|tsan)$/.test(file))
        files.push(join(folderOf(name), file));
  for (const file of files) hash.update(`${relative(root, file)}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

const isFull = Boolean(process.env.CI_FULL);
const recordFile = join(root, 'native', 'sanitized.json');
const passedWith = existsSync(recordFile) ? JSON.parse(readFileSync(recordFile, 'utf8')) : {};
const digest = digestOfSources();
const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { stale: { type: 'boolean', default: false } },
});
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const name of asked.length > 0 ? asked : Object.keys(parts)) {
  if (values.stale && !isFull && passedWith[name] === digest) {
    process.stderr.write(`  skipped: ${name}: it passed with these sources\n`);
    counts.skipped += 1;
    continue;
  }
  try {
    if (!(name in parts))
      throw new StepFailed(`no part ${name}; there are: ${Object.keys(parts).join(', ')}`);
    await parts[name]();
    counts.passed += 1;
    passedWith[name] = digest;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    counts.failed += 1;
    process.stderr.write(`  FAILED ${name}\n${error.message}\n`);
  }
}
rmSync(place, { recursive: true, force: true });
if (isFull) writeFileSync(recordFile, `${JSON.stringify(passedWith, null, 2)}\n`);
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
