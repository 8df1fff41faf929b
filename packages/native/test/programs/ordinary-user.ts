import { options, runAll } from './run.ts';

const endings = await runAll([
  options('/bin/sh', ['sh', '-c', 'echo uid $(id -u)'], { stdout: 'inherit' }),
  options('/bin/true', ['true'], { groups: [0] }),
  options('/bin/true', ['true'], { uid: 0 }),
]);
for (const ending of endings) {
  if (ending.type === 'exec-failed') process.stdout.write(`${ending.failure.step} ${ending.failure.code}\n`);
}
