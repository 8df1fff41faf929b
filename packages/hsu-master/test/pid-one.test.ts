import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { eventually, it } from './drive.ts';
import { childrenOf, defunctChildrenOf } from './proc.ts';

/** Runs a command as the first process of a pid namespace, which everything inside is left to; it dies with its parent. */
const AS_PID_ONE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const possible = spawnSync(AS_PID_ONE[0] ?? '', [...AS_PID_ONE.slice(1), 'true']).status === 0;
const why = possible ? '' : ' (skipped: needs root and unshare)';

/** Ten thousand, as the scenario says, with HSU_LONG=1. */
const PROBES = process.env.HSU_LONG === '1' ? 10_000 : 2000;
const ORPHANS = PROBES / 2;

describe.skipIf(!possible)(`the master as pid 1${why}`, () => {
  it(`A12: nothing is defunct after ${PROBES} exec probes and ${ORPHANS} orphans`, async ({ stage }) => {
    const untilEnough = ['sh', '-c', 'until [ -e enough ]; do sleep 0.1; done'];
    // Each tenth probe leaves a child behind, which is ended with it; each orphan lives for a moment. `$$` stands for one `$`.
    const probe = 'printf x >>probes; [ $$(($$$$ % 10)) = 0 ] && (setsid sleep 600 &); exit 0';
    const rhythm = { interval: '10ms', timeout: '10s' };
    const probers = Array.from({ length: 8 }, (_unused, index) => ({
      id: `probed-${index}`,
      command: untilEnough,
      probes: { readiness: { exec: { command: 'sh', args: ['-c', probe] }, ...rhythm } },
    }));
    const breed = `n=0; while [ $$n -lt ${ORPHANS} ]; do (sleep 0.01 &); n=$$((n + 1)); done`;
    const workers = [
      ...probers,
      { id: 'breeder', command: ['sh', '-c', breed] },
      { id: 'keeper', command: 'sleep 1000' },
    ];
    const launched = stage.run(workers, [], { through: AS_PID_ONE });
    await launched.started('keeper');
    const [master = 0] = childrenOf(launched.pid);
    const asked = () => statSync(stage.path('probes'), { throwIfNoEntry: false })?.size ?? 0;
    for (let tenth = 1; tenth <= 10; tenth += 1) await eventually(() => asked() >= (PROBES * tenth) / 10);
    await launched.line(/^breeder: completed/);
    stage.write('enough', '');
    await launched.until(
      'the end of all',
      () => launched.matching(/: completed/).length === workers.length - 1,
    );
    await eventually(() => childrenOf(master).length === 1);
    await eventually(() => defunctChildrenOf(master).length === 0);
    process.kill(master, 'SIGINT');
    expect((await launched.end()).code).toBe(0);
    expect(launched.matching(/internal error|not ready/)).toEqual([]);
    expect(stage.processes()).toEqual([]);
  });
});
