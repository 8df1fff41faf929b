import { parseDuration } from '@hsu-master/core';
import { z } from 'zod';

/** The id of a worker. */
export const workerId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id is 1 to 64 characters of A-Z a-z 0-9 _ -')
  .meta({ description: 'Id of a worker.' });

/** A span of time with its unit. */
export const duration = z
  .string()
  .max(32)
  .refine((text) => parseDuration(text) !== null, 'a duration has a unit: 500ms, 30s, 5m, 1h30m')
  .meta({ description: 'A duration with its unit: `500ms`, `30s`, `5m`, `1h30m`.', examples: ['30s'] });

/** A moment, as text with its zone. */
export const moment = z.iso
  .datetime({ offset: true })
  .meta({ description: 'A moment, ISO 8601 with zone.', examples: ['2026-01-31T17:38:32.123Z'] });

/** One or several of the same name in a query: `?worker=a&worker=b`. */
export function several<T extends z.ZodType>(one: T): z.ZodType<z.output<T>[]> {
  return z
    .union([one, z.array(one).max(1000)])
    .optional()
    .transform((given) => (given === undefined ? [] : Array.isArray(given) ? given : [given]));
}

/** A whole number in a query. */
export function whole(least: number, most: number, otherwise: number): z.ZodType<number> {
  return z.coerce.number().int().min(least).max(most).default(otherwise);
}

/** `true` or `false` in a query. */
export function flag(otherwise: boolean): z.ZodType<boolean> {
  return z
    .enum(['true', 'false'])
    .default(otherwise ? 'true' : 'false')
    .transform((text) => text === 'true');
}

/** Milliseconds of a checked duration; the otherwise where none was given, no more than `most`. */
export function spanOf(text: string | undefined, otherwise: number, most = 3_600_000): number {
  return Math.min(most, text === undefined ? otherwise : (parseDuration(text) ?? otherwise));
}
