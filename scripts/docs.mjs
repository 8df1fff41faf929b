// Writes the generated pages of docs/ from what the built packages say about themselves.
// With --check nothing is written: a page that differs is named, and the exit code is 1.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { recorded } from './prebuilt/verified.mjs';
import { shown } from './shown.mjs';
import { step } from './step.mjs';
import { environment, program, root } from './tree.mjs';

/**
 * One entry per page: a built module and the name of its function that returns the page's text.
 * `given`: what it is told beside that.
 * @type {{page: string, module: string, generator: string, given?: unknown}[]}
 */
const pages = [
  { page: 'docs/errors.md', module: 'packages/hsu-master/dist/pages.js', generator: 'errorsPage' },
  { page: 'docs/events.md', module: 'packages/hsu-master/dist/pages.js', generator: 'eventsPage' },
  { page: 'docs/cli.md', module: 'packages/hsu-master/dist/pages.js', generator: 'cliPage' },
  { page: 'docs/api.md', module: 'packages/api/dist/docs.js', generator: 'apiPage' },
  { page: 'docs/openapi.json', module: 'packages/api/dist/docs.js', generator: 'openApiText' },
  { page: 'docs/grpc.md', module: 'packages/server-grpc/dist/docs.js', generator: 'grpcPage' },
  {
    page: 'packages/server-grpc/src/messages.ts',
    module: 'packages/server-grpc/dist/docs.js',
    generator: 'messageTypes',
  },
  { page: 'docs/config.schema.json', module: 'packages/config/dist/docs.js', generator: 'configSchemaText' },
  // The one that editors find beside the installed package.
  {
    page: 'packages/config/config.schema.json',
    module: 'packages/config/dist/docs.js',
    generator: 'configSchemaText',
  },
  {
    page: 'docs/platforms.md',
    module: 'packages/hsu-master/dist/pages.js',
    generator: 'platformsPage',
    given: { suites: shown(), verified: recorded() },
  },
  { page: 'docs/config.md', module: 'packages/config/dist/docs.js', generator: 'configDocs' },
];

const check = process.argv.includes('--check');
const tsc = [...program('@typescript/native', 'tsc'), '-b'];
await step('compiling TypeScript', tsc, { env: environment(), quiet: true });

const stale = [];
for (const { page, module, generator, given } of pages) {
  const generate = (await import(pathToFileURL(join(root, module)).href))[generator];
  const text = await generate(given);
  const file = join(root, page);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  stale.push(page);
  if (check) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

if (!check) process.stdout.write(`${pages.length} pages, ${stale.length} rewritten\n`);
else if (stale.length > 0) {
  process.stderr.write(`not current: ${stale.join(', ')}. Run: npm run docs\n`);
  process.exit(1);
}
