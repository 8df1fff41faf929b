// This tree as Wine can use it: node_modules without links, which Wine follows but does not see, with the compiled packages, the addon
// made here, and what of the test runner is a binary.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { packages, root, tools } from '../tree.mjs';
import { buildWindowsAddon } from './build.mjs';
import { buildPrograms, relayFile } from './programs.mjs';
import { rigFolder } from './rig.mjs';
import { fetchPackage } from './setup.mjs';

const stage = join(tools, 'windows', 'stage');
const modules = join(stage, 'node_modules');

/** As the programs of the rig see it. */
export const stageInside = 'Z:\\w\\.tools\\windows\\stage';

/** What the tests import beside the packages. */
const runners = ['vitest', 'fast-check', '@fast-check/vitest'];
/** Whose binary for Windows is another package. */
const binaries = { rolldown: '@rolldown/binding-win32-x64-msvc' };

/** Brings the stage up to date; answers its folder. @throws {StepFailed} */
export async function stageTree() {
  const addon = await buildWindowsAddon();
  await buildPrograms();
  mkdirSync(modules, { recursive: true });
  const stamp = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .update('1')
    .digest('hex');
  const mark = join(stage, '.packages');
  const own = packages().filter(({ folder }) => !folder.includes(`${root}/examples/`));
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== stamp) {
    rmSync(modules, { recursive: true, force: true });
    await stagePackages(own);
    writeFileSync(mark, stamp);
  }
  for (const { folder, manifest } of own) stageOwn(folder, manifest);
  // What bundles is installed by the setup.
  const { bundle } = await import('../bundle.mjs');
  await bundle(join(stage, 'packages', 'hsu-master', 'bundle'));
  const place = join(modules, '@hsu-master', 'native-windows', 'prebuilds', 'win32-x64');
  mkdirSync(place, { recursive: true });
  copyFileSync(addon, join(place, '@hsu-master+native-windows.node'));
  copyFileSync(relayFile, join(place, 'hsu_relay.exe'));
  copyFileSync(join(root, 'scripts', 'windows', 'vitest.config.mjs'), join(stage, 'vitest.config.mjs'));
  return stage;
}

/** Every package of others that ours and the test runner need, one beside the other where versions allow. */
async function stagePackages(own) {
  const versions = new Map();
  const wanted = own.flatMap(({ folder, manifest }) => dependenciesOf(folder, manifest, modules));
  wanted.push(...runners.map((name) => ({ name, from: root, parent: modules })));
  for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
    const { name, from, parent } = next;
    const folder = resolve(name, from);
    if (folder === null || isOwn(folder)) continue;
    const known = versions.get(name);
    if (known === folder) continue;
    const place = join(known === undefined ? modules : parent, name);
    if (known === undefined) versions.set(name, folder);
    else if (existsSync(place)) continue;
    mkdirSync(dirname(place), { recursive: true });
    execFileSync('cp', ['-rl', '--no-target-directory', folder, place]);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    wanted.push(...dependenciesOf(folder, manifest, join(place, 'node_modules')));
    if (binaries[name]) await stageBinary(binaries[name], manifest.optionalDependencies[binaries[name]]);
  }
}

function dependenciesOf(from, manifest, parent) {
  const { dependencies, peerDependencies, optionalDependencies } = manifest;
  return Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }).map((name) => ({
    name,
    from,
    parent,
  }));
}

const isOwn = (folder) => !folder.includes('/node_modules/');

function resolve(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return realpathSync(place);
    if (folder === dirname(folder)) return null;
  }
}

async function stageBinary(name, version) {
  const kept = join(rigFolder(), 'packages', `${name.replace('/', '+')}@${version}`);
  if (!existsSync(join(kept, 'package.json'))) await fetchPackage(name, version, kept);
  const place = join(modules, name);
  mkdirSync(dirname(place), { recursive: true });
  execFileSync('cp', ['-r', '--no-target-directory', kept, place]);
}

/** One of ours, twice: compiled, where others import it, and with its sources, where its tests are. */
function stageOwn(folder, manifest) {
  const installed = join(modules, manifest.name);
  for (const [place, parts] of [
    [installed, ['package.json', 'dist', 'bin', 'proto']],
    [
      join(stage, folder.slice(root.length + 1)),
      ['package.json', 'src', 'dist', 'bin', 'test', 'test-wine', 'proto'],
    ],
  ]) {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    for (const part of parts)
      if (existsSync(join(folder, part))) copyTree(join(folder, part), join(place, part));
    // It refers to others that are not here.
    rmSync(join(place, 'test', 'tsconfig.json'), { force: true });
  }
}

/** By links where that can be: files of the package are replaced and not changed. */
function copyTree(from, to) {
  if (!lstatSync(from).isDirectory()) copyFileSync(from, to);
  else if (readdirSync(from).length > 0) execFileSync('cp', ['-rl', '--no-target-directory', from, to]);
}
