import type { ExecOutcome, ExecRequest } from '@hsu-master/core';
import type { FakeProgram } from './program.ts';
import { fakeExit } from './program.ts';
import { type Delay, identityOf } from './run.ts';
import type { FakeSystem } from './system.ts';

/** Runs a helper on the fake system; its tree is killed at its time-out and when it is cancelled. */
export function fakeExec(
  system: FakeSystem,
  request: ExecRequest,
  program: FakeProgram,
  delay: Delay,
): { readonly outcome: Promise<ExecOutcome>; cancel(): void } {
  const { clock } = system;
  const { mark, command } = request;
  const { promise, resolve } = Promise.withResolvers<ExecOutcome>();
  let output = '';
  let settled = false;
  const settle = (outcome: ExecOutcome): void => {
    if (settled) return;
    settled = true;
    clearTimeout();
    resolve(outcome);
  };
  const tail = (): string => output.slice(-request.maxOutput);
  const cancel = (): void => {
    if (settled) return;
    system.signalTree(mark, 'SIGKILL');
    settle({ kind: 'timed-out', output: tail() });
  };
  const clearTimeout = clock.after(request.timeout, cancel);
  clock.after(delay(), () => {
    if (settled) return;
    if (program.spawnFailure !== null) {
      settle({ kind: 'failed', failure: program.spawnFailure.failure });
      return;
    }
    const leader = system.create({ mark, workerId: null, run: 0 }, program, null);
    system.listen(mark, {
      wrote: (_process, _stream, data) => {
        output += typeof data === 'string' ? data : new TextDecoder().decode(data);
      },
      writings: (process) =>
        typeof process.program.writes === 'function'
          ? process.program.writes({ command, mark, process: identityOf(process) })
          : process.program.writes,
      died: (process) => {
        if (process !== leader) return;
        system.signalTree(mark, 'SIGKILL');
        clock.after(delay(), () =>
          settle({ kind: 'exited', exit: process.exit ?? fakeExit({}), output: tail() }),
        );
      },
    });
    system.begin(leader);
  });
  return { outcome: promise, cancel };
}
