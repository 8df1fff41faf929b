import { resolve } from 'node:path';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { validation } from '../contract/master.ts';
import { answers } from './answers.ts';

export function configRoutes(app: App, { control }: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/config/validate',
    config: { asks: { master: 'config:validate' } },
    schema: {
      tags: ['config'],
      summary: 'Check the text of a configuration as this master would read it; nothing is changed',
      operationId: 'validate',
      body: z.object({
        text: z.string(),
        file: z
          .string()
          .max(4096)
          .default('config.yaml')
          .meta({ description: 'What relative paths in it are relative to; the file is not read.' }),
      }),
      response: answers({ 200: validation }, [413, 415]),
    },
    handler: (request) => {
      const { ok, issues, workers } = control.validate(request.body.text, resolve(request.body.file));
      return { ok, issues: [...issues], workers: [...workers] };
    },
  });
}
