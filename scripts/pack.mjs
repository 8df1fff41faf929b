// Packs public packages as they are published, and installs the tarballs as a user does.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { StepFailed, step } from './step.mjs';
import { packages, pnpm } from './tree.mjs';

/**
 * Packs every public package into the folder.
 * @returns {Promise<Record<string, string>>} where each is, as a dependency names it
 * @throws {StepFailed}
 */
export async function packAll(place, env) {
  const tarballs = {};
  for (const { folder, manifest } of packages().filter(({ manifest: { private: own } }) => !own)) {
    const before = new Set(readdirSync(place));
    await step(`packing ${manifest.name}`, [process.execPath, pnpm, 'pack', '--pack-destination', place], {
      cwd: folder,
      env,
      quiet: true,
    });
    const made = readdirSync(place).find((name) => name.endsWith('.tgz') && !before.has(name));
    if (!made) throw new StepFailed(`${manifest.name}: no tarball`);
    tarballs[manifest.name] = `file:${join(place, made)}`;
  }
  return tarballs;
}

/**
 * Makes the folder, with the named packages installed in it by npm from their tarballs; flags go to npm.
 * @throws {StepFailed}
 */
export async function installTarballs(home, names, { tarballs, env, flags = [] }) {
  mkdirSync(home);
  const pick = (keys) => Object.fromEntries(keys.map((key) => [key, tarballs[key]]));
  const others = Object.keys(tarballs).filter((name) => !names.includes(name));
  const manifest = {
    name: basename(home),
    version: '1.0.0',
    private: true,
    type: 'module',
    dependencies: pick(names),
    overrides: pick(others),
  };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
  const command = ['npm', 'install', '--no-audit', '--no-fund', ...flags];
  await step(`npm install in ${basename(home)}`, command, { cwd: home, env });
  return home;
}
