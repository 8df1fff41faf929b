import type { Milliseconds } from '@hsu-master/core';
import type { Answer } from './http.ts';
import type { Delivery } from './sink.ts';

/** Longest time a service may ask to be left alone for. */
const LONGEST_AFTER: Milliseconds = 3_600_000;

/** Who speaks and how it is quoted: an `HttpClient`. */
interface Speaker {
  readonly shown: string;
  quote(text: string): string;
}

/**
 * What an answer means where the service has nothing to add: 2xx is taken; 408, 425, 429 and 5xx are tried again; 413 is too big; 400, 422
 * and other 4xx refuse these records; a redirect, 401, 403, 404, 405, 406, 407, 415 say that address or credentials are wrong.
 */
export function deliveryOf(answer: Answer, records: number, server: Speaker): Delivery {
  if (answer.kind === 'unanswered') return { kind: 'later', reason: answer.reason, after: null };
  const { status, retryAfter } = answer;
  if (status >= 200 && status <= 299) return { kind: 'taken' };
  const reason = reasonOf(answer, server);
  if (status >= 300 && status <= 399)
    return { kind: 'never', reason: `${reason}, a redirect, which is not followed` };
  if ([408, 425, 429].includes(status) || status >= 500 || status < 200)
    return { kind: 'later', reason, after: retryAfter === null ? null : Math.min(retryAfter, LONGEST_AFTER) };
  if (status === 413) return { kind: 'too-big', reason };
  if ([401, 403, 404, 405, 406, 407, 415].includes(status)) return { kind: 'never', reason };
  return { kind: 'partly', refused: records, reason };
}

export function reasonOf({ status, body }: Answer & { kind: 'answered' }, server: Speaker): string {
  const said = server.quote(body.slice(0, 1000));
  return `HTTP ${status} from ${server.shown}${said === '' ? '' : `: ${said}`}`;
}

/** The JSON object in a text; null where it is something else. */
export function objectIn(text: string): { readonly [key: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as { readonly [key: string]: unknown })
      : null;
  } catch {
    return null;
  }
}
