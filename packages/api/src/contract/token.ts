import { RIGHTS, ROLES } from '@hsu-master/core';
import { z } from 'zod';
import { duration, moment } from './common.ts';

const right = z.enum(Object.keys(RIGHTS) as [keyof typeof RIGHTS, ...(keyof typeof RIGHTS)[]]);
const role = z.enum(Object.keys(ROLES) as [keyof typeof ROLES, ...(keyof typeof ROLES)[]]);
const patterns = z.array(z.string().min(1).max(200)).max(100);

const grant = {
  name: z.string(),
  role,
  plus: z.array(right).meta({ description: 'Rights beyond the role.' }),
  minus: z.array(right).meta({ description: 'Rights of the role that it lacks.' }),
  workers: z
    .array(z.string())
    .meta({ description: 'Patterns of ids, `billing/*` within a namespace; empty: of any.' }),
  namespaces: z.array(z.string()).meta({ description: 'Globs; empty: any, and workers without one.' }),
};

export const token = z
  .object({ id: z.string(), ...grant, createdAt: moment, expiresAt: moment.nullable() })
  .meta({ id: 'Token', description: 'A token without itself.' });

export const madeToken = z
  .object({ ...token.shape, token: z.string().meta({ description: 'Told this once.' }) })
  .meta({ id: 'MadeToken' });

export const tokenWish = z
  .object({
    name: z.string().min(1).max(64),
    role,
    plus: z.array(right).default([]),
    minus: z.array(right).default([]),
    workers: patterns.default([]),
    namespaces: patterns.default([]),
    expires: duration.optional().meta({ description: 'In how long; without it, never.' }),
  })
  .meta({
    id: 'TokenWish',
    examples: [{ name: 'ci', role: 'operator', workers: ['api-*'], expires: '90d' }],
  });
