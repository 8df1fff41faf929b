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
    // yaml is loaded only for files beyond the common form, and found from the bundle because hsu-master depends on it as well.
    external: [/^node:/, 'yaml'],
    plugins: [addonFromItsPackage],
  });
  // Without comments and blanks there is half as much to read at each start. Names stay: a defect's stack shows them.
  const minify = { compress: true, mangle: false, codegen: true };
  await build.write({ dir: folder, format: 'esm', chunkFileNames: '[name].js', minify });
  await build.close();
}

const HERE = 'createRequire(import.meta.url)';

/** The addon's loader looks for the addon's package from where it is itself, and that one depends on it; the bundle does not. */
const addonFromItsPackage = {
  name: 'addon-from-its-package',
  transform(code, id) {
    if (!id.endsWith(join('native', 'dist', 'load.js'))) return null;
    if (!code.includes(HERE)) throw new Error(`${id} no longer has ${HERE}, which the bundle replaces`);
    return code.replace(HERE, "createRequire(import.meta.resolve('@hsu-master/native'))");
  },
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = join(root, 'packages', 'hsu-master', 'bundle');
  if (process.argv.includes('--remove')) rmSync(folder, { recursive: true, force: true });
  else await bundle(folder);
}
