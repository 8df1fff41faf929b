import { z } from 'zod';

export const environment = z
  .object({
    revealed: z.boolean(),
    argv: z.array(z.string()).meta({ description: '`***` stands for a secret.' }),
    variables: z
      .record(z.string(), z.string().nullable())
      .meta({ description: 'By name; null: not told, since nobody knows which values are secret.' }),
  })
  .meta({ id: 'Environment', description: 'What a program is given.' });
