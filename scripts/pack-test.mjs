// Packs every public package, installs the tarballs with npm into empty folders and uses them there as a user would.
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { addonFolder, placePrebuild } from './addon.mjs';
import { installTarballs, packAll } from './pack.mjs';
import { fail, setup } from './setup.mjs';
import { StepFailed, step } from './step.mjs';
import { environment, pinnedNode, root } from './tree.mjs';

await setup().catch(fail);
const place = mkdtempSync(join(tmpdir(), 'hsu-pack-'));
// Without the clone's programs in PATH: only the pinned Node and what the machine has.
const env = environment({ npm_config_cache: join(place, 'cache') });
env.PATH = env.PATH.split(':')
  .filter((part) => !part.startsWith(root) || pinnedNode().startsWith(part))
  .join(':');

let tarballs;
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
  try {
    tarballs = await packAll(place, env);
  } finally {
    if (prebuilds) rmSync(prebuilds, { recursive: true, force: true });
  }
}

const install = (folder, names) => installTarballs(join(place, folder), names, { tarballs, env });

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
