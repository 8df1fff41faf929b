// Runs a program of the toolchain as the scripts do: set up, pinned Node and package manager first in PATH.
import { spawnSync } from 'node:child_process';
import { fail, setup } from './setup.mjs';
import { environment, root } from './tree.mjs';

const [command, ...args] = process.argv.slice(2);
await setup().catch(fail);
const { status, error } = spawnSync(command, args, {
  cwd: root,
  env: environment(),
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (error) fail(error);
process.exit(status ?? 1);
