import type { Clock, EventStream, Host, Journal, LeftOver, StopSpec, WorkerId } from '@hsu-master/core';
import { KILL_WAIT } from '@hsu-master/core';

/** For a process whose worker is no longer configured. */
const DEFAULT_STOP: StopSpec = { signal: 'SIGTERM', grace: 10_000 };

interface Parts {
  readonly host: Host;
  readonly clock: Clock;
  readonly journal: Journal;
}

/**
 * Ends every process that an earlier master recorded and left alive, so that no worker ever runs twice. Resolves when they are
 * gone, or when SIGKILL did not help within `KILL_WAIT`.
 */
export async function endLeftOvers(
  parts: Parts,
  events: EventStream,
  stopOf: (id: WorkerId) => StopSpec | null,
): Promise<void> {
  const { host, clock, journal } = parts;
  const endings = journal.leftOvers().map(async (left) => {
    if (host.isAlive(left.process)) {
      await endOne(host, clock, left, stopOf(left.workerId) ?? DEFAULT_STOP);
      const draft = { type: 'supervisor.left-over-ended', payload: { process: left.process } } as const;
      events.publish(draft, clock.wallNow(), left.workerId, left.run);
    }
    journal.forgetRun(left.workerId, left.run);
  });
  await Promise.all(endings);
}

function endOne(host: Host, clock: Clock, left: LeftOver, stop: StopSpec): Promise<void> {
  return new Promise((resolve) => {
    let cancel = clock.after(stop.grace, () => {
      run.signalTree('SIGKILL');
      cancel = clock.after(KILL_WAIT, resolve);
    });
    const run = host.attach(left.process, left.mark, (report) => {
      const empty = report.kind === 'tree-empty' || (report.kind === 'exited' && report.remaining.length === 0);
      if (!empty) return;
      cancel();
      resolve();
    });
    run.signalTree(stop.signal);
  });
}
