import type { NativeLimits } from '../../src/index.ts';
import { limits } from '../limits.ts';
import { options, runAll } from './run.ts';

/** Its argument is the directory of a group. */
const cgroup = process.argv[2] as string;
const script = 'grep ^0:: /proc/self/cgroup; cat /proc/self/oom_score_adj';
const shell = (change: Partial<NativeLimits>) =>
  options('/bin/sh', ['sh', '-c', script], {
    stdout: 'inherit',
    limits: limits({ cgroup, oomScoreAdj: 12, ...change }),
  });
const endings = await runAll([
  shell({}),
  shell({ oomScoreAdj: null }),
  shell({ cgroup: '/tmp' }), // has no cgroup.procs
]);
for (const ending of endings) {
  if (ending.type === 'exec-failed') process.stdout.write(`${ending.failure.step} ${ending.failure.call}\n`);
}
