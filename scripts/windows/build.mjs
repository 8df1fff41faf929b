// Compiles the Windows addon here with mingw: `node scripts/windows/build.mjs`. For the rig and for checking; what is published is built
// on Windows by binding.gyp.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installPackages } from '../debian.mjs';
import { StepFailed, seconds, step } from '../step.mjs';
import { environment, root, tools } from '../tree.mjs';

const native = join(root, 'native');
const work = join(tools, 'windows', 'addon');
const COMPILER = 'x86_64-w64-mingw32-g++-posix';

/** Where the compiled addon lies. */
export const addonFile = join(work, 'hsu_native.node');

const defines = [
  'NAPI_VERSION=9',
  'NODE_ADDON_API_CPP_EXCEPTIONS',
  'NODE_ADDON_API_DISABLE_DEPRECATED',
  'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  'NODE_ADDON_API_CPP_EXCEPTIONS_ALL',
  'NODE_GYP_MODULE_NAME=hsu_native',
  'BUILDING_NODE_EXTENSION',
  'UNICODE',
  '_UNICODE',
  'WIN32_LEAN_AND_MEAN',
  'NOMINMAX',
  '_WIN32_WINNT=0x0A00',
  'NTDDI_VERSION=0x0A000006',
];
const libraries = ['psapi', 'iphlpapi', 'ws2_32', 'advapi32', 'user32', 'ntdll'];

/** Compiles what has changed. Answers the file. @throws {StepFailed} */
export async function buildWindowsAddon() {
  installPackages(['g++-mingw-w64-x86-64-posix']);
  mkdirSync(work, { recursive: true });
  const since = performance.now();
  const includes = includeFolders();
  const flags = [
    '-std=c++20',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Wpedantic',
    '-MMD',
    ...defines.map((name) => `-D${name}`),
    ...includes.flatMap((folder) => ['-isystem', folder]),
    `-I${join(native, 'shared')}`,
    `-I${join(native, 'windows', 'src')}`,
  ];
  const sources = [...sourcesOf(), ...(await nodeLibrary())];
  const objects = sources.map((source) => ({ source, object: objectOf(source) }));
  const stale = objects.filter(isStale);
  if (
    stale.length === 0 &&
    existsSync(addonFile) &&
    objects.every(({ object }) => isOlder(object, addonFile))
  )
    return addonFile;
  await inTurn(stale, ({ source, object }) => compile(source, object, flags));
  const made = `${addonFile}.${process.pid}`;
  const link = ['-shared', '-static', '-static-libgcc', '-static-libstdc++', '-s'];
  await run('link', [
    COMPILER,
    ...link,
    ...objects.map(({ object }) => object),
    join(work, 'libnode_delay.a'),
    ...libraries.map((name) => `-l${name}`),
    '-o',
    made,
  ]);
  renameSync(made, addonFile);
  process.stderr.write(`  windows addon: ${stale.length} compiled, ${seconds(since)}\n`);
  return addonFile;
}

const run = (name, command, cwd = work) =>
  step(`windows: ${name}`, command, { cwd, env: environment(), quiet: true });

function includeFolders() {
  const api = join(native, 'windows', 'node_modules', 'node-addon-api');
  return [api, join(root, 'node_modules', 'node-api-headers', 'include')];
}

function sourcesOf() {
  const folder = join(native, 'windows');
  const names = execFileSync(process.execPath, ['sources.mjs'], { cwd: folder, encoding: 'utf8' });
  return names
    .trim()
    .split('\n')
    .map((name) => join(folder, name));
}

/** The import library of Node's own functions, bound late so that a renamed node.exe will do. Answers the hook's source. */
async function nodeLibrary() {
  const library = join(work, 'libnode_delay.a');
  const hook = join(root, 'scripts', 'windows', 'delay-hook.cc');
  if (existsSync(library)) return [hook];
  const folder = join(root, 'node_modules', 'node-api-headers', 'def');
  const names = ['js_native_api.def', 'node_api.def'].flatMap((name) =>
    readFileSync(join(folder, name), 'utf8').split(/\r?\n/).slice(2),
  );
  const unique = [...new Set(names.map((name) => name.trim()).filter(Boolean))].sort();
  const definition = join(work, 'node.def');
  writeFileSync(definition, `LIBRARY node.exe\nEXPORTS\n${unique.join('\n')}\n`);
  const made = `${library}.${process.pid}`;
  await run('node.def', ['x86_64-w64-mingw32-dlltool', '-d', definition, '-y', made]);
  renameSync(made, library);
  return [hook];
}

function objectOf(source) {
  return join(work, 'obj', `${relative(root, source).replaceAll(/[\\/.]+/g, '_')}.o`);
}

function isOlder(file, than) {
  return existsSync(file) && statSync(file).mtimeMs <= statSync(than).mtimeMs;
}

function isStale({ object }) {
  if (!existsSync(object)) return true;
  const list = `${object}.d`;
  if (!existsSync(list)) return true;
  const files = readFileSync(list, 'utf8').replaceAll('\\\n', ' ').split(/\s+/).slice(1).filter(Boolean);
  // Flags are here.
  return [fileURLToPath(import.meta.url), ...files].some((file) => !isOlder(file, object));
}

async function compile(source, object, flags) {
  mkdirSync(dirname(object), { recursive: true });
  const made = `${object}.${process.pid}`;
  await run(relative(root, source), [COMPILER, ...flags, '-MF', `${made}.d`, '-c', source, '-o', made]);
  renameSync(`${made}.d`, `${object}.d`);
  renameSync(made, object);
}

/** As many at a time as there are processors. */
async function inTurn(all, work) {
  const rest = [...all];
  const lane = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await buildWindowsAddon().then(
    (file) => process.stdout.write(`${relative(root, file)}\n`),
    (error) => {
      if (!(error instanceof StepFailed)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    },
  );
