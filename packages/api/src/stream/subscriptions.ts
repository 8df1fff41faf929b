import { eventsFrom, HsuError, type WorkerId, type WorkerView } from '@hsu-master/core';
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
  const ids = context.told(request, select);
  const wanted = new Set<string>(types);
  const { id } = control.master();
  const isOurs = master === undefined || master === id;
  const from = since === undefined ? control.events.seq : isOurs ? since : 0;
  channel.send({ name, kind: 'begun', master: id, seq: control.events.seq, resumed: isOurs });
  const events = eventsFrom(
    control.events,
    from,
    (event) =>
      (ids === null || (event.workerId !== null && ids.has(event.workerId))) &&
      (wanted.size === 0 || wanted.has(event.type)),
    signal,
  );
  for await (const batch of events) {
    for (const item of batch) {
      if ('lost' in item) channel.send({ name, kind: 'lost', events: item.lost });
      else channel.send({ name, kind: 'event', event: told.event(item) });
      await channel.room();
      if (signal.aborted) return;
    }
  }
}

/** How workers are, then each that has changed. Between two messages several changes may have come: the last counts. */
export async function sendStates(
  { context, request, channel }: Subscriber,
  { name, select }: Of<'states'>,
  signal: AbortSignal,
): Promise<void> {
  const { control, allowed } = context;
  const mine = allowed(request, 'workers:read', chosen(context, select));
  const ids = new Set(mine.map(({ id }) => id));
  const changed = new Set<WorkerId>();
  let wake: () => void = () => {};
  const unsubscribe = control.events.subscribe(({ workerId }) => {
    if (workerId === null || !ids.has(workerId)) return;
    changed.add(workerId);
    wake();
  });
  const abort = (): void => wake();
  signal.addEventListener('abort', abort);
  try {
    const { id: master } = control.master();
    channel.send({ name, kind: 'states', master, seq: control.events.seq, workers: mine.map(told.worker) });
    while (!signal.aborted) {
      await channel.room();
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      for (const id of changed) {
        changed.delete(id);
        channel.send({
          name,
          kind: 'state',
          seq: control.events.seq,
          worker: told.worker(control.worker(id)),
        });
        await channel.room();
      }
      if (changed.size === 0 && !signal.aborted) await promise;
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', abort);
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
