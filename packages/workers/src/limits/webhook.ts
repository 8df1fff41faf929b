import type { IncomingMessage } from 'node:http';
import { type Clock, formatDuration, type Milliseconds } from '@hsu-master/core';

/** Bytes of an answer that are read, so that the server sees an ordinary end of the exchange. */
const BODY_LIMIT = 64 * 1024;

/** One try to hand something over. */
export interface Attempt {
  /** null: it arrived; else why it did not, in one line. Never rejects. */
  readonly outcome: Promise<string | null>;
  cancel(): void;
}

/**
 * POSTs a JSON text. Arrived is what was answered with a status of 200 to 299. Redirects are not followed; of the answer’s body at
 * most 64 KiB are read; all of it ends with the time-out. What is told of the address is its origin, since paths hold secrets.
 */
export function post(url: string, json: string, timeout: Milliseconds, clock: Clock): Attempt {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  let end: () => void = () => undefined;
  const settle = (reason: string | null): void => {
    cancelTimer();
    resolve(reason);
    end();
  };
  const where = URL.canParse(url) ? new URL(url) : null;
  const shown = where?.origin ?? 'the webhook';
  const cancelTimer = clock.after(timeout, () => {
    settle(`no answer from ${shown} within ${formatDuration(timeout)}`);
  });
  if (where === null || !['http:', 'https:'].includes(where.protocol)) settle('not an http or https address');
  else end = converse(where, json, shown, settle);
  return { outcome: promise, cancel: () => settle('given up') };
}

function converse(
  url: URL,
  json: string,
  shown: string,
  settle: (reason: string | null) => void,
): () => void {
  // Loaded by the first alert: most masters never send one.
  const { urlToHttpOptions } = process.getBuiltinModule('node:url');
  const { request } =
    url.protocol === 'https:'
      ? process.getBuiltinModule('node:https')
      : process.getBuiltinModule('node:http');
  const asking = request({
    ...urlToHttpOptions(url),
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(json),
      'user-agent': 'hsu-master',
    },
    agent: false,
  });
  asking.on('response', (response) => hear(response, shown, settle));
  asking.on('error', (error) => settle(`${shown}: ${describe(error)}`));
  asking.on('close', () => settle(`${shown} closed the connection without an answer`));
  asking.end(json);
  return () => asking.destroy();
}

/** Of several addresses that were tried, the first one’s error. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** The status decides, and is told when the body is over or enough of it was read. */
function hear(response: IncomingMessage, shown: string, settle: (reason: string | null) => void): void {
  const reason = judge(response.statusCode ?? 0, shown);
  if (reason !== null) {
    settle(reason);
    return;
  }
  let read = 0;
  response.on('data', (chunk: Uint8Array) => {
    read += chunk.length;
    if (read >= BODY_LIMIT) settle(null);
  });
  for (const over of ['end', 'error', 'close']) response.on(over, () => settle(null));
}

function judge(status: number, shown: string): string | null {
  if (status >= 200 && status <= 299) return null;
  const redirected = status >= 300 && status <= 399 ? ', a redirect, which is not followed' : '';
  return `HTTP ${status} from ${shown}${redirected}`;
}
