// Before publishing: every target of native/targets.json has its binary where its package is packed from, and no package that is
// published has an install script.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packages } from '../tree.mjs';
import { fileOf, programFile, programsOf, targets } from './targets.mjs';

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
const installing = packages()
  .filter(({ manifest }) => !manifest.private)
  .filter(({ manifest: { scripts = {} } }) => scripts.install || scripts.preinstall || scripts.postinstall)
  .map(({ manifest }) => `${manifest.name} has an install script`);

const wrong = [...missing, ...installing];
for (const line of wrong) process.stderr.write(`${line}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
