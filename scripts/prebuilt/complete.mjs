// Before publishing: every target of native/targets.json has its binary where its package is packed from, and no package that is
// published has an install script.
//   node scripts/prebuilt/complete.mjs [--repository URL]
// --repository writes it into the manifests of what is published: a registry takes the proof of what built a package from no other.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packages, root } from '../tree.mjs';
import { fileOf, programFile, programsOf, targets } from './targets.mjs';

const { values } = parseArgs({ options: { repository: { type: 'string' } } });
const missing = targets().flatMap((target) => {
  const folder = join(target.source, 'prebuilds');
  const files = [
    fileOf(target),
    ...programsOf(target).map((one) => join(target.folder, programFile(target, one))),
  ];
  return files
    .filter((file) => !existsSync(join(folder, file)))
    .map((file) => `native/${target.addon}: no ${file}`);
});
const published = packages().filter(({ manifest }) => !manifest.private);
const installing = published
  .filter(({ manifest: { scripts = {} } }) => scripts.install || scripts.preinstall || scripts.postinstall)
  .map(({ manifest }) => `${manifest.name} has an install script`);

const wrong = [...missing, ...installing];
for (const line of wrong) process.stderr.write(`${line}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

if (values.repository && wrong.length === 0)
  for (const { folder, manifest } of published) {
    const directory = folder.slice(root.length + 1);
    const repository = { type: 'git', url: `git+${values.repository}.git`, directory };
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, repository }, null, 2)}\n`);
  }
