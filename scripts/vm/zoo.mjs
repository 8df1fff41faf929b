// Fixture programs for the guest, which has no compiler: compiled here, run there.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StepFailed } from '../step.mjs';
import { environment, pinnedNode, root, tools } from '../tree.mjs';

export const zoo = join(tools, 'zoo');

/** Compiles what has changed. @throws {StepFailed} where there is no compiler or the test kit is not built */
export function compileZoo() {
  mkdirSync(zoo, { recursive: true });
  const testkit = pathToFileURL(join(root, 'packages', 'testkit', 'dist', 'index.js')).href;
  const code = `const { creaturePath } = await import(${JSON.stringify(testkit)}); creaturePath();`;
  const { status, stderr } = spawnSync(pinnedNode(), ['--input-type=module', '-e', code], {
    env: environment({ HSU_ZOO: zoo }),
    encoding: 'utf8',
  });
  if (status !== 0) throw new StepFailed(`vm: the fixture programs cannot be compiled\n${stderr}`);
}
