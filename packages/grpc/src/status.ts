/** How a call ended: its code by number, and what was said about it. */
export interface Status {
  readonly code: number;
  readonly message: string;
}

export const OK = 0;
export const UNIMPLEMENTED = 12;
export const UNAVAILABLE = 14;
const UNKNOWN = 2;
const INTERNAL = 13;

const NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** In one line: `UNAVAILABLE: connect ECONNREFUSED 127.0.0.1:50100`. */
export function describeStatus({ code, message }: Status): string {
  const words = message.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  const name = NAMES[code] ?? `status ${code}`;
  return words === '' ? name : `${name}: ${words.slice(0, 200)}`;
}

/** What the answer of an HTTP server that is no gRPC server stands for, by the gRPC documentation. */
export function statusOfHttp(answer: number): Status {
  const code =
    {
      400: INTERNAL,
      401: 16,
      403: 7,
      404: UNIMPLEMENTED,
      429: UNAVAILABLE,
      502: UNAVAILABLE,
      503: UNAVAILABLE,
      504: UNAVAILABLE,
    }[answer] ?? UNKNOWN;
  return { code, message: `HTTP ${answer}` };
}

/** What the headers or trailers of an answer say; null: nothing. */
export function statusOf(headers: Readonly<Record<string, unknown>>): Status | null {
  const code = headers['grpc-status'];
  if (code === undefined) return null;
  const message = headers['grpc-message'];
  const number = Number(code);
  return {
    code: Number.isInteger(number) && number >= 0 ? number : UNKNOWN,
    message: typeof message === 'string' ? unescape(message) : '',
  };
}

/** gRPC escapes texts as in addresses of the web. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A connection that could not be made, or broke. */
export function statusOfError(error: unknown): Status {
  let first = error;
  // Of a stream whose connection failed the reason is its cause; of several addresses tried, the first one’s.
  while (first instanceof Error && first.cause instanceof Error) first = first.cause;
  if (first instanceof AggregateError && first.errors.length > 0) first = first.errors[0] as unknown;
  return { code: UNAVAILABLE, message: first instanceof Error ? first.message : String(first) };
}

export function internal(message: string): Status {
  return { code: INTERNAL, message };
}
