import { RIGHTS, type Right, ROLES } from '@hsu-master/core';
import { z } from 'zod';
import { openApiDocument } from './index.ts';
import { request } from './stream/messages.ts';

const GENERATED = '<!-- Generated from the code by `npm run docs`; changes here are lost. -->';

interface Operation {
  readonly 'x-right'?: string;
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
    Object.entries(methods).map(
      ([method, { summary = '', parameters = [], requestBody, 'x-right': right }]) => {
        const query = parameters.filter((one) => one.in === 'query').map(({ name }) => `\`${name}\``);
        const takes = [...query, ...(requestBody === undefined ? [] : ['a JSON body'])].join(', ') || '–';
        const asks = right === undefined ? 'a token' : right.replace(/[\w:]+$/, '`$&`');
        return `| \`${method.toUpperCase()} ${path}\` | ${summary} | ${takes} | ${asks} |`;
      },
    ),
  );
  const has = (role: readonly Right[], right: Right): string => (role.includes(right) ? '✓' : '');
  const rights = Object.entries(RIGHTS).map(([name, means]) => {
    const right = name as Right;
    const roles = Object.values(ROLES).map((role) => has(role, right));
    return `| \`${right}\` | ${means} | ${roles.join(' | ')} |`;
  });
  const messages = z.toJSONSchema(request, { io: 'input' }) as { readonly oneOf?: readonly object[] };
  return `${[
    GENERATED,
    '# API',
    INTRODUCTION,
    '## Routes',
    ['| route | does | takes | asks for |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    ORDERS,
    '## Over the network',
    NETWORK,
    '## Rights',
    RIGHTS_TEXT,
    [
      `| right | allows to | ${Object.keys(ROLES).join(' | ')} |`,
      `| --- | --- |${' --- |'.repeat(Object.keys(ROLES).length)}`,
      ...rights,
    ].join('\n'),
    '## Secrets',
    SECRETS,
    '## Audit',
    AUDIT,
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

const NETWORK = `With \`api.listen\` in the configuration ([config.md](config.md#api)) the same routes are answered at an address, by HTTP or HTTPS. Everybody shows a
token there, also on this machine:

\`\`\`sh
hsu-master token create ci --role operator --worker 'api-*' --expires 90d > ci.token
curl --cacert api.crt -H "authorization: Bearer $(cat ci.token)" https://127.0.0.1:7400/v1/workers
HSU_ADDRESS=https://127.0.0.1:7400 HSU_TOKEN_FILE=ci.token HSU_CA=api.crt hsu-master ls
\`\`\`

- A token is 256 random bits, printed once. The master keeps its SHA-256 in \`access/tokens.json\` of its state directory. \`hsu-master token revoke\` works with and without a
  running master; from then on the token is refused, and connections that were opened with it are closed. In an address it is not taken. A page, which can give a WebSocket no
  header, offers it as a protocol: \`new WebSocket(url, ['hsu.v1', 'bearer.hsu_…'])\`.
- Who has \`tokens:manage\` over all workers sees, makes and revokes tokens by \`/v1/tokens\` too, which \`hsu-master token --address\` asks, and by gRPC: those that he makes have no right
  that his own has not. A token is in the answer that made it and nowhere else; what is done with tokens is in the audit.
- TLS is 1.2 or newer. Certificate and key are read again when they change; what cannot be used is told (\`api.certificate-refused\`) and the pair before kept. With
  \`client_ca\` a certificate of the client is needed besides the token. An address that is not this machine’s own needs TLS, or \`allow_plaintext\`.
- Before a route is looked for: the host that the request names has to be an address, \`localhost\` or one of \`allowed_hosts\`, and an origin the API’s own or one of
  \`allowed_origins\`; else 403. Bodies are \`application/json\`; else 415.
- After five wrong tokens an address (of version 6: its network of 64 bits) is answered 429 for 2 s, then twice as long each time up to 5 min, but for tokens that were right from there
  before. Each wrong one is answered after 250 ms. The socket of the owner is never locked.
- \`rate_limit\` counts requests and messages of each token. Besides: 1024 connections, headers of 16 KiB within 10 s, bodies of 2 MiB within 60 s.
- Where the address is taken, the master does not start: exit 7, with the program that has it.`;

