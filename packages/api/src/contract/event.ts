import { EVENT_MEANINGS } from '@hsu-master/core';
import { z } from 'zod';
import { moment } from './common.ts';

const types = Object.keys(EVENT_MEANINGS) as [string, ...string[]];

export const eventType = z.enum(types).meta({ description: 'See docs/events.md.' });

export const event = z
  .object({
    seq: z.int(),
    at: moment,
    type: eventType,
    workerId: z.string().nullable(),
    run: z.int().nullable(),
    payload: z.looseObject({}),
  })
  .meta({ id: 'Event', description: 'A published fact; payloads are described in docs/events.md.' });

/** `seq` is where to go on from. */
export const eventPage = z
  .object({ master: z.string(), seq: z.int(), lost: z.int(), events: z.array(event) })
  .meta({ id: 'EventPage' });
