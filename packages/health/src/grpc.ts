import type { GrpcCheck, GrpcPort, Milliseconds } from '@hsu-master/core';
import { formatDuration } from '@hsu-master/core';
import type { AddressBook } from './address.ts';
import { type Answer, type Cancel, type CheckContext, failed } from './answer.ts';
import { dial } from './dial.ts';

/** Passes as the call says. gRPC itself is spoken elsewhere. */
export function checkGrpc(
  check: GrpcCheck,
  timeout: Milliseconds,
  means: { readonly book: AddressBook; readonly grpc: GrpcPort | null },
  context: CheckContext,
  done: (answer: Answer) => void,
): Cancel {
  const { host, call, headers } = check;
  const { grpc, book } = means;
  const port = check.port ?? context.port;
  if (grpc === null || port === null) {
    done(failed(grpc === null ? 'nobody here speaks gRPC' : 'the worker was given no port to ask'));
    return () => undefined;
  }
  return dial(
    host,
    timeout,
    book,
    context,
    (addresses, answer) => grpc.check({ host, addresses, port, headers }, call, answer),
    () => failed(`no answer over gRPC from ${host}:${port} within ${formatDuration(timeout)}`),
    done,
  );
}
