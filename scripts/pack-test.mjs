// Packs every public package, installs the tarballs with npm into empty folders and uses them there as a user would.
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { addonFolder, placePrebuild } from './addon.mjs';
import { builtFile, fileOf, targets } from './prebuilt/targets.mjs';
import { fail, setup } from './setup.mjs';
import { StepFailed, step } from './step.mjs';
import { environment, packages, pinnedNode, pnpm, root } from './tree.mjs';

await setup().catch(fail);
const place = mkdtempSync(join(tmpdir(), 'hsu-pack-'));
// Without the clone's programs in PATH: only the pinned Node and what the machine has.
const env = environment({ npm_config_cache: join(place, 'cache') });
env.PATH = env.PATH.split(':')
  .filter((part) => !part.startsWith(root) || pinnedNode().startsWith(part))
  .join(':');

const ownFolder = `${process.platform}-${process.arch}`;
const published = packages().filter(({ manifest }) => !manifest.private);
const tarballs = {};
const results = { passed: 0, failed: 0, skipped: 0 };

async function part(name, work) {
  try {
    await work();
    results.passed++;
    process.stderr.write(`  ok    ${name}\n`);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    results.failed++;
    process.stderr.write(`  FAILED ${name}\n${error.message}\n`);
  }
}

const must = (holds, message) => {
  if (!holds) throw new StepFailed(message);
};

async function pack() {
  const folder = addonFolder();
  const prebuilds = folder && placePrebuild(folder);
  if (prebuilds) for (const target of crossBuilt()) placeCrossBuilt(prebuilds, target);
  try {
    await packAll();
  } finally {
    if (prebuilds) rmSync(prebuilds, { recursive: true, force: true });
  }
}

/** Those of this system that were built for other machines (`scripts/prebuilt/build.mjs`), current or not. */
function crossBuilt() {
  return targets().filter(
    (target) =>
      target.source === addonFolder() && target.folder !== ownFolder && existsSync(builtFile(target)),
  );
}

function placeCrossBuilt(prebuilds, target) {
  mkdirSync(join(prebuilds, target.folder), { recursive: true });
  cpSync(builtFile(target), join(prebuilds, fileOf(target)));
}

async function packAll() {
  for (const { folder, manifest } of published) {
    const before = new Set(readdirSync(place));
    await step(`packing ${manifest.name}`, [process.execPath, pnpm, 'pack', '--pack-destination', place], {
      cwd: folder,
      env,
      quiet: true,
    });
    const made = readdirSync(place).find((name) => name.endsWith('.tgz') && !before.has(name));
    must(made, `${manifest.name}: no tarball`);
    tarballs[manifest.name] = `file:${join(place, made)}`;
  }
}

/** An empty folder with the named packages installed by npm from the tarballs. */
async function install(folder, names) {
  const home = join(place, folder);
  mkdirSync(home);
  const pick = (keys) => Object.fromEntries(keys.map((key) => [key, tarballs[key]]));
  const others = Object.keys(tarballs).filter((name) => !names.includes(name));
  const manifest = {
    name: folder,
    version: '1.0.0',
    private: true,
    type: 'module',
    dependencies: pick(names),
  };
  writeFileSync(join(home, 'package.json'), JSON.stringify({ ...manifest, overrides: pick(others) }));
  await step(`npm install in ${folder}`, ['npm', 'install', '--no-audit', '--no-fund'], { cwd: home, env });
  return home;
}

const config = `workers:
  - id: web
    command: [node, -e, "setInterval(() => console.log('alive'), 200)"]
`;

