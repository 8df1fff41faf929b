import { LOG_LEVELS, type LogQuery } from '@hsu-master/core';
import * as asked from '../asked.ts';
import type { Call } from '../call.ts';
import type { Handlers } from '../handlers.ts';
import type { OutputStream } from '../messages.ts';
import * as told from '../told.ts';

const MOST = 10_000;
const LONGEST_CURSOR = 100_000;

interface Wanted {
  readonly select: readonly string[];
  readonly namespace?: string | null | undefined;
  readonly stream: OutputStream;
}

export const logService: Handlers<'hsu.v1.LogService'> = {
  async TailLogs(question, call) {
    const query = queryOf(question, call);
    const count = asked.whole('lines', question.lines, { least: 0, most: MOST, otherwise: 100 });
    const lines = await call.control.logs.tail(query, count, call.signal);
    return { lines: lines.map(told.line) };
  },

  async SearchLogs(question, call) {
    const { text, ignoreCase, pattern, minLevel, from, to, order, limit, cursor } = question;
    const query = {
      ...queryOf(question, call),
      text: asked.optional('text', text),
      ignoreCase,
      pattern: asked.optional('pattern', pattern),
      minLevel: asked.oneOf('min_level', minLevel, LOG_LEVELS),
      from: asked.moment('from', from),
      to: asked.moment('to', to),
      order: asked.word('order', order, ['newest', 'oldest'], 'newest'),
      limit: asked.whole('limit', limit, { least: 1, most: MOST, otherwise: 100 }),
      cursor: asked.optional('cursor', cursor, LONGEST_CURSOR),
    };
    const found = await call.control.logs.search(query, call.signal);
    return { lines: found.lines.map(told.line), cursor: found.cursor };
  },

  async *FollowLogs(question, call) {
    const query = queryOf(question, call);
    const count = asked.whole('lines', question.lines, { least: 0, most: MOST, otherwise: 10 });
    for await (const news of call.control.logs.follow(query, count, call.signal)) {
      if (news.kind === 'line') yield { line: told.line(news.line) };
      else yield { lost: { worker: news.workerId, bytes: news.bytes, lines: news.lines } };
    }
  },
};

/** Of all workers only those are read whose logs may be. */
function queryOf({ select, namespace, stream }: Wanted, call: Call): LogQuery {
  const patterns = asked.patterns(select);
  const workers = call.readable('logs:read', patterns, asked.optional('namespace', namespace, 64));
  return {
    workers: workers.map(({ id }) => id),
    stream: asked.word('stream', stream, ['stdout', 'stderr'] as const, null),
  };
}
