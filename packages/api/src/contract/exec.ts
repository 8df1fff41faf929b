import { z } from 'zod';
import { failure } from './problem.ts';

export const execSession = z.string().regex(/^[a-z0-9-]{1,64}$/);

/** The first line of an answer, then output, then the end. */
export const execNews = z
  .union([
    z.object({ session: execSession }),
    z.object({ stream: z.enum(['stdout', 'stderr']), data: z.base64() }),
    z.object({ exit: z.object({ code: z.int().nullable(), signal: z.string().nullable() }) }),
    z.object({ failure }),
  ])
  .meta({ id: 'ExecNews', description: 'What comes from a command; `data` is base64.' });

/** At most 64 KiB at once. */
export const execInput = z.object({
  data: z.base64().max(90_000).default(''),
  end: z.boolean().default(false).meta({ description: 'Nothing more will come.' }),
});
