import type { Problem } from '../contract/index.ts';

/** What a master answered instead of what was asked for, or why none answered. */
export class ApiError extends Error {
  /** `E_NO_MASTER` where nobody listens. */
  readonly code: Problem['code'];
  /** What to do about it. */
  readonly next: string;
  /** 0 where there was no answer. */
  readonly status: number;

  constructor(
    { code, detail, next, status }: Pick<Problem, 'code' | 'detail' | 'next' | 'status'>,
    cause?: unknown,
  ) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'ApiError';
    this.code = code;
    this.next = next;
    this.status = status;
  }
}

/** Errors of the system that say that there is no master, or none that we may speak with. */
export function connectionError(error: NodeJS.ErrnoException, place: string): ApiError {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new ApiError(
      {
        code: 'E_FORBIDDEN',
        detail: `${place} belongs to another user`,
        next: 'Ask as its owner or as root.',
        status: 0,
      },
      error,
    );
  }
  if (/^(?:ERR_TLS_|CERT_|DEPTH_ZERO|UNABLE_TO_|SELF_SIGNED|ERR_SSL_|EPROTO)/.test(error.code ?? '')) {
    return new ApiError(
      {
        code: 'E_UNAUTHENTICATED',
        detail: `it is not sure who answers at ${place}: ${error.message}`,
        next: 'Name the authority of its certificate: --ca FILE or HSU_CA. Ask it by the name that is in the certificate.',
        status: 0,
      },
      error,
    );
  }
  const detail =
    error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      ? `no master answers at ${place}`
      : `the connection to the master at ${place} broke off: ${error.message}`;
  return new ApiError(
    { code: 'E_NO_MASTER', detail, next: 'Start one: hsu-master up -f config.yaml', status: 0 },
    error,
  );
}
