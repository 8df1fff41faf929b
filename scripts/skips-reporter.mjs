// A reporter of vitest: which files ran, and what was skipped for a reason, in the file that HSU_SKIPS names.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Of tests that say so themselves: they are not of a system, and run on another. */
const ELSEWHERE = 'no row of its own: run elsewhere';

export default class Skips {
  onTestRunEnd(modules) {
    const file = process.env.HSU_SKIPS;
    if (!file) return;
    // A suite that runs in several places has one of all.
    const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { folders: [], skipped: [] };
    const skipped = [...before.skipped];
    for (const module of modules)
      for (const test of module.children.allTests('skipped')) {
        const { note } = test.result();
        if (note && note !== ELSEWHERE) skipped.push({ test: test.name, why: note });
      }
    const all = [...before.folders, ...modules.map((module) => folderOf(module.moduleId))];
    const folders = [...new Set(all)].sort((a, b) => (a < b ? -1 : 1));
    writeFileSync(file, JSON.stringify({ folders, skipped }));
  }
}

function folderOf(file) {
  return /packages\/[^/]+\/[^/]+/.exec(file.replaceAll('\\', '/'))?.[0] ?? file;
}
