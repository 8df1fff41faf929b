import type { GrpcCheck, GrpcPort, Milliseconds } from '@hsu-master/core';
import { formatDuration } from '@hsu-master/core';
import { type Answer, type Cancel, type CheckContext, failed } from './answer.ts';

/** Passes as the call says. gRPC itself is spoken elsewhere. */
export function checkGrpc(
  { host, port: fixed, call, headers }: GrpcCheck,
  timeout: Milliseconds,
  grpc: GrpcPort | null,
  { clock, port: given }: CheckContext,
  done: (answer: Answer) => void,
): Cancel {
  const port = fixed ?? given;
  const missing =
    grpc === null
      ? 'a gRPC check takes the package @hsu-master/grpc, which is not installed'
      : 'the worker was given no port to ask';
  if (grpc === null || port === null) {
    done(failed(missing));
    return () => undefined;
  }
  let over = false;
  const settle = (answer: Answer): void => {
    if (over) return;
    end();
    done(answer);
  };
  const hangUp = grpc.check({ host, port, headers }, call, settle);
  const stopTimer = clock.after(timeout, () =>
    settle(failed(`no answer over gRPC from ${host}:${port} within ${formatDuration(timeout)}`)),
  );
  const end = (): void => {
    over = true;
    stopTimer();
    hangUp();
  };
  return end;
}
