// Programs that go with the Windows addon: the relay that is shipped beside it, and the creature of the tests.
import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { step } from '../step.mjs';
import { environment, root, tools } from '../tree.mjs';

const COMPILER = 'x86_64-w64-mingw32-gcc-posix';
const flags = ['-O2', '-Wall', '-Wextra', '-static', '-s'];

/** The program that sends console events. */
export const relayFile = join(tools, 'windows', 'addon', 'hsu_relay.exe');

/** Folder of the test programs, and the same as programs of the rig see it: HSU_ZOO. */
export const zooFolder = join(tools, 'windows', 'zoo');
export const zooInside = 'Z:\\w\\.tools\\windows\\zoo';

/** Compiles what has changed. @throws {StepFailed} */
export async function buildPrograms() {
  await compile(join(root, 'native', 'windows', 'relay', 'relay.c'), relayFile);
  const creature = join(root, 'packages', 'testkit', 'src', 'zoo', 'windows', 'creature.c');
  const program = join(zooFolder, 'creature.exe');
  await compile(creature, program, ['-municode']);
  for (const name of ['true', 'false', 'sleep']) copyFileSync(program, join(zooFolder, `${name}.exe`));
  await compile(join(root, 'native', 'windows', 'test', 'ends.c'), join(zooFolder, 'ends.exe'));
}

async function compile(source, output, more = []) {
  if (existsSync(output) && statSync(source).mtimeMs <= statSync(output).mtimeMs) return;
  mkdirSync(dirname(output), { recursive: true });
  const made = `${output}.${process.pid}`;
  await step(`windows: ${basename(output)}`, [COMPILER, ...flags, ...more, source, '-o', made], {
    cwd: root,
    env: environment(),
    quiet: true,
  });
  renameSync(made, output);
}
