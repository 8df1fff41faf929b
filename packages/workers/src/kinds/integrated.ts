import type { ControlStream, GrpcPort, Milliseconds, RunContext, RunEnding, RunHook } from '@hsu-master/core';

/** Between attempts to open a unit’s control stream: a program that starts does not listen yet. */
const FIRST_TRY: Milliseconds = 100;
const LAST_TRY: Milliseconds = 5000;

/** A unit is on this machine. */
const HERE = { host: '127.0.0.1', addresses: [{ address: '127.0.0.1', family: 4 }], headers: {} } as const;

/**
 * Keeps the control stream of a unit open while its run lasts: it is told its name, and asked to end before the signal comes. A unit that
 * has none is as good: it gets the signal.
 */
export function integratedHook(grpc: GrpcPort): RunHook {
  return {
    name: 'integrated',
    begin(context) {
      const { port } = context;
      return context.spec.listen?.isUnit === true && port !== null ? control(grpc, context, port) : () => {};
    },
  };
}

function control(grpc: GrpcPort, context: RunContext, port: number): (how: RunEnding) => void {
  const unit = { workerId: context.spec.id, run: context.run };
  let stream: ControlStream | null = null;
  let ended = false;
  let delay = FIRST_TRY;
  let cancelTimer = context.clock.after(delay, open);

  function open(): void {
    stream = grpc.control({ ...HERE, port }, unit, (news) => {
      if (news.kind === 'opened') delay = FIRST_TRY;
      if (news.kind !== 'closed') return;
      stream = null;
      if (ended || news.isMissing) return;
      delay = Math.min(delay * 2, LAST_TRY);
      cancelTimer = context.clock.after(delay, open);
    });
  }

  return (how) => {
    ended = true;
    cancelTimer();
    const last = stream;
    stream = null;
    if (how === 'asked') last?.stop(context.spec.stop.grace);
    else last?.close();
  };
}
