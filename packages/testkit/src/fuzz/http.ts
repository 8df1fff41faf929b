import fc from 'fast-check';
import type { HttpRequest } from './place.ts';

/** Words that mean something to a master, and some that mean something to parsers. */
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('web', 'db', '*', '-1', '1e9', 'ready', '..', '%2e', 'true', '\0', '🙂', 'SIGHUP', 'tree'),
);

const body = fc.oneof(
  fc.constant(''),
  fc.json({ maxDepth: 3 }),
  fc.string(),
  fc
    .record(
      {
        id: text,
        signal: text,
        to: text,
        text,
        reason: text,
        file: text,
        data: text,
        name: text,
        role: text,
      },
      { requiredKeys: [] },
    )
    .map((one) => JSON.stringify(one)),
  fc.constant('{"argv":["true"]}'),
);

const type = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'multipart/form-data',
  '',
);

/** As much of an OpenAPI document as says what may be asked. */
export interface DescribedRoutes {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly parameters?: readonly { readonly name: string }[] }>>>
  >;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'];

/** Requests to routes that there are, with parameters that some of them have, and to some that there are not. */
export function httpRequests(
  { paths }: DescribedRoutes,
  isHarmless: (method: string, route: string) => boolean,
): fc.Arbitrary<HttpRequest> {
  const names = Object.values(paths).flatMap((methods) =>
    Object.values(methods).flatMap(({ parameters = [] }) => parameters.map(({ name }) => name)),
  );
  const harmless = Object.keys(paths).flatMap((route) =>
    METHODS.filter((method) => isHarmless(method, route)).map((method) => ({ method, route })),
  );
  const query = fc.array(fc.tuple(fc.constantFrom(...new Set(names), 'x'), text), { maxLength: 4 });
  const known = fc.tuple(fc.constantFrom(...harmless), text, query).map(([{ method, route }, id, given]) => ({
    method,
    path: `${route.replace(/\{\w+\}/, encodeURIComponent(id))}?${given.map(parameter).join('&')}`,
  }));
  const unknown = fc.record({
    method: fc.constantFrom(...METHODS),
    path: fc.string().map((one) => `/${one.replace(/[^\x21-\x7e]/g, '')}`),
  });
  return fc
    .tuple(fc.oneof({ weight: 5, arbitrary: known }, { weight: 1, arbitrary: unknown }), type, body)
    .map(([asked, contentType, sent]) => ({
      ...asked,
      headers: contentType === '' ? {} : { 'content-type': contentType },
      body: sent,
    }));
}

/** Nobody waits for long. */
function parameter([name, value]: readonly [string, string]): string {
  return `${name}=${name === 'wait' || name === 'timeout' ? '1ms' : encodeURIComponent(value)}`;
}

const headerName = fc.constantFrom(
  'host',
  'origin',
  'authorization',
  'sec-websocket-protocol',
  'upgrade',
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
  'x',
);
const headerValue = fc.oneof(
  fc.constantFrom(
    '127.0.0.1',
    'localhost',
    'evil',
    'null',
    'Bearer x',
    'bearer.x, hsu.v1',
    'websocket',
    'Upgrade',
    '5',
    '-1',
    'chunked',
    '100-continue',
    '',
  ),
  fc.string({ maxLength: 30 }),
);

/** Texts that look like requests of HTTP/1.1 to somebody who looks away. */
export const httpGarbage: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .record({
      method: fc.constantFrom('GET', 'POST', 'OPTIONS', 'HEAD', 'CONNECT', 'TRACE', 'PRI', 'x'),
      path: fc.oneof(
        fc.constantFrom('/', '/v1/stream', '/v1/workers', '*', '//', 'http://evil/'),
        fc.string({ maxLength: 20 }),
      ),
      headers: fc.array(fc.tuple(headerName, headerValue), { maxLength: 8 }),
      body: fc.string({ maxLength: 50 }),
    })
    .map(({ method, path, headers, body: rest }) => {
      const lines = headers.map(([key, value]) => `${key}: ${value}\r\n`).join('');
      return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${lines}\r\n${rest}`);
    }),
  fc.string({ maxLength: 200 }).map((one) => Buffer.from(one)),
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(
      fc.constantFrom(
        'GET /v1/health HTTP/1.1\r\n',
        'POST /v1/config/plan HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
        'POST /v1/config/plan HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 300\r\n\r\n',
      ),
      fc.uint8Array({ maxLength: 300 }),
    )
    .map(([head, rest]) => Buffer.concat([Buffer.from(head), rest])),
);
