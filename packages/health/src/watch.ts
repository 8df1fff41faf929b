import type { MonotonicTime, Probe } from '@hsu-master/core';
import { judge, noVerdict, type Thresholds } from '@hsu-master/core';
import type { Answer, Cancel, CheckContext } from './answer.ts';
import { type Means, startCheck } from './check.ts';
import { schedule } from './schedule.ts';

export type ProbeName = 'startup' | 'liveness' | 'readiness';

/** Turns answers into verdicts for one probe. */
export interface Judge {
  readonly name: ProbeName;
  readonly thresholds: Thresholds;
  /** Told after every answer, while the verdict is bad with its newest reason. */
  verdict(healthy: boolean, reason: string, changed: boolean): void;
}

/**
 * Checks in the rhythm of `probe` from `since` on and lets every judge hear each answer. While the tree is held back no check begins,
 * and the answer to one that overlapped with it is not heard. Ends with the returned function.
 */
export function watch(
  probe: Probe,
  judges: readonly Judge[],
  since: MonotonicTime,
  means: Means,
  context: CheckContext,
): Cancel {
  let ended = false;
  const benches = judges.map((one) => ({ judge: one, state: noVerdict }));
  const what = judges.map((one) => one.name).join('-');
  let round = 0;

  function hear(answer: Answer): void {
    for (const bench of benches) {
      if (ended) return;
      const { state, changed } = judge(bench.state, answer.passed, bench.judge.thresholds);
      bench.state = state;
      if (state.healthy !== null) bench.judge.verdict(state.healthy, answer.reason, changed);
    }
  }

  const stop = schedule(context.clock, since + probe.initialDelay, probe.interval, (over) => {
    if (context.isHeldBack()) {
      over();
      return nothingToEnd;
    }
    round += 1;
    const began = context.clock.now();
    return startCheck(probe.check, `${what}.${round}`, probe.timeout, means, context, (answer) => {
      if (ended) return;
      if (!context.isHeldBack(began)) hear(answer);
      over();
    });
  });
  return () => {
    ended = true;
    stop();
  };
}

function nothingToEnd(): void {
  /* nothing was begun */
}

/** Whether two probes ask the same thing in the same rhythm, so that one check serves both. */
export function sameRhythm(one: Probe, other: Probe): boolean {
  return (
    one.interval === other.interval &&
    one.timeout === other.timeout &&
    one.initialDelay === other.initialDelay &&
    JSON.stringify(one.check) === JSON.stringify(other.check)
  );
}
