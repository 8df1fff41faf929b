// Packs the packages with what was built for all machines, installs the tarballs with npm as on each system, and uses them there: which
// binary is picked, whether it loads and runs a worker, and what is said without it.
//   node scripts/prebuilt/install.mjs [--only NAME,…]
// Linux on arm64 runs by qemu-user, Windows on x64 under Wine (scripts/windows); elsewhere only what is picked is looked at.
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installTarballs, packAll } from '../pack.mjs';
import { fail, setup } from '../setup.mjs';
import { StepFailed } from '../step.mjs';
import { environment, pinnedNode, root, tools } from '../tree.mjs';
import { inside, runWindows } from '../windows/rig.mjs';
import { setupWindows } from '../windows/setup.mjs';
import { runsHere, runtimeOf } from './runtimes.mjs';
import { builtFile, fileOf, output, targets } from './targets.mjs';

/** In the tree, because programs of Windows see that. */
const place = join(tools, 'install-test');
const factor = Number(process.env.HSU_TIME_FACTOR ?? 1);

/** Says which binary is for this machine and, when asked, loads it. */
const LOOK = `import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { loadNative } from '@hsu-master/native';
const require = createRequire(import.meta.resolve('@hsu-master/native'));
const folder = dirname(require.resolve('@hsu-master/' + process.argv[2] + '/package.json'));
const file = require('node-gyp-build').path(folder);
const loaded = process.argv[3] === 'load' ? loadNative() : { ok: true };
process.stdout.write(JSON.stringify({ file, ok: loaded.ok, reason: loaded.reason ?? '' }) + '\\n');
`;

/** How a target's programs run; null: not here. @returns {Promise<{node: string, seconds: number, run: Function} | null>} */
async function machineOf({ name }, home) {
  if (name === 'win32-x64') {
    await setupWindows();
    const cwd = `/w/${relative(root, home)}`;
    return {
      node: inside.node,
      seconds: 3 * factor,
      run: (words) => runWindows([inside.node, ...words], { cwd, limit: 120 * factor }),
    };
  }
  if (!runsHere(name)) return null;
  const { node, env, command, emulates } = await runtimeOf(name);
  const [first, ...rest] = name === 'linux-x64-glibc' ? [node] : [...command(), node];
  const state = join(place, `state-${name}`);
  return {
    node,
    seconds: (emulates ? 8 : 2) * factor,
    emulates,
    run: (words) => {
      const { status, stdout, stderr } = spawnSync(first, [...rest, ...words], {
        cwd: home,
        env: environment({ ...env, HSU_HOME: state }),
        encoding: 'utf8',
      });
      return { code: status, output: `${stdout}${stderr}` };
    },
  };
}

const must = (holds, message) => {
  if (!holds) throw new StepFailed(message);
};

/** What is picked for a machine, as node-gyp-build is told of it where it does not run. */
function lookElsewhere({ folder, tag }, home, words) {
  const [platform, arch] = folder.split('-');
  const machine = { npm_config_platform: platform, npm_config_arch: arch, LIBC: tag ?? '' };
  const env = environment(machine);
  const { stdout, stderr } = spawnSync(pinnedNode(), words, { cwd: home, env, encoding: 'utf8' });
  return { output: `${stdout}${stderr}` };
}

async function checkPicked(target, home, machine) {
  const name = `native-${target.addon}`;
  const words = ['look.mjs', name, ...(machine ? ['load'] : [])];
  const { output: said } = machine ? await machine.run(words) : lookElsewhere(target, home, words);
  const line = said.split('\n').find((one) => one.startsWith('{'));
  must(line, `nothing was said of ${target.name}:\n${said}`);
  const { file, ok, reason } = JSON.parse(line);
  const picked = file.replaceAll('\\', '/');
  must(picked.endsWith(`/${name}/prebuilds/${fileOf(target)}`), `${target.name}: picked ${file}`);
  must(ok, `${target.name}: ${reason}`);
}

