// Makes the Windows rig: a cross compiler from Debian, Wine in a root of its own, node.exe from the package registry.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installPackages } from '../debian.mjs';
import { StepFailed, seconds, step } from '../step.mjs';
import { environment, root } from '../tree.mjs';
import { inside, NODE_PACKAGE, places, rigFolder, runInside, runWindows } from './rig.mjs';

const scripts = join(root, 'scripts', 'windows');
const hostPackages = ['g++-mingw-w64-x86-64-posix', 'mmdebstrap', 'eatmydata'];
/** The release whose Wine runs the pinned Node; an older one does not. */
const RELEASE = 'trixie';
const L = '/usr/lib/x86_64-linux-gnu';
const left = [
  ...['doc', 'man', 'locale', 'icons', 'fonts'].map((name) => `/usr/share/${name}/*`),
  ...['wine/i386-windows/*', 'libLLVM*', 'dri/*', 'libgallium*', 'gstreamer-1.0/*', 'libvulkan_*'].map(
    (name) => `${L}/${name}`,
  ),
];
const advice = 'The Windows rig is made of Debian packages and a package of the registry; check the network.';

/** Brings the rig up to date; silent where there is nothing to do. @throws {StepFailed} */
export async function setupWindows() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new StepFailed('The Windows rig is built on Linux on x64 only.');
  if (process.getuid() !== 0)
    throw new StepFailed('The Windows rig needs root: for its root folder and its mounts.');
  const since = performance.now();
  mkdirSync(rigFolder(), { recursive: true });
  const release = await takeLock();
  try {
    await build(since);
  } finally {
    release();
  }
}

async function build(since) {
  installPackages(hostPackages);
  const done = [];
  // The two that wait for the network do so together.
  done.push(
    ...(await Promise.all([
      renew(places.rootfs, [RELEASE, ...left].join(' '), buildRoot),
      renew(places.node, nodeVersion(), fetchNode),
    ])),
  );
  done.push(await renew(places.bin, readFileSync(join(scripts, 'relay.c'), 'utf8'), buildRelay));
  done.push(await renew(places.prefix, [RELEASE, ...left].join(' '), buildPrefix));
  if (done.includes(true)) {
    const { code, output } = await runWindows([inside.node, '-v'], { limit: 120 });
    if (code !== 0) throw new StepFailed(`node.exe does not run under Wine (${code})\n${output}`);
    process.stderr.write(`  Windows rig ready in ${seconds(since)}: node.exe ${output.trim()}\n`);
  }
  writeFileSync(join(rigFolder(), '.ready'), '');
}

/** One at a time makes it, of all clones that share it. */
async function takeLock() {
  const lock = join(rigFolder(), '.lock');
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isHeld(lock)) rmSync(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function isHeld(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Empty: its owner is between creating and writing.
    if (pid === 0) return Date.now() - statSync(lock).mtimeMs < 5000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const env = { ...environment(), DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
const run = (name, command, cwd) => step(`windows: ${name}`, command, { cwd, env, advice });

/** Makes the place anew unless what it was made of is the same; says whether it did. */
async function renew(place, inputs, make) {
  const stamp = createHash('sha256').update(inputs).digest('hex');
  const mark = join(place, '.ready');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === stamp) return false;
  rmSync(place, { recursive: true, force: true });
  await make(place);
  writeFileSync(mark, stamp);
  return true;
}

async function buildRoot(place) {
  const source = '/etc/apt/sources.list.d/debian.sources';
  const mirror = existsSync(source) ? /^URIs:\s*(\S+)/m.exec(readFileSync(source, 'utf8'))?.[1] : undefined;
  const options = ['--quiet', '--variant=essential', '--include=wine,wine64', '--dpkgopt=force-unsafe-io'];
  const quick = [
    '--aptopt=Acquire::Languages "none"',
    ...left.map((path) => `--dpkgopt=path-exclude=${path}`),
  ];
  const work = `${place}.new`;
  rmSync(work, { recursive: true, force: true });
  const words = [...options, ...quick, RELEASE, work, mirror ?? 'http://deb.debian.org/debian'];
  await run('root with Wine', ['eatmydata', 'mmdebstrap', ...words], rigFolder());
  // Else 'localhost' is not found.
  writeFileSync(join(work, 'etc', 'hosts'), `127.0.0.1 localhost\n::1 localhost\n127.0.0.1 ${hostname()}\n`);
  for (const name of ['w', 'rig']) mkdirSync(join(work, name), { recursive: true });
  renameSync(work, place);
}

const lock = () => readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');

function nodeVersion() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return optionalDependencies[NODE_PACKAGE];
}

async function fetchNode(place) {
  mkdirSync(place, { recursive: true });
  await fetchPackage(NODE_PACKAGE, nodeVersion(), place, ['package/bin/node.exe', '--strip-components=2']);
}

/** Unpacks a package of the lockfile into the folder, if its bytes are those that the lockfile names. */
export async function fetchPackage(name, version, place, words = ['--strip-components=1']) {
  const entry = lock().split(
    `\n  ${name.startsWith('@') ? `'${name}@${version}'` : `${name}@${version}`}:\n`,
  )[1];
  const integrity = /integrity: (sha512-[\w+/=]+)/.exec(entry?.split('\n\n')[0] ?? '')?.[1];
  if (!integrity) throw new StepFailed(`windows: ${name}@${version} is not in pnpm-lock.yaml`);
  const work = mkdtempSync(join(rigFolder(), 'fetch-'));
  try {
    const packed = await run(`${name}@${version}`, ['npm', 'pack', '--silent', `${name}@${version}`], work);
    const archive = join(work, packed.trim().split('\n').at(-1));
    const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (digest !== integrity)
      throw new StepFailed(`windows: ${name}@${version} is ${digest}, and not ${integrity}`);
    mkdirSync(place, { recursive: true });
    await step('unpack', ['tar', 'xzf', archive, '-C', place, ...words], { env, quiet: true });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function buildRelay(place) {
  mkdirSync(place, { recursive: true });
  const flags = ['-O2', '-municode', '-Wall', '-Wextra', '-static', '-s'];
  const output = join(place, 'relay.exe');
  await run(
    'relay',
    ['x86_64-w64-mingw32-gcc-posix', ...flags, join(scripts, 'relay.c'), '-o', output],
    rigFolder(),
  );
}

async function buildPrefix(place) {
  const since = performance.now();
  process.stderr.write('  windows: Wine prefix …');
  mkdirSync(place, { recursive: true });
  const script = 'wineboot -i; wineserver -w';
  const { output } = await runInside(['sh', '-c', script], { cwd: '/', fresh: true, limit: 300 });
  if (!existsSync(join(place, 'drive_c', 'windows', 'system32', 'kernel32.dll')))
    throw new StepFailed(`windows: Wine made no prefix\n${output}`);
  process.stderr.write(` ${seconds(since)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await setupWindows().catch((error) => {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
