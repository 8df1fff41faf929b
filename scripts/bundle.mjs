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
    // yaml is loaded only for files beyond the common form, and what answers over HTTP and gRPC only when somebody asks. They are found from the
    // bundle because hsu-master depends on them.
    external: [/^node:/, 'yaml', '@hsu-master/api', '@hsu-master/server-grpc'],
    plugins: [addonFromItsPackage, builtinsAsTheyAre],
  });
  // Without comments and blanks there is half as much to read at each start. Names stay: a defect's stack shows them.
  const minify = { compress: true, mangle: false, codegen: true };
  await build.write({
    dir: folder,
    format: 'esm',
    chunkFileNames: '[name].js',
    minify,
    // To find and open another file takes longer than to read over what a command does not need.
    codeSplitting: { groups: [{ name: 'asking', test: ASKING }] },
  });
  await build.close();
}

const packed = join(root, 'packages', 'hsu-master', 'bundle');

/**
 * In CI tests run the launcher as it is packed: it goes before the compiled files, and loading these takes a third of such tests. Whoever
 * works on the tree runs what was compiled last.
 * @returns {Promise<() => void>} takes it away again
 */
export async function bundleInCi() {
  if (!process.env.CI) return () => {};
  await bundle(packed);
  return () => rmSync(packed, { recursive: true, force: true });
}

/** What commands that ask a master are made of. */
const ASKING =
  /packages\/(?:cli\/dist|api\/dist\/client|hsu-master\/dist\/(?:ask|find-master|place-of-master|places|socket-name|terminal-colour|version)\.js)/;

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

const BUILTIN = /^import\s+(?:(\w+)\s*,?\s*)?(?:\{([^}]*)\}\s*)?from\s*['"](node:[\w/]+)['"];?/gm;

/**
 * To import a module of Node evaluates whatever it exports, also what is there only when it is asked for: with node:http that is a
 * WebSocket client. A tenth of what `ls` takes goes into that.
 */
const builtinsAsTheyAre = {
  name: 'builtins-as-they-are',
  transform(code) {
    return code.replace(BUILTIN, (_statement, whole, names, module) => {
      const taken = `globalThis.process.getBuiltinModule('${module}')`;
      const parts = names === undefined ? [] : [`{${names.replace(/\bas\b/g, ':')}}`];
      if (whole !== undefined) parts.unshift(whole);
      return parts.map((part) => `const ${part} = ${taken};`).join(' ');
    });
  },
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv.includes('--remove')) rmSync(packed, { recursive: true, force: true });
  else await bundle(packed);
}
