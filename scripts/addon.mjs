// Builds the addon of this OS: `build` for this clone, `prebuilds` for packing.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { environment, nodeFolder, program, root } from './tree.mjs';

const folders = { linux: 'linux', darwin: 'macos', win32: 'windows' };

/** Folder of this OS's addon, or null where there is none yet. */
export function addonFolder() {
  const folder = join(root, 'native', folders[process.platform] ?? 'none');
  return existsSync(join(folder, 'binding.gyp')) ? folder : null;
}

/** Every file the build reads. */
export function addonInputs(folder) {
  const files = [join(folder, 'binding.gyp'), join(folder, 'package.json')];
  for (const place of [join(folder, 'src'), join(root, 'native', 'shared')]) walk(place, files);
  return files;
}

export const addonOutput = (folder) => join(folder, 'build', 'Release', 'hsu_native.node');

/**
 * Puts this clone's build where a published package has its binary, as `prebuilds` would, but without a second build
 * and without touching the first. Returns the folder made.
 */
export function placePrebuild(folder) {
  const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const libc =
    process.platform === 'linux'
      ? process.report.getReport().header.glibcVersionRuntime
        ? '.glibc'
        : '.musl'
      : '';
  const place = join(folder, 'prebuilds', `${process.platform}-${process.arch}`);
  mkdirSync(place, { recursive: true });
  copyFileSync(addonOutput(folder), join(place, `${name.replace('/', '+')}${libc}.node`));
  placePrograms(folder);
  return join(folder, 'prebuilds');
}

/** What is not the addon but belongs beside it: prebuildify overlooks it. */
function placePrograms(folder) {
  const place = join(folder, 'prebuilds', `${process.platform}-${process.arch}`);
  for (const name of ['hsu-launch', 'hsu_relay.exe']) {
    const built = join(folder, 'build', 'Release', name);
    if (existsSync(built)) copyFileSync(built, join(place, name));
  }
}

/** node-gyp with the headers that are at hand; it downloads them only where there are none. */
export function addonCommand() {
  const headers = headersFolder();
  return [
    ...program('node-gyp'),
    'configure',
    'build',
    '--release',
    '--jobs=max',
    ...(headers ? [`--nodedir=${headers}`] : []),
  ];
}

function headersFolder() {
  const places = [nodeFolder(), dirname(dirname(process.execPath))];
  const found = places.find((place) => place && existsSync(join(place, 'include', 'node', 'node_api.h')));
  return found ? withoutSpaces(found) : null;
}

/** The make files that gyp writes split paths at spaces: headers in such a place are reached by another name. */
function withoutSpaces(folder) {
  if (process.platform === 'win32' || !/\s/.test(folder)) return folder;
  const link = join(mkdtempSync(join(tmpdir(), 'hsu-headers-')), 'node');
  symlinkSync(folder, link);
  process.once('exit', () => rmSync(dirname(link), { recursive: true }));
  return link;
}

/** What is published has its C++ runtime in it, and shows nothing of that. */
const SELF_CONTAINED = [
  '-static-libstdc++',
  '-static-libgcc',
  `-Wl,--version-script=${join(root, 'scripts', 'prebuilt', 'exports.map')}`,
];

function prebuildsCommand() {
  const tags = process.platform === 'linux' ? ['--tag-libc'] : [];
  return [...program('prebuildify'), '--napi', '--strip', ...tags, '-t', '24.21.0'];
}

function walk(place, files) {
  if (!existsSync(place)) return;
  for (const name of readdirSync(place).sort()) {
    const path = join(place, name);
    if (statSync(path).isDirectory()) walk(path, files);
    else files.push(path);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = addonFolder();
  if (folder === null) {
    process.stderr.write(`no addon for ${process.platform} in this clone\n`);
    process.exit(0);
  }
  const [program, ...args] = process.argv[2] === 'prebuilds' ? prebuildsCommand() : addonCommand();
  const forPacking = process.argv[2] === 'prebuilds';
  const flags = forPacking && process.platform === 'linux' ? { LDFLAGS: SELF_CONTAINED.join(' ') } : {};
  const env = environment({ npm_config_nodedir: headersFolder() ?? '', ...flags });
  const { status } = spawnSync(program, args, { cwd: folder, env, stdio: 'inherit' });
  if (status === 0 && forPacking) placePrograms(folder);
  process.exit(status ?? 1);
}
