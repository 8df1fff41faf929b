import { Metadata, status } from '@grpc/grpc-js';
import type { MessageTypeDefinition, PackageDefinition } from '@grpc/proto-loader';
import { ERRORS, type ErrorCode, HsuError, statusOf, withoutNames } from '@hsu-master/core';

/** The trailer that tells our code in plain text. */
export const CODE_TRAILER = 'hsu-code';
const DETAILS_TRAILER = 'grpc-status-details-bin';
const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';

/** The words of gRPC for those of HTTP, so that a code means the same on both ways; all others are INTERNAL. */
const BY_HTTP: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  408: status.DEADLINE_EXCEEDED,
  409: status.FAILED_PRECONDITION,
  412: status.ABORTED,
  413: status.RESOURCE_EXHAUSTED,
  415: status.INVALID_ARGUMENT,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
};

/** The name of the status that a code is answered with. */
export function grpcStatusOf(code: ErrorCode): string {
  return status[BY_HTTP[statusOf(code)] ?? status.INTERNAL];
}

/** How a call ends that did not succeed. */
export interface Refusal {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** From any error to what is answered. What nobody expected tells its caller nothing of itself. */
export type Refuse = (error: unknown) => Refusal;

export function refusals(protos: PackageDefinition, defect: (error: unknown) => void): Refuse {
  const details = protos['google.rpc.Status'] as MessageTypeDefinition<object, object>;
  const info = protos['google.rpc.ErrorInfo'] as MessageTypeDefinition<object, object>;
  const refusal = (error: HsuError): Refusal => {
    // Everybody comes with a token here, and may not see all workers.
    const { code, message } = withoutNames(error);
    const number = BY_HTTP[statusOf(code)] ?? status.INTERNAL;
    const text = message.toWellFormed();
    const metadata = new Metadata();
    metadata.set(CODE_TRAILER, code);
    const reason = { reason: code, domain: 'hsu-master', metadata: { next: ERRORS[code].next } };
    const value = info.serialize(reason);
    const bytes = details.serialize({
      code: number,
      message: text,
      details: [{ type_url: ERROR_INFO, value }],
    });
    metadata.set(DETAILS_TRAILER, Buffer.from(bytes));
    return { code: number, details: text, metadata };
  };
  return (error) => {
    if (error instanceof HsuError) return refusal(error);
    defect(error);
    const message = 'the master could not answer because of a defect; it published supervisor.defect';
    return refusal(new HsuError('E_INTERNAL', message));
  };
}
