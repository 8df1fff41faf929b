import { eventsFrom, HsuError, statesFrom, type WorkerView } from '@hsu-master/core';
import type { FastifyRequest } from 'fastify';
import type { Context } from '../context.ts';
import { tellNews } from '../routes/logs.ts';
import * as told from '../told.ts';
import type { Channel } from './channel.ts';
import type { Request } from './messages.ts';

export interface Subscriber {
  readonly context: Context;
  readonly request: FastifyRequest;
  readonly channel: Channel;
}

type Of<Op extends Request['op']> = Extract<Request, { op: Op }>;

/** Events as they come, after those that were missed. Resolves when it ends. */
export async function sendEvents(
  { context, request, channel }: Subscriber,
  { name, select, types, since, master }: Of<'events'>,
  signal: AbortSignal,
): Promise<void> {
  const { control } = context;
  const accepts = context.told(request, { patterns: select, types });
  const { id } = control.master();
  const isOurs = master === undefined || master === id;
  const from = since === undefined ? control.events.seq : isOurs ? since : 0;
  channel.send({ name, kind: 'begun', master: id, seq: control.events.seq, resumed: isOurs });
  const events = eventsFrom(control.events, from, accepts, signal);
  for await (const batch of events) {
    for (const item of batch) {
      if ('lost' in item) channel.send({ name, kind: 'lost', events: item.lost });
      else channel.send({ name, kind: 'event', event: told.event(item) });
      await channel.room();
      if (signal.aborted) return;
    }
  }
}

/** How workers are, then each that has changed, come or gone. Between two messages several changes may have come: the last counts. */
export async function sendStates(
  { context, request, channel }: Subscriber,
  { name, select }: Of<'states'>,
  signal: AbortSignal,
): Promise<void> {
  const { control, allowed } = context;
  // Says which pattern fits nobody.
  chosen(context, select);
  const { id: master } = control.master();
  const may = (worker: WorkerView): boolean => allowed(request, 'workers:read', [worker]).length > 0;
  const states = statesFrom(control, { patterns: select, namespace: null }, may, signal);
  for await (const news of states) {
    const { kind, seq } = news;
    if (kind === 'states') channel.send({ name, kind, master, seq, workers: news.workers.map(told.worker) });
    else if (kind === 'state') channel.send({ name, kind, seq, worker: told.worker(news.worker) });
    else channel.send({ name, kind, seq, worker: news.id });
    await channel.room();
  }
}

/** Lines as they come, after the last that are there. */
export async function sendLogs(
  { context, request, channel }: Subscriber,
  { name, select, stream, lines }: Of<'logs'>,
  signal: AbortSignal,
): Promise<void> {
  const { control, allowed, allow } = context;
  const found = chosen(context, select);
  const readable = allowed(request, 'logs:read', found);
  const [first] = found;
  if (readable.length === 0 && first !== undefined) allow(request, 'logs:read', first);
  channel.send({ name, kind: 'begun', master: control.master().id, seq: control.events.seq, resumed: false });
  const query = { workers: readable.map(({ id }) => id), stream: stream ?? null };
  for await (const news of control.logs.follow(query, lines, signal)) {
    const message = news.kind === 'line' ? { line: tellNews(news) } : tellNews(news);
    channel.send({ name, kind: news.kind, ...message });
    await channel.room();
  }
}

function chosen({ control }: Context, patterns: readonly string[]): readonly WorkerView[] {
  return control.workers({ patterns, namespace: null }, false);
}

/** What is sent where a subscription could not begin or could not go on. */
export function refusal(name: string | null, error: unknown, defect: (error: unknown) => void): object {
  if (error instanceof HsuError) return { name, kind: 'error', code: error.code, message: error.message };
  defect(error);
  return { name, kind: 'error', code: 'E_INTERNAL', message: 'a defect of the master' };
}
