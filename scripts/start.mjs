// `npm start`: sets up, then runs the quick start in the foreground. Further arguments go to hsu-master.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fail, setup } from './setup.mjs';
import { environment, pinnedNode, root } from './tree.mjs';

// A Ctrl-C arrives here from the terminal, and a second time because npm forwards it.
const oneCtrlC = 200;

await setup().catch(fail);
const launcher = join(root, 'packages', 'hsu-master', 'bin', 'hsu-master.js');
const config = join('examples', 'quickstart', 'config.yaml');
// In a session of its own, so that the terminal does not send the master what is forwarded below.
const master = spawn(pinnedNode(), [launcher, 'run', config, ...process.argv.slice(2)], {
  cwd: root,
  env: environment(),
  stdio: 'inherit',
  detached: process.platform !== 'win32',
});

const last = {};
function forward(signal) {
  const now = performance.now();
  if (now - (last[signal] ?? Number.NEGATIVE_INFINITY) < oneCtrlC) return;
  last[signal] = now;
  master.kill(signal);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => forward(signal));

// npm killed without a word must not leave the master behind.
const npm = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === npm) return;
  clearInterval(watch);
  if (Object.keys(last).length === 0) forward('SIGTERM');
}, 1000);

master.on('error', fail);
master.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
