// stdout is a pipe that libuv has made non-blocking by now.
import { options, runAll } from './run.ts';

process.stdout.write('');
const both = { stdout: 'inherit', stderr: 'inherit' } as const;
const blocking =
  'case $(grep flags /proc/self/fdinfo/1) in *4001) echo non-blocking;; *) echo blocking;; esac';
await runAll([
  options('/bin/sh', ['sh', '-c', 'echo out; echo err >&2'], both),
  options('/bin/sh', ['sh', '-c', blocking], both),
]);
