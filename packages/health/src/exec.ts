import type { Check, ExecOutcome, Milliseconds } from '@hsu-master/core';
import { describeExit, formatDuration } from '@hsu-master/core';
import {
  type Answer,
  type Cancel,
  type CheckContext,
  describeError,
  failed,
  oneLine,
  passed,
} from './answer.ts';

/** Bytes of output that are kept; only the last line is told. */
const OUTPUT_LIMIT = 4096;

/**
 * Passes when the program exits with 0. It runs with the worker’s own directory, user and environment. Past its time-out, or
 * when the check is cancelled, its whole tree is killed.
 */
export function checkExec(
  check: Extract<Check, { type: 'exec' }>,
  name: string,
  timeout: Milliseconds,
  context: CheckContext,
  done: (answer: Answer) => void,
): Cancel {
  let over = false;
  const settle = (answer: Answer) => {
    if (over) return;
    over = true;
    done(answer);
  };
  const helper = context.host.exec({
    command: { ...context.spec.command, argv: check.argv },
    mark: markOf(context, name),
    timeout,
    maxOutput: OUTPUT_LIMIT,
  });
  helper.outcome.then(
    (outcome) => settle(judge(outcome, timeout)),
    (error: unknown) => settle(failed(describeError(error))),
  );
  return () => {
    if (over) return;
    over = true;
    helper.cancel();
  };
}

/** Keeps a helper’s processes apart from the worker’s, from other helpers’ and, by the process, from those of other masters. */
function markOf({ spec, process }: CheckContext, name: string): string {
  return `${spec.id}.${process.pid}-${process.startedAt}.probe.${name}`;
}

function judge(outcome: ExecOutcome, timeout: Milliseconds): Answer {
  if (outcome.kind === 'failed') return failed(oneLine(outcome.failure.message));
  if (outcome.kind === 'timed-out') {
    return failed(withLastLine(`not done within ${formatDuration(timeout)}`, outcome.output));
  }
  const told = withLastLine(describeExit(outcome.exit), outcome.output);
  return outcome.exit.code === 0 ? passed(told) : failed(told);
}

function withLastLine(what: string, output: string): string {
  const last = oneLine(output.trimEnd().split('\n').at(-1) ?? '');
  return last === '' ? what : `${what}: ${last}`;
}
