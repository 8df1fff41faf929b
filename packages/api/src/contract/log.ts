import { LOG_LEVELS } from '@hsu-master/core';
import { z } from 'zod';
import { moment, workerId } from './common.ts';

export const stream = z.enum(['stdout', 'stderr']);

export const level = z.enum(
  LOG_LEVELS as unknown as [(typeof LOG_LEVELS)[number], ...(typeof LOG_LEVELS)[number][]],
);

export const line = z
  .object({
    worker: workerId,
    stream,
    at: moment,
    stamped: z.boolean().meta({ description: 'false: `at` is the latest time that it can have been.' }),
    run: z.int().meta({ description: '0 where the log does not say.' }),
    text: z.string(),
  })
  .meta({ id: 'LogLine' });

export const lines = z.object({ lines: z.array(line) }).meta({ id: 'LogLines' });

export const page = z.object({ lines: z.array(line), cursor: z.string().nullable() }).meta({
  id: 'LogPage',
  description: '`cursor` goes on behind it with the same query; null: there is no more.',
});
