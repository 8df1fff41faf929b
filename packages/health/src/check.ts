import type { Check, GrpcPort, Milliseconds } from '@hsu-master/core';
import type { AddressBook } from './address.ts';
import { type Answer, type Cancel, type CheckContext, describeError, failed } from './answer.ts';
import { checkExec } from './exec.ts';
import { checkGrpc } from './grpc.ts';
import { checkHttp } from './http.ts';
import { checkProcess } from './process.ts';
import { checkTcp } from './tcp.ts';

/** What checks share. */
export interface Means {
  readonly book: AddressBook;
  /** null: gRPC checks fail. */
  readonly grpc: GrpcPort | null;
}

/**
 * Makes one check. `done` is called once, possibly from within this call, and never after the returned function was called.
 * @param name of this check among all of the run, as a part of marks
 */
export function startCheck(
  check: Check,
  name: string,
  timeout: Milliseconds,
  means: Means,
  context: CheckContext,
  done: (answer: Answer) => void,
): Cancel {
  try {
    if (check.type === 'http') return checkHttp(check, timeout, means.book, context, done);
    if (check.type === 'tcp') return checkTcp(check, timeout, means.book, context, done);
    if (check.type === 'grpc') return checkGrpc(check, timeout, means, context, done);
    if (check.type === 'exec') return checkExec(check, name, timeout, context, done);
    done(checkProcess(context));
  } catch (error) {
    done(failed(describeError(error)));
  }
  return () => undefined;
}
