import { ERRORS, type ErrorCode } from '../errors.ts';

/** An error as HTTP tells it (RFC 9457), with our code. */
export interface Problem {
  /** `urn:hsu:error:E_…`: an identifier, no place. */
  readonly type: string;
  /** What the code means. */
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  /** What was attempted, on what, what came back. */
  readonly detail: string;
  /** What to do about it. */
  readonly next: string;
}

/** Codes that are answers to a request that was wrong, refused or too early; all others are 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  E_REQUEST: 400,
  E_USAGE: 400,
  E_UNAUTHENTICATED: 401,
  E_FORBIDDEN: 403,
  E_UNKNOWN_WORKER: 404,
  E_UNKNOWN_TICKET: 404,
  E_UNKNOWN_SESSION: 404,
  E_UNKNOWN_ROUTE: 404,
  E_TIMEOUT: 408,
  E_NOT_RUNNING: 409,
  E_SUPERSEDED: 409,
  E_UNMANAGED: 409,
  E_OTHER_MASTER: 409,
  E_DUPLICATE_WORKER: 409,
  E_STALE: 412,
  E_TOO_LARGE: 413,
  E_MEDIA_TYPE: 415,
  E_CONFIG: 422,
  E_CONFIG_READ: 422,
  E_TOO_MANY: 429,
  E_UNSUPPORTED: 501,
  E_SHUTTING_DOWN: 503,
};

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500;
}

export function problemOf(code: ErrorCode, detail: string): Problem {
  const { means, next } = ERRORS[code];
  return { type: `urn:hsu:error:${code}`, title: means, status: statusOf(code), code, detail, next };
}
