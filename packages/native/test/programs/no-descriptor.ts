import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { native } from './run.ts';

/** What is seen of a living process, and whether it can be signalled, where no descriptor is free. */
function look({ pid = 0 }: ChildProcess): void {
  const addon = native();
  const engine = addon.openEngine({ subreaper: false, maxUnacknowledgedBytes: 1 << 20, onEvents: () => {} });
  const known = addon.identify(pid);
  while (takeOne());
  for (const _ of [1, 2]) {
    const seen = {
      identified: addon.identify(pid)?.startTime === known?.startTime,
      listed: addon.processTable().some((row) => row.pid === pid && row.startTime === known?.startTime),
      mark: addon.environOf(pid, 'HSU_RUN'),
      signalled: engine.signalProcess(pid, known?.startTime ?? '', 0).ok,
    };
    process.stdout.write(`${JSON.stringify(seen)}\n`);
  }
  engine.close();
}

function takeOne(): boolean {
  try {
    openSync('/dev/null', 'r');
    return true;
  } catch {
    return false;
  }
}

if (process.argv[2] === undefined) {
  const own = fileURLToPath(import.meta.url);
  const script = 'ulimit -n 128 && exec "$0" "$1" below';
  spawnSync('/bin/sh', ['-c', script, process.execPath, own], { stdio: 'inherit' });
} else {
  const child = spawn('sleep', ['60'], { env: { ...process.env, HSU_RUN: 'web:7' }, stdio: 'ignore' });
  child.once('spawn', () => {
    look(child);
    child.kill('SIGKILL');
  });
}
