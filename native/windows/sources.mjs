// The sources of the addon, one on a line, for binding.gyp.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const found = ['src', '../shared/hsu/pump'].flatMap((folder) =>
  readdirSync(join(here, folder), { recursive: true }).map(
    (name) => `${folder}/${name.replaceAll('\\', '/')}`,
  ),
);
const sources = [...found.filter((name) => name.endsWith('.cc')), '../shared/hsu/glue/pump_object.cc'];
process.stdout.write(`${sources.sort().join('\n')}\n`);
