// A host application with a child of its own beside an engine that must leave it alone.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { native, options } from './run.ts';

const addon = native();
const exits = { seen: 0 };
const engine = addon.openEngine({
  subreaper: false,
  maxUnacknowledgedBytes: 1 << 20,
  onEvents: (batch) => {
    exits.seen += batch.filter((event) => event.type === 'exited').length;
  },
});
const code = new Promise<number | null>((resolve) => {
  spawn('/bin/sh', ['-c', 'sleep 0.1; exit 7']).on('exit', resolve);
});
/** Nobody else's processes have it in their arguments: `sleep` takes it as a fraction. */
const mark = `60.${process.pid}`;
for (let at = 0; at < 20; at++) {
  const result = engine.spawn(options('/bin/sh', ['sh', '-c', `(sleep ${mark} &)`]));
  if (result.ok) engine.release(result.value.handle, true);
}
while (exits.seen < 20) await new Promise((resolve) => setTimeout(resolve, 5));

function isSleeper(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${mark}\0`);
  } catch {
    return false; // gone
  }
}
const orphans = () => addon.processTable().filter((row) => row.state !== 'Z' && isSleeper(row.pid));
while (orphans().length < 20) await new Promise((resolve) => setTimeout(resolve, 5));
const own = orphans().filter((row) => row.ppid === process.pid);
process.stdout.write(`child ${await code}, ${own.length === 0 ? 'orphan elsewhere' : JSON.stringify(own)}\n`);
for (const row of orphans()) engine.signalProcess(row.pid, row.startTime, 9);
engine.close();
