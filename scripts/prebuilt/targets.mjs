// What is built for whom: native/targets.json, the addons' own binding.gyp, and where results are put.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { StepFailed } from '../step.mjs';
import { root } from '../tree.mjs';

export const plan = JSON.parse(readFileSync(join(root, 'native', 'targets.json'), 'utf8'));

/** Outside of every clone: the compiler, its own cache (150 MB a machine), foreign runtimes. */
export const cache =
  process.env.HSU_PREBUILT_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hsu-master-prebuilt');

/** Cross-built binaries of this clone, in the layout of prebuildify below each addon's name. */
export const output = resolve(root, process.env.HSU_PREBUILT_OUTPUT ?? join('.tools', 'prebuilt'));

/**
 * The targets of that name, all without one; those whose addon has no sources in this clone are left out.
 * @param {string | undefined} only names, separated by commas
 */
export function targets(only) {
  const names = only?.split(',') ?? Object.keys(plan.targets);
  return names.flatMap((name) => {
    const target = plan.targets[name];
    if (target === undefined)
      throw new StepFailed(`no target ${name}; there are: ${Object.keys(plan.targets).join(', ')}`);
    const folder = join(root, 'native', target.addon);
    return existsSync(join(folder, 'binding.gyp')) ? [{ name, ...target, source: folder }] : [];
  });
}

/** Where a target's binary is in a folder of prebuilds. */
export function fileOf({ addon, folder, tag }) {
  return join(folder, `@hsu-master+native-${addon}${tag ? `.${tag}` : ''}.node`);
}

export const programFile = ({ folder }, { name }) => (folder.startsWith('win32') ? `${name}.exe` : name);

export const builtFile = (target) => join(output, target.addon, 'prebuilds', fileOf(target));

/** The programs that belong to a target's addon, beside it. */
export const programsOf = (target) => recipes(target).slice(1);

/** The targets of a binding.gyp, the addon first: as much as a build without gyp needs. */
export function recipes({ source, addon }) {
  const text = readFileSync(join(source, 'binding.gyp'), 'utf8')
    .replace(/^\s*#.*$/gm, '')
    .replace(/,(\s*[\]}])/g, '$1');
  let given;
  try {
    given = JSON.parse(text).targets;
  } catch (error) {
    throw new StepFailed(
      `native/${addon}/binding.gyp: only comments on lines of their own and JSON are understood: ${error.message}`,
    );
  }
  const plain = (list = []) => list.flatMap((item) => expanded(item, source));
  return given.map((one) => ({
    name: one.target_name,
    sources: plain(one.sources),
    includes: plain(one.include_dirs),
    defines: plain(one.defines),
    flags: (one.xcode_settings?.OTHER_CPLUSPLUSFLAGS ?? []).filter((flag) => !flag.startsWith('-W')),
    libraries: plain(one.libraries).map((name) => `-l${name.replace(/^-l/, '').replace(/\.lib$/i, '')}`),
  }));
}

/** A list that gyp has a program of the addon's folder make is made; what else it would run is the headers, which are added. */
function expanded(item, cwd) {
  const script = /^<!@\(node ([\w./-]+)\)$/.exec(item)?.[1];
  if (script !== undefined)
    return execFileSync(process.execPath, [script], { cwd, encoding: 'utf8' }).split(/\s+/).filter(Boolean);
  return item.startsWith('<!') ? [] : [item];
}

/** What an addon for Linux offers: the two names that Node looks for. */
export const exportsMap = join(root, 'scripts', 'prebuilt', 'exports.map');

/** The names of its system that a target's binaries may want, one on each line. */
export const listFile = ({ addon, tag }) =>
  join(root, 'native', addon, tag === 'musl' ? 'symbols.musl.txt' : 'symbols.txt');

/** Changes when anything does that the target's binary is made of; the same on each machine. */
export function digestOf({ source, ...target }) {
  const { targets: _, ...rest } = plan;
  const headers = ['node-api-headers', 'node-addon-api'].map((name) => installed(name, source).version);
  const hash = createHash('sha256').update(JSON.stringify([rest, target, headers]));
  const shared = ['shared', ...(target.addon === 'macos' ? ['linux/src'] : [])];
  const places = [source, ...shared.map((name) => join(root, 'native', name))];
  const scripts = ['build', 'targets', 'zig'].map((name) => join(root, 'scripts', 'prebuilt', `${name}.mjs`));
  for (const file of [...places.flatMap(filesOf), ...scripts, exportsMap])
    hash.update(`${relative(root, file)}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

/** A package that a target is built with, which is installed where its sources are or at the root. */
export function installed(name, source) {
  const file = createRequire(join(source, 'package.json')).resolve(`${name}/package.json`);
  return { folder: dirname(file), version: JSON.parse(readFileSync(file, 'utf8')).version };
}

/** Made by building, or nothing that a binary is made of. */
const isNoSource = (path) =>
  /\/(\.[^/]+|build|node_modules|prebuilds|test|package\.json)$|\.(md|txt)$/.test(path);

function filesOf(place) {
  return readdirSync(place)
    .sort()
    .map((name) => resolve(place, name))
    .filter((path) => !isNoSource(path))
    .flatMap((path) => (statSync(path).isDirectory() ? filesOf(path) : [path]));
}
