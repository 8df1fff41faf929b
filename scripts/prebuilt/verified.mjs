// What of each target was fully verified last, and of which sources: verified.json, which a full run of all.mjs writes and is committed.
// docs/platforms.md tells of it. Of each target: `shown`, how it was run; `checks`, of its binaries; `ran`, tests by the folder that they
// are in; `cannot`, what is not run, and why; `installed`, checks of the packed tarballs.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tree.mjs';
import { digestOf, listFile } from './targets.mjs';

const file = join(import.meta.dirname, 'verified.json');

/** Changes when anything does that the result of a target's verification comes from: its sources, its list, and what verifies. */
export function inputsOf(target) {
  const hash = createHash('sha256').update(digestOf(target));
  const scripts = readdirSync(import.meta.dirname)
    .filter((name) => name !== 'verified.json')
    .map((name) => join(import.meta.dirname, name));
  for (const path of [listFile(target), ...scripts.sort()])
    hash.update(`${path.slice(root.length)}\n`).update(readFileSync(path));
  return hash.digest('hex');
}

/** Results by the names of targets. */
export const recorded = () => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});

export const isVerified = (target) => recorded()[target.name]?.inputs === inputsOf(target);

/** Writes what was found of these targets in the place of what was known of them; null: they failed. */
export function record(results) {
  const all = { ...recorded(), ...results };
  const names = Object.keys(all).filter((name) => all[name] !== null);
  const sorted = Object.fromEntries(names.sort().map((name) => [name, all[name]]));
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
}
