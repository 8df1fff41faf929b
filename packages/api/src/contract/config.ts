import { z } from 'zod';
import { moment, workerId } from './common.ts';
import { validation } from './master.ts';
import { failure } from './problem.ts';

const part = z
  .object({
    path: z.string().meta({ description: 'What changed, as a configuration calls it: `env.PORT`.' }),
    before: z.string().nullable().meta({ description: 'As JSON, secrets masked; null: it is not there.' }),
    after: z.string().nullable(),
    effective: z.enum(['live', 'next-run', 'restart']).meta({
      description:
        'live: at once. next-run: with the next process, which nothing is replaced for. restart: the process is replaced.',
    }),
  })
  .meta({ id: 'PartChange' });

export const plan = z
  .object({
    workers: z.array(
      z.object({
        id: workerId,
        kind: z.enum(['added', 'removed', 'changed', 'follows']).meta({
          description:
            'follows: it is described as before, and restarts with a dependency from which it says `restart: true`.',
        }),
        action: z.enum(['start', 'stop', 'restart', 'keep']),
        parts: z.array(part),
      }),
    ),
    unchanged: z.array(workerId),
    settings: z
      .array(z.object({ path: z.string(), effective: z.enum(['live', 'next-start']) }))
      .meta({ description: 'Of the master itself; `next-start`: with its next start.' }),
  })
  .meta({ id: 'Plan', description: 'What is to be done, in its order.' });

export const planned = z
  .object({
    ok: z.boolean(),
    issues: validation.shape.issues,
    workers: z.array(workerId),
    revision: z.int().meta({ description: 'Of the configuration that it was compared with.' }),
    plan: plan.nullable().meta({ description: 'null: the text is not valid.' }),
  })
  .meta({ id: 'Planned' });

export const applied = z
  .object({
    id: workerId.optional().meta({ description: 'Of the worker that was added.' }),
    revision: z.int(),
    plan,
    warnings: validation.shape.issues,
    state: z.enum(['pending', 'done', 'superseded', 'failed']),
    failures: z.array(z.object({ worker: workerId.nullable(), ...failure.shape })),
  })
  .meta({ id: 'Applied', description: 'A configuration that was accepted, and how far it is carried out.' });

export const config = z
  .object({
    revision: z.int().meta({ description: 'Grows with each change that is accepted.' }),
    file: z.string(),
    source: z.enum(['file', 'applied']).meta({
      description:
        'file: as the file was read last. applied: a text that was applied since; the file counts again when it is reloaded or another one.',
    }),
    acceptedAt: moment,
    created: z.array(workerId).meta({ description: 'Workers that were added one by one.' }),
    replaced: z.array(workerId).meta({ description: 'Those of the file that were described otherwise.' }),
    removed: z.array(workerId).meta({ description: 'Those of the file that were removed.' }),
    workers: z
      .array(z.looseObject({ id: workerId }))
      .meta({ description: 'Each worker as it is understood; spans in milliseconds, secrets masked.' }),
  })
  .meta({ id: 'Config' });

/** One worker as an item of `workers` in a configuration. */
export const writtenWorker = z.looseObject({ id: workerId }).meta({
  id: 'WrittenWorker',
  description: 'A worker as it is written in a configuration, see docs/config.md.',
  examples: [{ id: 'web', command: 'node server.js', env: { PORT: '8080' } }],
});
