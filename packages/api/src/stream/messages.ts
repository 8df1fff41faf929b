import { z } from 'zod';
import { eventType } from '../contract/event.ts';
import { stream } from '../contract/log.ts';

const name = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'Chosen by the client; comes back in each message.' });
const select = z.array(z.string().min(1).max(200)).max(1000).default([]);

/** What a client may send, as JSON text. */
export const request = z.discriminatedUnion('op', [
  z.object({ op: z.literal('states'), name, select }),
  z.object({
    op: z.literal('events'),
    name,
    select,
    types: z.array(eventType).default([]),
    /** Where to go on from; without it, only what comes. */
    since: z.int().min(0).optional(),
    /** Whose number that is: another master counts anew. */
    master: z.string().max(64).optional(),
  }),
  z.object({
    op: z.literal('logs'),
    name,
    select,
    stream: stream.optional(),
    lines: z.int().min(0).max(10_000).default(10),
  }),
  z.object({ op: z.literal('end'), name }),
]);

export type Request = z.output<typeof request>;
