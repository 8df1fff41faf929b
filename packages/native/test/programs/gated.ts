// Processes at their gates, until somebody kills this one.
import { native, options } from './run.ts';

const [marker = '', count = '1'] = process.argv.slice(2);
const engine = native().openEngine({
  subreaper: false,
  maxUnacknowledgedBytes: 1,
  onEvents: () => undefined,
});
const pids: number[] = [];
for (let at = 0; at < Number(count); at++) {
  const result = engine.spawn(options('/bin/sh', ['sh', '-c', 'echo > "$0"', marker], { stdout: 'capture' }));
  if (result.ok) pids.push(result.value.pid);
}
process.stdout.write(`gated ${pids.join(' ')}\n`);
