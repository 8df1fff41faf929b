import { ERRORS } from '@hsu-master/core';
import { z } from 'zod';

const codes = Object.keys(ERRORS) as [keyof typeof ERRORS, ...(keyof typeof ERRORS)[]];

/** One of our codes. */
export const errorCode = z.enum(codes).meta({ description: 'See docs/errors.md.' });

/** What was to be expected and went wrong. */
export const failure = z
  .object({ code: errorCode, message: z.string() })
  .meta({ id: 'Failure', description: 'Code and message of something that did not succeed.' });

/** How every error is answered. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: errorCode,
    detail: z.string(),
    next: z.string(),
  })
  .meta({
    id: 'Problem',
    description:
      'An error (RFC 9457): `detail` says what was attempted and what came back, `next` what to do.',
  });
