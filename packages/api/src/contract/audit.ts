import { z } from 'zod';
import { moment } from './common.ts';

export const auditEntry = z
  .object({
    at: moment,
    by: z
      .string()
      .meta({ description: '`uid 0`, or the name of a token; `unknown` for who was not let in.' }),
    from: z.string().meta({ description: '`unix`, `tcp 10.0.0.3`, `grpc 10.0.0.3`, `command`.' }),
    action: z.string().meta({ description: 'What was asked for; of a refusal the right that was lacking.' }),
    on: z.string(),
    result: z.enum(['done', 'refused', 'failed']),
    why: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry', description: 'Who did what, when, on what, from where, with which result.' });

export const auditPage = z.object({ entries: z.array(auditEntry) }).meta({ id: 'AuditPage' });
