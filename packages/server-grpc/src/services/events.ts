import { eventFilter, eventsFrom, type HsuEvent, type WorkerView } from '@hsu-master/core';
import * as asked from '../asked.ts';
import type { Call } from '../call.ts';
import type { Handlers } from '../handlers.ts';
import * as told from '../told.ts';

const MOST = 2000;
const ANY = { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 };

export const eventService: Handlers<'hsu.v1.EventService'> = {
  async ListEvents({ select, types, since, limit, wait }, call) {
    const { control } = call;
    const accepts = filterOf(select, types, call);
    const most = asked.whole('limit', limit === 0 ? null : limit, { least: 1, most: MOST, otherwise: MOST });
    const given = asked.whole('since', since, ANY);
    // A number that was not reached yet is another master's.
    const from = given > control.events.seq ? 0 : given;
    const look = (): { readonly lost: number; readonly events: readonly HsuEvent[] } => {
      const { lost, events } = control.events.since(from);
      return { lost, events: events.filter(accepts).slice(0, most) };
    };
    let found = look();
    const span = asked.span('wait', wait, 0);
    if (found.events.length === 0 && span > 0) {
      await next(call, accepts, call.atMost(span));
      found = look();
    }
    const last = found.events.length === most ? found.events.at(-1)?.seq : undefined;
    return {
      master: control.master().id,
      seq: last ?? control.events.seq,
      lost: found.lost,
      events: found.events.map(told.event),
    };
  },

  async *FollowEvents({ select, types, since, master }, call) {
    const { control, signal } = call;
    const accepts = filterOf(select, types, call);
    const { id } = control.master();
    const isOurs = master === undefined || master === null || master === id;
    const given = since === undefined || since === null ? null : asked.whole('since', since, ANY);
    const from = given === null ? control.events.seq : isOurs ? given : 0;
    yield { begun: { master: id, seq: control.events.seq, resumed: isOurs } };
    for await (const batch of eventsFrom(control.events, from, accepts, signal)) {
      for (const item of batch) yield 'lost' in item ? { lost: item.lost } : { event: told.event(item) };
    }
  },
};

/** What may be told of what is wanted. @throws HsuError where nothing may */
function filterOf(
  select: readonly string[],
  types: readonly string[],
  call: Call,
): (event: HsuEvent) => boolean {
  const patterns = asked.patterns(select);
  if (patterns.length > 0 || !call.may('events:read')) call.readable('events:read', patterns, null);
  const may = (worker: WorkerView | null): boolean => call.may('events:read', worker ?? undefined);
  return eventFilter(call.control, { patterns, types: asked.eventTypes(types) }, may);
}

/** Resolves with the next event that is wanted, at the latest when the signal is aborted. */
function next({ control }: Call, accepts: (event: HsuEvent) => boolean, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      unsubscribe();
      resolve();
    };
    const unsubscribe = control.events.subscribe((event) => {
      if (accepts(event)) finish();
    });
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish, { once: true });
  });
}
