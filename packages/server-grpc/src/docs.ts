import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROTO_FOLDER } from '@hsu-master/contract';
import { ERRORS, type ErrorCode, statusOf } from '@hsu-master/core';
import { ASKS, type Asks } from './asks.ts';
import { grpcStatusOf } from './status.ts';

export { messageTypes } from './types-page.ts';

const GENERATED =
  '<!-- Generated from the proto files and the code by `npm run docs`; changes here are lost. -->';

/** Whose messages are shown; the others are standards, or empty. */
const SHOWN = ['common', 'workers', 'orders', 'master', 'config', 'events', 'logs', 'exec', 'tokens'].map(
  (name) => `hsu/v1/${name}.proto`,
);
const OTHERS = ['proto/core_service.proto', 'proto/master_service.proto', 'grpc/health/v1/health.proto'];

/** docs/grpc.md */
export function grpcPage(): string {
  const read = (file: string): string => readFileSync(join(PROTO_FOLDER, file), 'utf8');
  const services = [...SHOWN, ...OTHERS].flatMap((file) => servicesOf(read(file)));
  const messages = SHOWN.map((file) => `### ${file}\n\n\`\`\`proto\n${messagesOf(read(file))}\n\`\`\``);
  return `${[
    GENERATED,
    '# gRPC',
    INTRODUCTION,
    '## Methods',
    METHODS,
    ...services,
    '## Errors',
    ERRORS_TEXT,
    errorTable(),
    '## Streams',
    STREAMS,
    '## Messages',
    ...messages,
  ].join('\n\n')}\n`;
}

/** The services of a file: its methods with the comment before each. */
function servicesOf(text: string): readonly string[] {
  const name = /^package ([\w.]+);/m.exec(text)?.[1] ?? '';
  return [...text.matchAll(/^service (\w+) \{\n([\s\S]*?)^\}/gm)].map(([, service = '', body = '']) => {
    const full = `${name}.${service}`;
    const asks = ASKS[full as keyof typeof ASKS] as Readonly<Record<string, Asks>>;
    const methods = body.matchAll(
      /((?: *\/\/.*\n)*) *rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\);/g,
    );
    const rows = [...methods].map(([, comment = '', method = '', , question, streams = '', answer]) => {
      const does = comment
        .replaceAll(/^ *\/\/ ?/gm, '')
        .trim()
        .replaceAll('\n', ' ');
      return `| \`${method}\` | ${does || '–'} | \`${question}\` | ${streams}\`${answer}\` | ${told(asks[method])} |`;
    });
    return [
      `### ${full}`,
      '',
      '| method | does | takes | answers | asks for |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
  });
}

function told(asks: Asks | undefined): string {
  if (asks === undefined || asks === 'nothing' || asks === 'a token') return asks ?? '–';
  return asks.startsWith('each ') ? `\`${asks.slice(5)}\` of each` : `\`${asks}\``;
}

function messagesOf(text: string): string {
  return text
    .replaceAll(/^(?:\/\/.*\n)*service \w+ \{\n[\s\S]*?^\}\n\n?/gm, '')
    .replace(/^[\s\S]*?(?=^(?:\/\/|message|enum))/m, '')
    .trim();
}

function errorTable(): string {
  const byStatus = new Map<string, string[]>();
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    if (statusOf(code) === 500) continue;
    const status = grpcStatusOf(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\``]);
  }
  const rows = [...byStatus]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([status, codes]) => `| \`${status}\` | ${codes.join(', ')} |`);
  return ['| status | codes |', '| --- | --- |', ...rows, '| `INTERNAL` | all others |'].join('\n');
}

const INTRODUCTION = `A master answers gRPC on a TCP port where its configuration has one; without it none is opened, and nothing is loaded for it.

\`\`\`yaml
master:
  port: 50055 # at 127.0.0.1; elsewhere with master.grpc.host and api.tls
\`\`\`

Every call shows a token in its metadata, \`authorization: Bearer hsu_…\`; \`hsu-master token create\` makes one. Tokens, their roles and rights,
the rate limit, the lock-out after wrong ones and the audit are those of [the API](api.md). With \`api.tls\` the port speaks TLS only, and
follows certificates that are replaced. Nothing but these is answered without a token: \`proto.CoreService/Ping\`, and
\`grpc.health.v1.Health/Check\` and \`Watch\` of the service \`""\`, which say that the master answers. \`proto.MasterService/Status\`, which the original
answered to everybody, wants a token with \`master:read\`; \`master.grpc.open_status: true\` opens it.

The proto files are in the package \`@hsu-master/contract\`, below \`proto/\`. Clients that have none of them ask the server: it answers
\`grpc.reflection.v1\` and \`v1alpha\`.

\`\`\`sh
grpcurl -plaintext -H 'authorization: Bearer hsu_…' 127.0.0.1:50055 list
grpcurl -plaintext -H 'authorization: Bearer hsu_…' -d '{"select": ["api-*"]}' 127.0.0.1:50055 hsu.v1.WorkerService/ListWorkers
\`\`\`

Services of \`grpc.health.v1\` are the workers by their ids (\`SERVING\`: ready), for those who may see them, and the services below.`;

const METHODS = `What a method asks for is a right of the token, as in [the API](api.md#rights). \`of each\`: who has it for some workers is told of those.
\`GetEnvironment\` with \`reveal\` asks for \`workers:reveal\`. \`Explain\` tells what a worker wrote only to those who have \`logs:read\`.`;

const ERRORS_TEXT = `A call that does not succeed ends with a status, with our code in the trailer \`hsu-code\`, and with a \`google.rpc.ErrorInfo\` in
\`grpc-status-details-bin\`: \`reason\` is the code, \`domain\` is \`hsu-master\`, \`metadata.next\` says what to do. [errors.md](errors.md) lists the codes.`;

const STREAMS = `A stream ends when its caller cancels it or its deadline comes, when the token is revoked or has expired (\`UNAUTHENTICATED\`), and when the
master ends (\`UNAVAILABLE\`). Nothing is held for a slow reader beyond 256 KiB: what comes meanwhile is read later from where it is kept, or counted
as \`lost\`. Who reads nothing for 30 s is let go: \`RESOURCE_EXHAUSTED\`, and a second later its connection is ended. \`FollowEvents\` goes on
from \`since\`; the number is compared within one \`master\` only.

A message may have 2 MiB, a connection 100 calls at once, the port 256 connections. Connections on which nobody has shown a valid token are
ended after 30 s, those without calls after five minutes;
the server pings every 30 s and ends those that do not answer.`;
