import { eventsFrom, type HsuEvent } from '@hsu-master/core';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { duration, several, spanOf, whole } from '../contract/common.ts';
import { eventPage, eventType } from '../contract/event.ts';
import * as told from '../told.ts';
import { answers } from './answers.ts';
import { cancelled } from './cancelled.ts';
import { LINES, sendLines } from './lines.ts';
import { patterns } from './workers.ts';

const tags = ['events'];
const MOST = 2000;

const wanted = {
  select: patterns,
  type: several(eventType),
};

export function eventRoutes(app: App, context: Context): void {
  const { control } = context;
  app.route({
    method: 'GET',
    url: '/v1/events',
    config: { asks: { each: 'events:read' } },
    schema: {
      tags,
      summary: 'What happened after an event; `lost` counts what is no longer remembered',
      operationId: 'events',
      querystring: z.object({
        ...wanted,
        since: whole(0, Number.MAX_SAFE_INTEGER, 0),
        limit: whole(1, MOST, MOST),
        wait: duration.optional().meta({ description: 'Where there is nothing new, wait for it this long.' }),
      }),
      response: answers({ 200: eventPage }, [404]),
    },
    handler: async (request, reply) => {
      const { since, limit, wait, ...filter } = request.query;
      // A number that was not reached yet is another master's.
      const from = since > control.events.seq ? 0 : since;
      const accepts = context.told(request, { patterns: filter.select, types: filter.type });
      const look = (): { readonly lost: number; readonly events: readonly HsuEvent[] } => {
        const { lost, events } = control.events.since(from);
        return { lost, events: events.filter(accepts).slice(0, limit) };
      };
      let found = look();
      const span = spanOf(wait, 0);
      if (found.events.length === 0 && span > 0) {
        await nextEvent(context, accepts, span, cancelled(reply, context.closing));
        found = look();
      }
      const last = found.events.length === limit ? found.events.at(-1)?.seq : undefined;
      const seq = last ?? control.events.seq;
      return { master: control.master().id, seq, lost: found.lost, events: found.events.map(told.event) };
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/events/follow',
    config: { asks: { each: 'events:read' } },
    schema: {
      tags,
      summary: 'What happens, one JSON object a line: an Event, or `{"lost": n}`. Ends with the connection',
      operationId: 'followEvents',
      produces: [LINES],
      querystring: z.object({
        ...wanted,
        since: whole(0, Number.MAX_SAFE_INTEGER, 0).optional(),
      }),
      response: answers({ 200: z.string() }, [404]),
    },
    handler: (request, reply) => {
      const { since, ...filter } = request.query;
      const signal = cancelled(reply, context.closing);
      const events = eventsFrom(
        control.events,
        since ?? control.events.seq,
        context.told(request, { patterns: filter.select, types: filter.type }),
        signal,
      );
      return sendLines(reply, events, (item) => ('lost' in item ? item : told.event(item)));
    },
  });
}

/** Resolves with the next event that is wanted, at the latest after `timeout`. */
function nextEvent(
  { control }: Context,
  accepts: (event: HsuEvent) => boolean,
  timeout: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const timer = setTimeout(finish, timeout);
    const unsubscribe = control.events.subscribe((event) => {
      if (accepts(event)) finish();
    });
    signal.addEventListener('abort', finish);
  });
}
