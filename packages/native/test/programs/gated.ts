// Processes at their gates, `submit`: which nobody has collected, until somebody kills this one.
import { native, options } from './run.ts';

const [marker = '', count = '1', how = 'spawn'] = process.argv.slice(2);
const addon = native();
const engine = addon.openEngine({
  subreaper: false,
  maxUnacknowledgedBytes: 1,
  onEvents: () => undefined,
});
let pids: number[] = [];
const gated = options('/bin/sh', ['sh', '-c', 'echo > "$0"', marker], { stdout: 'capture' });
for (let at = 0; at < Number(count); at++) {
  if (how === 'submit') {
    engine.submit(gated);
    continue;
  }
  const result = engine.spawn(gated);
  if (result.ok) pids.push(result.value.pid);
}
while (pids.length < Number(count)) {
  pids = addon.processTable().flatMap(({ pid, ppid }) => (ppid === process.pid ? [pid] : []));
}
process.stdout.write(`gated ${pids.join(' ')}\n`);