const RIGHTS_TEXT = `Each route asks for one of these, before it reads a body; \`each\`: of a list, only those are told over which one has the right. To see a worker with its secrets
takes \`workers:reveal\` besides. Over the socket its owner and root have all of them; over the network it takes a token, whose role is one of the last columns. \`--with\`
and \`--without\` add and take away single rights. A token for some workers (\`--worker\`) or namespaces (\`--namespace\`) has its rights over these alone; over the master it
has \`master:read\` and no other. Who may check a configuration can find out which files and variables the master has: that is an admin’s right.`;

const SECRETS = `Values of variables and secrets in command lines are told by \`GET /v1/workers/{id}/environment?reveal=true\` and \`hsu-master describe --reveal\` alone, to those with
\`workers:reveal\`, and each time is in the audit. Everywhere else \`***\` stands for what is called like a secret (\`--password\`, \`API_KEY=\`, \`Authorization:\`), for
passwords in addresses, and for what looks like a key of a well-known service, also in events and in the stack of an error that ends the master. What workers write is not masked: \`logs:read\` is a right of its own, and
\`log_collection\` has redactions. A report of Node, where somebody asks for one (\`NODE_OPTIONS=--report-on-signal\`), has nothing of the environment but the command line and the message of the
error as it is; a core dump or a heap snapshot has all that the master knows, as the kernel and Node make it. The master asks for none of these.`;

const AUDIT = `Who did what, when, on what, from where and with which result, one JSON object a line in \`audit/audit.jsonl\` of the state directory (mode 0600; four older files of 8 MiB): orders,
what was refused, tokens that were wrong, lock-outs, what was revealed, changes of tokens and of the configuration, the ordered end. \`GET /v1/audit\` and \`hsu-master audit\`
read it. Where it cannot be written, orders are carried out all the same, \`audit.failed\` tells so, and the audit has a line with how many entries it lacks.

\`\`\`json
{"at":"2026-01-31T17:38:32.123Z","by":"ci","from":"tcp 10.0.0.3","action":"workers:order","on":"db","result":"refused","why":"E_FORBIDDEN"}
\`\`\``;

const ORDERS = `An order is answered with its ticket: 202 while it is under way, 200 once it has settled; \`?wait=30s\` answers when it has, at the latest after so long.
Whether it succeeded says \`state\`: \`done\`, \`superseded\` (a later order overruled it) or \`failed\` with \`failure\`. \`GET /v1/tickets/{id}\` tells of it
again, for the last 1000 that have settled.

The two \`follow\` routes answer with one JSON object a line, for as long as the connection lasts; empty lines mean nothing.`;

const STREAM = `\`GET /v1/stream\` is a WebSocket. A client sends the messages below; each subscription has a \`name\` that comes back in what it is told:

| kind | tells |
| --- | --- |
| \`begun\` | it has begun; \`master\` and \`seq\` to go on from after a break, \`resumed\`: whether the number given was this master’s |
| \`states\`, \`state\`, \`removed\` | all chosen workers, then each that has changed or come, and the id of each that is gone; of several changes at once the last counts |
| \`event\` | an event |
| \`line\` | a line of a worker |
| \`lost\` | \`events\`: so many are no longer remembered; or \`lost\`: what was written faster than it was read |
| \`ended\` | it has ended |
| \`error\` | \`code\` and \`message\`: it could not begin or go on; other subscriptions are not touched |

A connection has at most 32 subscriptions. No more than 1 MiB waits in it; what comes meanwhile is read later from where it is kept, or counted as lost. Who
reads nothing for 30 s is let go with code 1013.`;
