import { z } from 'zod';
import { moment, workerId } from './common.ts';

export const version = z
  .object({
    master: z
      .string()
      .meta({ description: 'Unique for one life of a master; event numbers are comparable within it.' }),
    version: z.string(),
    api: z.literal(1),
    pid: z.int(),
    startedAt: moment,
    node: z.string(),
    platform: z.string(),
    configFile: z.string(),
    stateDirectory: z.string(),
    logDirectory: z.string(),
    lacksAddon: z.string().nullable().meta({ description: 'Why the native addon is not used.' }),
  })
  .meta({ id: 'Version' });

export const health = z
  .object({
    status: z
      .enum(['ok', 'degraded'])
      .meta({ description: 'degraded: a worker that is wanted up is not ready. The master itself answers.' }),
    workers: z.object({
      total: z.int(),
      wanted: z.int(),
      ready: z.int(),
      running: z.int(),
      backoff: z.int(),
      blocked: z.int(),
      failed: z.int(),
    }),
  })
  .meta({ id: 'Health' });

export const capability = z
  .object({
    feature: z.string(),
    status: z.enum(['enforced', 'watched', 'impossible']),
    reason: z.string(),
  })
  .meta({ id: 'Capability' });

export const validation = z
  .object({
    ok: z.boolean(),
    issues: z.array(
      z.object({
        severity: z.enum(['error', 'warning']),
        line: z.int(),
        column: z.int(),
        path: z.string(),
        message: z.string(),
        hint: z.string().nullable(),
      }),
    ),
    workers: z.array(workerId),
  })
  .meta({ id: 'Validation' });

export const ending = z
  .object({ survivors: z.array(z.object({ pid: z.int(), startedAt: z.string() })), forced: z.boolean() })
  .meta({ id: 'Ending', description: 'What the ordered end came to.' });
