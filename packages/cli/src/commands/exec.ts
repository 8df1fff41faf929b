import { constants } from 'node:os';
import { ApiError, type Client, type ExecNews } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import type { Input } from '../surroundings.ts';

/** What is sent at once, in bytes. */
const PIECE = 48 * 1024;

/** `exec`: runs a command in the place of a worker; its output is ours, and its exit code. */
export async function exec({ client, to }: Asking, worker: string, argv: readonly string[]): Promise<number> {
  const input = to.input();
  const over = new AbortController();
  let code = 1;
  try {
    for await (const news of client.exec(worker, argv, AbortSignal.any([over.signal, to.out.gone]))) {
      if ('session' in news) attend(client, news.session, input, to.interrupted());
      else if ('stream' in news) {
        const bytes = Buffer.from(news.data, 'base64');
        await (news.stream === 'stdout' ? to.out : to.err).write(bytes);
      } else code = codeOf(news);
    }
    return code;
  } finally {
    over.abort();
    input.close();
  }
}

function codeOf(news: Extract<ExecNews, { exit: object } | { failure: object }>): number {
  if ('failure' in news) throw new CliError(news.failure.code, news.failure.message, '');
  const { code, signal } = news.exit;
  if (code !== null) return code;
  return signal === null ? 1 : 128 + ((constants.signals as Readonly<Record<string, number>>)[signal] ?? 0);
}

/** What is typed goes there; Ctrl-C, too. What it does not take any more is lost, as behind a pipe. */
function attend(client: Client, session: string, { chunks }: Input, interrupted: AbortSignal): void {
  const quietly = (sent: Promise<void>): void => {
    sent.catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
    });
  };
  interrupted.addEventListener('abort', () => quietly(client.execSignal(session, 'SIGINT')));
  quietly(pump(client, session, chunks));
}

async function pump(client: Client, session: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        const data = Buffer.from(chunk.subarray(at, at + PIECE)).toString('base64');
        await client.execInput(session, { data });
      }
    }
  } catch (error) {
    // Nothing can be read from it, or no more.
    if (error instanceof ApiError) throw error;
    return;
  }
  await client.execInput(session, { end: true });
}
