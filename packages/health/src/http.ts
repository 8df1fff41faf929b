import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Check, Milliseconds } from '@hsu-master/core';
import { formatDuration } from '@hsu-master/core';
import type { Address, AddressBook } from './address.ts';
import {
  type Answer,
  type Cancel,
  type CheckContext,
  describeError,
  failed,
  oneLine,
  passed,
} from './answer.ts';
import { dial, fixedLookup } from './dial.ts';

type HttpCheck = Extract<Check, { type: 'http' }>;

/** Bytes of a body that are read, so that the server sees an ordinary end of the exchange. */
const BODY_LIMIT = 64 * 1024;

/**
 * Passes on a status of 200 to 299. The headers decide: the body is read to its end, but at most 64 KiB and not beyond the
 * time-out, and then the connection is destroyed. Redirects are not followed. Each check has its own connection.
 */
export function checkHttp(
  check: HttpCheck,
  timeout: Milliseconds,
  book: AddressBook,
  context: CheckContext,
  done: (answer: Answer) => void,
): Cancel {
  const url = URL.canParse(check.url) ? new URL(check.url) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    done(failed(`not an http or https address: ${oneLine(check.url)}`));
    return () => undefined;
  }
  const shown = `${url.origin}${url.pathname}`;
  let status: Answer | null = null;
  const judged = (answer: Answer) => {
    status = answer;
  };
  return dial(
    url.hostname,
    timeout,
    book,
    context,
    (addresses, answer) => converse(check, url, shown, addresses, judged, answer),
    () => status ?? failed(`no answer from ${shown} within ${formatDuration(timeout)}`),
    done,
  );
}

function converse(
  check: HttpCheck,
  url: URL,
  shown: string,
  addresses: readonly Address[],
  judged: (answer: Answer) => void,
  answer: (answer: Answer) => void,
): Cancel {
  const { urlToHttpOptions } = process.getBuiltinModule('node:url');
  const { request } =
    url.protocol === 'https:'
      ? process.getBuiltinModule('node:https')
      : process.getBuiltinModule('node:http');
  try {
    const asking = request({
      ...urlToHttpOptions(url),
      method: check.method,
      headers: { 'user-agent': 'hsu-master-probe', accept: '*/*', ...check.headers },
      agent: false,
      lookup: fixedLookup(addresses),
    });
    let status: Answer | null = null;
    asking.on('response', (response) => {
      status = judge(response, shown);
      judged(status);
      drain(response, status, answer);
    });
    const leaveProtocol = (response: IncomingMessage, socket: Duplex) => {
      socket.destroy();
      answer(judge(response, shown));
    };
    asking.on('upgrade', leaveProtocol);
    asking.on('connect', leaveProtocol);
    asking.on('error', (error) => answer(status ?? failed(describeHttpError(error, shown))));
    asking.on('close', () => answer(status ?? failed(`${shown} closed the connection without an answer`)));
    asking.end();
    return () => asking.destroy();
  } catch (error) {
    answer(failed(`cannot ask ${shown}: ${describeError(error)}`));
    return () => undefined;
  }
}

function judge(response: IncomingMessage, shown: string): Answer {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status <= 299) return passed(`HTTP ${status} from ${shown}`);
  const location = response.headers.location;
  if (status >= 300 && status <= 399 && location !== undefined) {
    return failed(
      `HTTP ${status} from ${shown}: redirects to ${oneLine(location)}, which a probe does not follow`,
    );
  }
  return failed(`HTTP ${status} from ${shown}`);
}

function drain(response: IncomingMessage, status: Answer, answer: (answer: Answer) => void): void {
  let read = 0;
  response.on('data', (chunk: Uint8Array) => {
    read += chunk.length;
    if (read >= BODY_LIMIT) answer(status);
  });
  response.on('end', () => answer(status));
  response.on('error', () => answer(status));
}

function describeHttpError(error: Error, shown: string): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return `${shown} does not answer in HTTP: ${describeError(error)}`;
  if (error.message === 'socket hang up') return `${shown} closed the connection without an answer`;
  if (code === 'ECONNRESET') return `${shown} reset the connection`;
  return describeError(error);
}
