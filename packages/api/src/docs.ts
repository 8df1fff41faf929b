import { RIGHTS } from '@hsu-master/core';
import { z } from 'zod';
import { openApiDocument } from './index.ts';
import { request } from './stream/messages.ts';

const GENERATED = '<!-- Generated from the code by `npm run docs`; changes here are lost. -->';

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** docs/openapi.json */
export async function openApiText(): Promise<string> {
  return `${JSON.stringify(await openApiDocument(), null, 2)}\n`;
}

/** docs/api.md */
export async function apiPage(): Promise<string> {
  const { paths } = (await openApiDocument()) as Document;
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary = '', parameters = [], requestBody }]) => {
      const query = parameters.filter((one) => one.in === 'query').map(({ name }) => `\`${name}\``);
      const takes = [...query, ...(requestBody === undefined ? [] : ['a JSON body'])].join(', ') || '–';
      return `| \`${method.toUpperCase()} ${path}\` | ${summary} | ${takes} |`;
    }),
  );
  const rights = Object.entries(RIGHTS).map(([right, means]) => `| \`${right}\` | ${means} |`);
  const messages = z.toJSONSchema(request, { io: 'input' }) as { readonly oneOf?: readonly object[] };
  return `${[
    GENERATED,
    '# API',
    INTRODUCTION,
    '## Routes',
    ['| route | does | takes |', '| --- | --- | --- |', ...rows].join('\n'),
    ORDERS,
    '## Rights',
    'Each route asks for one of these; over the socket its owner and root have all of them.',
    ['| right | allows to |', '| --- | --- |', ...rights].join('\n'),
    '## Stream',
    STREAM,
    `\`\`\`json\n${JSON.stringify(messages.oneOf ?? messages, null, 2)}\n\`\`\``,
  ].join('\n\n')}\n`;
}

const INTRODUCTION = `A master answers HTTP on a unix socket, \`control.sock\` in its run directory: mode 0600 in a folder of mode 0700, and the kernel
is asked who connects; no token is needed. [openapi.json](openapi.json) describes it completely; the master serves it at \`/v1/openapi.json\`.
\`@hsu-master/api/client\` is a typed client.

\`\`\`sh
curl --unix-socket /run/hsu-master/shop-1a2b3c4d/control.sock http://localhost/v1/workers
\`\`\`

Moments are ISO 8601 with zone, durations in queries have a unit (\`30s\`), numbers of milliseconds end with \`Ms\`, or are named in
[events.md](events.md). Errors are \`application/problem+json\` with a \`code\` of [errors.md](errors.md), \`detail\` (what was attempted and what came back) and
\`next\` (what to do).`;

const ORDERS = `An order is answered with its ticket: 202 while it is under way, 200 once it has settled; \`?wait=30s\` answers when it has, at the latest after so long.
Whether it succeeded says \`state\`: \`done\`, \`superseded\` (a later order overruled it) or \`failed\` with \`failure\`. \`GET /v1/tickets/{id}\` tells of it
again, for the last 1000 that have settled.

The two \`follow\` routes answer with one JSON object a line, for as long as the connection lasts; empty lines mean nothing.`;

const STREAM = `\`GET /v1/stream\` is a WebSocket. A client sends the messages below; each subscription has a \`name\` that comes back in what it is told:

| kind | tells |
| --- | --- |
| \`begun\` | it has begun; \`master\` and \`seq\` to go on from after a break, \`resumed\`: whether the number given was this master’s |
| \`states\`, \`state\` | all chosen workers, then each that has changed; of several changes at once the last counts |
| \`event\` | an event |
| \`line\` | a line of a worker |
| \`lost\` | \`events\`: so many are no longer remembered; or \`lost\`: what was written faster than it was read |
| \`ended\` | it has ended |
| \`error\` | \`code\` and \`message\`: it could not begin or go on; other subscriptions are not touched |

A connection has at most 32 subscriptions. No more than 1 MiB waits in it; what comes meanwhile is read later from where it is kept, or counted as lost. Who
reads nothing for 30 s is let go with code 1013.`;