/** Gives the master a worker, for a while. */
function runMaster(home, { node, run, seconds }) {
  const command = [node, '-e', "setInterval(() => console.log('alive'), 200)"];
  const config = `workers:\n  - { id: web, command: ${JSON.stringify(command)} }\n`;
  writeFileSync(join(home, 'config.yaml'), config);
  const program = 'node_modules/hsu-master/bin/hsu-master.js';
  return run([program, 'run', 'config.yaml', '--run-duration', `${seconds}`]);
}

async function checkRuns(home, machine) {
  const { code, output: said } = await runMaster(home, machine);
  must(code === 0 && said.includes('alive'), `run ended with ${code}:\n${said}`);
}

/** What must be said where there is no binary; on Windows no worker runs then. */
const lostOn = ({ addon }) => [
  'without the native addon',
  'is not available',
  addon === 'windows' ? 'no process is made without the addon' : 'alive',
];

async function checkLoss(target, home, machine) {
  const prebuilds = join(home, 'node_modules', '@hsu-master', `native-${target.addon}`, 'prebuilds');
  renameSync(prebuilds, `${prebuilds}.away`);
  try {
    const { output: said } = await runMaster(home, machine);
    for (const words of lostOn(target)) must(said.includes(words), `"${words}" is not said:\n${said}`);
  } finally {
    renameSync(`${prebuilds}.away`, prebuilds);
  }
}

/** Each target's checks by name; a reason in the place of one that cannot be made here. */
function checksOf(target, home, machine) {
  const picks = () => checkPicked(target, home, machine);
  if (!machine) return { 'is picked': picks };
  const noProcesses = 'qemu-user has no clone that the addon makes processes by';
  return {
    'is picked, and loads': picks,
    'runs a worker': machine.emulates ? noProcesses : () => checkRuns(home, machine),
    'is missed, and what is lost is said': () => checkLoss(target, home, machine),
  };
}

/** Packs with the binaries in the places where they are packed from. */
async function packWithBinaries(all, env) {
  const folders = [...new Set(all.map(({ source }) => join(source, 'prebuilds')))];
  const isBinary = (path) => !path.endsWith('.inputs');
  try {
    for (const folder of folders)
      cpSync(join(output, basename(dirname(folder)), 'prebuilds'), folder, {
        recursive: true,
        filter: isBinary,
      });
    return await packAll(place, env);
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts by target. Throws StepFailed where nothing can be installed. */
export async function installTargets(asked) {
  const built = asked.filter((target) => existsSync(builtFile(target)));
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const env = environment({ npm_config_cache: join(place, 'cache') });
  const tarballs = await packWithBinaries(built, env);
  const counts = {};
  for (const target of built) {
    const [os, cpu] = target.folder.split('-');
    const home = join(place, os);
    const flags = [`--os=${os}`, `--cpu=${cpu}`];
    if (!existsSync(home)) {
      await installTarballs(home, ['hsu-master'], { tarballs, env, flags });
      writeFileSync(join(home, 'look.mjs'), LOOK);
    }
    counts[target.name] = await checkTarget(target, home);
  }
  rmSync(place, { recursive: true, force: true });
  return counts;
}

async function checkTarget(target, home) {
  const results = { passed: 0, failed: 0, skipped: 0 };
  const checks = checksOf(target, home, await machineOf(target, home));
  for (const [what, check] of Object.entries(checks)) {
    const name = `installed on ${target.name}: the binary ${what}`;
    if (typeof check === 'string') {
      results.skipped += 1;
      process.stderr.write(`  not run: ${name}: ${check}\n`);
      continue;
    }
    try {
      await check();
      results.passed += 1;
      process.stderr.write(`  ok    ${name}\n`);
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      results.failed += 1;
      process.stderr.write(`  FAILED ${name}\n${error.message}\n`);
    }
  }
  return results;
}

if (resolve(process.argv[1] ?? '') === import.meta.filename) {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const total = { passed: 0, failed: 0, skipped: 0 };
  try {
    await setup();
    for (const counts of Object.values(await installTargets(targets(values.only))))
      for (const kind of Object.keys(total)) total[kind] += counts[kind];
  } catch (error) {
    fail(error);
  }
  process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}
