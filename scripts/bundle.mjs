// Joins the launcher's program and our packages into few files, because loading a hundred small ones takes longer than starting
// a hundred workers. Done while a package is packed, and for the bench; the workspace itself runs the compiled packages.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { root } from './tree.mjs';

/** Writes `main.js` and its chunks into the folder; needs the compiled packages. */
export async function bundle(folder) {
  const build = await rolldown({
    input: { main: join(root, 'packages', 'hsu-master', 'dist', 'main.js') },
    platform: 'node',
    // The addon's loader looks beside itself; yaml is loaded only for files beyond the common form, and found from the bundle
    // because hsu-master depends on it as well.
    external: [/^node:/, '@hsu-master/native', 'yaml'],
  });
  await build.write({ dir: folder, format: 'esm', chunkFileNames: '[name].js' });
  await build.close();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = join(root, 'packages', 'hsu-master', 'bundle');
  if (process.argv.includes('--remove')) rmSync(folder, { recursive: true, force: true });
  else await bundle(folder);
}
