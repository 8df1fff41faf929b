import swagger from '@fastify/swagger';
import { type Control, HsuError, noAudit } from '@hsu-master/core';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { createApp, PROBLEM_TYPE } from './app.ts';

let made: Promise<object> | null = null;

/** The OpenAPI 3.1 document of all routes, made when it is first asked for from routes that serve nobody. */
export function openApiDocument(): Promise<object> {
  made ??= make();
  return made;
}

async function make(): Promise<object> {
  const nobody = (): never => {
    throw new HsuError('E_UNAUTHENTICATED', 'these routes serve nobody');
  };
  const { app, close } = createApp({
    control: {} as Control,
    identify: nobody,
    message: nobody,
    authorize: nobody,
    audit: noAudit,
    patience: 0,
    document: nobody,
    defect: () => {},
    documented: (documentedApp) =>
      documentedApp.register(swagger, {
        openapi: {
          openapi: '3.1.0',
          info: {
            title: 'HSU Master',
            version: '1',
            description:
              'Control plane of a master. Every error is answered as a Problem, with one of the codes of docs/errors.md.',
            license: { name: 'MIT', identifier: 'MIT' },
          },
          servers: [
            {
              url: 'http://localhost',
              description: 'Over the unix socket of the master; no token is needed.',
            },
            { url: 'https://127.0.0.1:7400', description: 'At api.listen; each request shows a token.' },
          ],
          components: {
            securitySchemes: {
              token: {
                type: 'http',
                scheme: 'bearer',
                description: 'A token of `hsu-master token create`. Not asked for over the unix socket.',
              },
            },
          },
          security: [{ token: [] }, {}],
        },
        transform: jsonSchemaTransform,
        transformObject: jsonSchemaTransformObject,
      }),
  });
  await app.ready();
  const document = app.swagger();
  await close();
  return withoutUnused(document as unknown as Document);
}

interface Document {
  readonly components?: { readonly schemas?: Readonly<Record<string, object>> };
}

/** Each schema is made once as what is sent and once as what is taken; those that no route names are left out. */
function withoutUnused(document: Document): Document {
  const schemas = document.components?.schemas ?? {};
  const used = new Set<string>();
  const { components: _, ...routes } = document;
  const look = (value: object): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || used.has(name)) continue;
      used.add(name);
      look(schemas[name] ?? {});
    }
  };
  look(routes);
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  const text = JSON.stringify({ ...document, components: { ...document.components, schemas: kept } });
  // The plugin knows one type of content for all answers.
  const problems = text.replaceAll(
    /"application\/json":(\{"schema":\{"\$ref":"#\/components\/schemas\/Problem"\}\})/g,
    `"${PROBLEM_TYPE}":$1`,
  );
  return JSON.parse(problems) as Document;
}
