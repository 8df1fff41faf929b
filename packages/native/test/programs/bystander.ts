// A host application with a child of its own beside an engine that must leave it alone.
import { spawn } from 'node:child_process';
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
const before = new Set(addon.processTable().map((row) => row.pid));
for (let at = 0; at < 20; at++) {
  const result = engine.spawn(options('/bin/sh', ['sh', '-c', '(sleep 60 &)']));
  if (result.ok) engine.release(result.value.handle, true);
}
while (exits.seen < 20) await new Promise((resolve) => setTimeout(resolve, 5));
const orphans = addon
  .processTable()
  .filter((row) => !before.has(row.pid) && row.state !== 'Z' && row.sid !== row.pid);
const own = orphans.filter(
  (row) => row.ppid === process.pid && row.pgid !== addon.identify(process.pid)?.pgid,
);
process.stdout.write(`child ${await code}, ${own.length === 0 ? 'orphan elsewhere' : JSON.stringify(own)}\n`);
for (const row of addon.processTable()) {
  if (!before.has(row.pid) && row.sid !== addon.identify(process.pid)?.sid)
    engine.signalProcess(row.pid, row.startTime, 9);
}
engine.close();
