import type { z } from 'zod';
import { problem } from '../contract/problem.ts';

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'The request is not valid.',
  401: 'No valid token was shown.',
  403: 'Who asks may not do this.',
  404: 'There is no such worker or ticket.',
  409: 'The worker is not in a state for it.',
  412: 'Another revision of the configuration holds by now.',
  413: 'The request is too large.',
  415: 'The body is no JSON.',
  422: 'The configuration would not be valid; the former holds on.',
  429: 'Too many requests, or too many wrong tokens from this address.',
};

/** The answers of a route: what it gives, and the problems that it may have. */
export function answers<T extends Readonly<Record<number, z.ZodType>>>(
  good: T,
  problems: readonly number[] = [],
): T & Record<number, z.ZodType> {
  const bad = Object.fromEntries(
    [400, 401, 403, ...problems, 429].map((status) => [
      status,
      problem.describe(PROBLEMS[status] ?? 'A problem.'),
    ]),
  );
  return { ...good, ...bad };
}