await part('every public package packs', pack);
let app;
await part('the launcher installs from tarballs, without an install script', async () => {
  app = await install('app', ['hsu-master']);
  const installed = readdirSync(join(app, 'node_modules', '@hsu-master'));
  must(
    installed.includes('native-linux') || process.platform !== 'linux',
    `no addon among ${installed.join(', ')}`,
  );
  for (const name of installed) {
    const { scripts } = JSON.parse(
      readFileSync(join(app, 'node_modules', '@hsu-master', name, 'package.json'), 'utf8'),
    );
    must(!scripts?.install && !scripts?.preinstall && !scripts?.postinstall, `${name} has an install script`);
  }
});
await part('npx hsu-master run works there', async () => {
  writeFileSync(join(app, 'config.yaml'), config);
  const out = await step(
    'npx hsu-master run',
    ['npx', 'hsu-master', 'run', 'config.yaml', '--run-duration', '2'],
    {
      cwd: app,
      env: { ...env, HSU_HOME: join(place, 'state') },
    },
  );
  must(out.includes('alive'), `the worker's output is missing:\n${out}`);
});
await part('the packed addon loads', async () => {
  const program = `import('@hsu-master/native').then(({ loadNative }) => {
    const loaded = loadNative();
    if (!loaded.ok) throw new Error(loaded.reason);
  })`;
  await step('load the addon', [pinnedNode(), '-e', program], { cwd: app, env, quiet: true });
});
for (const target of crossBuilt()) {
  await part(`the binary of ${target.name} is packed, and picked there`, async () => {
    const folder = join(app, 'node_modules', '@hsu-master', `native-${target.addon}`);
    const program = `
      const loader = require('node:module').createRequire(${JSON.stringify(join(folder, '..', 'native', 'package.json'))});
      process.stdout.write(loader('node-gyp-build').path(${JSON.stringify(folder)}))`;
    const [platform, arch] = target.folder.split('-');
    const machine = { npm_config_platform: platform, npm_config_arch: arch, LIBC: target.tag ?? '' };
    const found = await step('pick', [pinnedNode(), '-e', program], {
      cwd: app,
      env: { ...env, ...machine },
      quiet: true,
    });
    const expected = join(folder, 'prebuilds', fileOf(target));
    must(found === expected, `${target.name}: picked ${found}, not ${expected}`);
  });
}
await part('without its binary the workers run nevertheless, and what is lost is said', async () => {
  const prebuilds = join(
    app,
    'node_modules',
    '@hsu-master',
    `native-${basename(addonFolder())}`,
    'prebuilds',
  );
  renameSync(prebuilds, `${prebuilds}.away`);
  const { stdout, stderr } = spawnSync('npx', ['hsu-master', 'run', 'config.yaml', '--run-duration', '2'], {
    cwd: app,
    env: { ...env, HSU_HOME: join(place, 'state-without') },
    encoding: 'utf8',
  });
  renameSync(`${prebuilds}.away`, prebuilds);
  const said = `${stdout}${stderr}`;
  must(said.includes('alive'), `the worker's output is missing:\n${said}`);
  for (const lost of [
    'without the native addon',
    'spawn-gate is not available',
    'output-outlives-master is not available',
  ])
    must(said.includes(lost), `"${lost}" is not said:\n${said}`);
});
await part('both bins are there', async () => {
  for (const name of ['hsu-master', 'hsu'])
    await step(name, ['npx', name, 'version'], { cwd: app, env, quiet: true });
});
await part('@hsu-master/core alone pulls no native package', async () => {
  const alone = await install('core-alone', ['@hsu-master/core']);
  const installed = readdirSync(join(alone, 'node_modules', '@hsu-master'));
  must(installed.join() === 'core', `installed too: ${installed.join(', ')}`);
  await step('import @hsu-master/core', [pinnedNode(), '-e', "import('@hsu-master/core')"], {
    cwd: alone,
    env,
  });
});
const supported = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node;
if (/^v(1\d|20|21)\./.test(process.version)) {
  await part('an old Node is told what is needed', async () => {
    const bin = join(app, 'node_modules', 'hsu-master', 'bin', 'hsu-master.js');
    const { status, stderr } = spawnSync(process.execPath, [bin], { encoding: 'utf8' });
    must(
      status === 2 && /^hsu-master needs Node.*\n$/.test(stderr),
      `${process.version}: ${status}: ${stderr}`,
    );
  });
} else {
  results.skipped++;
  process.stderr.write(`  skipped: this Node is not older than ${supported}\n`);
}

rmSync(place, { recursive: true, force: true });
process.stdout.write(`${results.passed} passed, ${results.failed} failed, ${results.skipped} skipped\n`);
process.exit(results.failed === 0 ? 0 : 1);
