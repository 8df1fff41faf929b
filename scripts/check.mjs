// `pnpm check`: everything that holds without running a test. All parts run; the exit code tells whether all held.
// Names of parts as arguments run only those.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fail, setup } from './setup.mjs';
import { StepFailed, seconds, step } from './step.mjs';
import { environment, packages, program, root } from './tree.mjs';

const env = environment({ NO_COLOR: '1' });
delete env.FORCE_COLOR;
const run = (name, command, options) => step(name, command, { env, ...options });
const published = () => packages().filter(({ manifest }) => !manifest.private);

const parts = {
  types: () =>
    run('types', [...program('@typescript/native', 'tsc'), '-b', 'tsconfig.json', 'tsconfig.tests.json']),
  format: () =>
    run('format', [...program('@biomejs/biome', 'biome'), 'check', '.'], {
      advice: 'To format: npm run format',
    }),
  lint: () => run('lint', [...program('oxlint'), '--type-aware', '--deny-warnings', '.']),
  layers,
  unused: () => run('unused', [...program('knip'), '--no-config-hints']),
  manifests: () => run('manifests', program('sherif')),
  publint: () => each('publint', [...program('publint'), '--strict', '--pack', 'npm']),
  entries: () =>
    each('entries', [...program('@arethetypeswrong/cli', 'attw'), '--pack', '--profile', 'esm-only']),
  lockfile,
  docs: () => run('docs', [process.execPath, join(root, 'scripts', 'docs.mjs'), '--check']),
};

/** dependency-cruiser finds nothing wrong in nothing: with an unsuitable `typescript` it sees no module at all. */
async function layers() {
  const out = await run('layers', [
    ...program('dependency-cruiser', 'depcruise'),
    '--output-type',
    'json',
    'packages',
  ]);
  const { summary } = JSON.parse(out);
  if (summary.totalCruised === 0) throw new StepFailed('layers: no module was cruised');
}

/** For each package with exports, as many at once as there are processors. */
async function each(name, command) {
  const left = published().filter(({ manifest }) => manifest.exports);
  process.stderr.write(`  ${name} of ${left.length} packages …`);
  const since = performance.now();
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      await run(`${name} ${next.manifest.name}`, command, { cwd: next.folder, quiet: true });
  };
  const lanes = await Promise.allSettled(Array.from({ length: availableParallelism() }, lane));
  process.stderr.write(` ${seconds(since)}\n`);
  const broken = lanes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  const other = broken.find((error) => !(error instanceof StepFailed));
  if (other !== undefined) throw other;
  if (broken.length > 0) throw new StepFailed(broken.map(({ message }) => message).join('\n\n'));
}

/** A lockfile that names a host installs only where that host answers. */
async function lockfile() {
  const found = [];
  for (const file of ['pnpm-lock.yaml', join('scripts', 'tools', 'package-lock.json')]) {
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .forEach(
        (line, index) =>
          /https?:\/\/|tarball:/.test(line) && found.push(`${file}:${index + 1}: ${line.trim()}`),
      );
  }
  if (found.length > 0) throw new StepFailed(`lockfile: hosts in it\n${found.join('\n')}`);
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in parts));
if (unknown.length > 0)
  fail(new StepFailed(`no part ${unknown.join(', ')}; there are: ${Object.keys(parts).join(', ')}`));

await setup({ compile: false }).catch(fail);
const names = asked.length > 0 ? asked : Object.keys(parts);
const failed = [];
for (const name of names) {
  try {
    await parts[name]();
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(`\n${error.message}\n\n`);
    failed.push(name);
  }
}
process.stdout.write(`${names.length - failed.length} passed, ${failed.length} failed, 0 skipped\n`);
process.exit(failed.length === 0 ? 0 : 1);
