// What each suite ran last: shown.json, which `node scripts/test.mjs --suite NAME --record` writes and is committed. docs/platforms.md
// tells of it. Nothing in it changes from one run to the next of the same tests on the same machine.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program, root, tools } from './tree.mjs';

const file = join(root, 'scripts', 'shown.json');

/** Written by skips-reporter.mjs. */
export const skipsFile = join(tools, 'reports', 'skips.json');

/** By the names of suites: the target as native/targets.json names it, how it ran, the version of Node, and what it left out, and why. */
export const shown = () => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});

const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * @param {string} suite
 * @param {{target: string, how: string, node: string}} where
 * @param {string} skips what skips-reporter.mjs wrote, empty where it did not run
 */
export function record(suite, where, skips) {
  const { folders, skipped } = skips === '' ? { folders: [], skipped: [] } : JSON.parse(skips);
  const left = {};
  for (const { test, why } of skipped) left[why] = [...new Set([...(left[why] ?? []), test])].sort(byText);
  const sorted = (all) => Object.fromEntries(Object.entries(all).sort(([a], [b]) => byText(a, b)));
  const all = sorted({ ...shown(), [suite]: { ...where, folders, left: sorted(left) } });
  writeFileSync(file, JSON.stringify(all, null, 2));
  const [node, biome] = program('@biomejs/biome', 'biome');
  spawnSync(node, [biome, 'format', '--write', file], { stdio: 'ignore' });
}
