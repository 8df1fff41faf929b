import { type ErrorCode, HsuError, type Problem, problemOf } from '@hsu-master/core';

/** Codes of the HTTP layer by the status that it wants to answer with. */
const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'E_REQUEST',
  404: 'E_UNKNOWN_ROUTE',
  408: 'E_TIMEOUT',
  413: 'E_TOO_LARGE',
  414: 'E_TOO_LARGE',
  415: 'E_MEDIA_TYPE',
  429: 'E_TOO_MANY',
};

interface Thrown {
  readonly message: string;
  readonly statusCode?: number;
  readonly validation?: readonly { readonly instancePath: string; readonly message?: string }[];
  readonly validationContext?: string;
}

/** Any error as what is answered. What nobody expected tells its caller nothing of itself. */
export function problemFrom(error: unknown, defect: (error: unknown) => void): Problem {
  if (error instanceof HsuError) return problemOf(error.code, error.message);
  if (error instanceof DOMException && error.name === 'AbortError')
    return problemOf('E_SHUTTING_DOWN', 'the master is closing, or nobody waits for the answer any more');
  const { message, statusCode = 500, validation, validationContext = 'request' } = error as Thrown;
  if (validation !== undefined) {
    const places = validation.map(
      ({ instancePath, message: text = 'is not valid' }) =>
        `${validationContext}${instancePath.replaceAll('/', '.')}: ${text}`,
    );
    return problemOf('E_REQUEST', places.slice(0, 10).join('; '));
  }
  const code = BY_STATUS[statusCode] ?? (statusCode < 500 ? 'E_REQUEST' : null);
  if (code !== null) return problemOf(code, message);
  defect(error);
  return problemOf(
    'E_INTERNAL',
    'the master could not answer because of a defect; it published supervisor.defect',
  );
}
