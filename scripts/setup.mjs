// Makes a fresh clone ready to run: package manager, packages, TypeScript, addon. Runs on any Node from 20 on,
// installs nothing globally, and does only what has changed since the last time.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { addonCommand, addonFolder, addonInputs, addonOutput } from './addon.mjs';
import { StepFailed, seconds, step } from './step.mjs';
import {
  environment,
  nodeFolder,
  packages as packageFolders,
  pinnedNode,
  pnpm,
  program,
  root,
  tools,
} from './tree.mjs';

const networkAdvice =
  'Packages come from the registry that npm is configured for (npm config get registry). Check the network and run the command again.';
const compilerAdvice =
  'The addon needs g++, make and python3 (Debian: apt-get install g++ make python3). To go on without it, with fewer capabilities: HSU_SKIP_ADDON=1.';

/** Brings the clone up to date. Silent when there is nothing to do. Throws StepFailed. */
export async function setup({ compile = true } = {}) {
  const since = performance.now();
  mkdirSync(join(tools, 'stamps'), { recursive: true });
  const release = await takeLock();
  try {
    // Left by a run in guests that was killed; it would go before what is compiled here.
    rmSync(join(root, 'packages', 'hsu-master', 'bundle'), { recursive: true, force: true });
    const done = [await packageManager(), await packages()];
    if (compile) done.push(await types(), await addon());
    if (done.includes(true)) process.stderr.write(`  ready in ${seconds(since)}\n`);
  } finally {
    release();
  }
}

async function packageManager() {
  const source = join(root, 'scripts', 'tools');
  const inputs = ['package.json', 'package-lock.json'].map((name) => join(source, name));
  return renew('tools', inputs, [pnpm], () => {
    announce();
    for (const name of ['package.json', 'package-lock.json']) cpSync(join(source, name), join(tools, name));
    rmSync(join(tools, 'node_modules'), { recursive: true, force: true });
    // Not `npm ci`: it refuses a lock without the binaries of platforms that the locking registry did not serve.
    const flags = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
    return step('installing the package manager', [...npm(), 'install', ...flags], {
      cwd: tools,
      env: environment(),
      advice: networkAdvice,
    });
  });
}

async function packages() {
  const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.pnpmfile.cjs', 'package.json'].map((name) =>
    join(root, name),
  );
  inputs.push(...packageFolders().map(({ folder }) => join(folder, 'package.json')));
  const outputs = [
    join(root, 'node_modules', '.modules.yaml'),
    join(root, 'node_modules', '@typescript', 'native'),
  ];
  return renew('packages', inputs, outputs, async () => {
    announce();
    const flags = ['--frozen-lockfile', '--reporter=append-only', '--config.confirmModulesPurge=false'];
    await step('installing packages', [process.execPath, pnpm, 'install', ...flags], {
      env: environment(),
      advice: networkAdvice,
    });
    if (nodeFolder() === null) {
      process.stderr.write(
        `  no pinned Node for ${process.platform}-${process.arch}: going on with ${process.version}\n`,
      );
    }
  });
}

/** `tsc -b` finds out by itself which sources are new, in a fraction of a second; changed options it overlooks. */
async function types() {
  const inputs = ['tsconfig.base.json', 'tsconfig.json', 'pnpm-lock.yaml'].map((name) => join(root, name));
  inputs.push(...packageFolders().map(({ folder }) => join(folder, 'tsconfig.json')));
  const launcher = join(root, 'packages', 'hsu-master', 'dist', 'main.js');
  const tsc = [...program('@typescript/native', 'tsc'), '-b'];
  const advice = 'The sources do not compile. On an unchanged clone this is a defect worth reporting.';
  const all = await renew('types', inputs, [launcher], async () => {
    announce();
    await step('compiling TypeScript', [...tsc, '--force'], { env: environment(), advice });
  });
  if (!all) await step('compiling TypeScript', tsc, { env: environment(), quiet: true, advice });
  return all;
}

async function addon() {
  const folder = addonFolder();
  if (folder === null || process.env.HSU_SKIP_ADDON === '1') return false;
  return renew('addon', [...addonInputs(folder), pinnedNode()], [addonOutput(folder)], async () => {
    announce();
    await step('compiling the addon', addonCommand(), {
      cwd: folder,
      env: environment(),
      advice: compilerAdvice,
    });
  });
}

/** Does the work when an input differs from what the stamp remembers or an output is missing. */
async function renew(name, inputs, outputs, work) {
  const stamp = join(tools, 'stamps', name);
  const digest = digestOf(inputs);
  const old = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (old === digest && outputs.every((output) => existsSync(output))) return false;
  rmSync(stamp, { force: true });
  await work();
  writeFileSync(stamp, digest);
  return true;
}

function digestOf(files) {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch} ${root}\n`);
  for (const file of files) {
    if (!existsSync(file)) continue;
    const big = statSync(file).size > 1_000_000;
    hash.update(`${relative(root, file)}\n`).update(big ? String(statSync(file).size) : readFileSync(file));
  }
  return hash.digest('hex');
}

let announced = false;
function announce() {
  if (!announced) process.stderr.write('Setting up this clone (once; nothing is installed globally):\n');
  announced = true;
}

/** The npm beside the Node that runs this, also where PATH has another one first. */
function npm() {
  const script = process.env.npm_execpath;
  if (script?.endsWith('npm-cli.js') && existsSync(script)) return [process.execPath, script];
  return process.platform === 'win32' ? ['cmd', '/c', 'npm'] : ['npm'];
}

/** Two set-ups in one clone wait for each other; a lock whose owner is gone is taken over. */
async function takeLock() {
  const lock = join(tools, 'setup.lock');
  for (let told = false; ; told = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!alive(lock)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) process.stderr.write('  waiting for another set-up in this clone …\n');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function alive(lock) {
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

/** For scripts that begin with setup(): a failed step is told in its own words, without a stack. */
export function fail(error) {
  process.stderr.write(`\n${error instanceof StepFailed ? error.message : error.stack}\n`);
  process.exit(1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await setup().catch(fail);
