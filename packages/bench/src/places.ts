import { fileURLToPath } from 'node:url';

const fromPackage = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Folders and files of the bench and of what it measures. */
export const places = {
  sources: fromPackage('floor'),
  /** Not committed: programs compiled by the bench. */
  programs: fromPackage('build/floor'),
  pm2Manifest: fromPackage('pm2'),
  /** Not committed: pm2, installed by the bench. */
  pm2: fromPackage('build/pm2'),
  samplers: fromPackage('samplers'),
  /** Not committed: the samplers, installed by the bench. */
  installedSamplers: fromPackage('build/samplers'),
  spawner: fromPackage('dist/spawner.js'),
  holder: fromPackage('dist/holder.js'),
  adopter: fromPackage('dist/adopter.js'),
  tabler: fromPackage('dist/tabler.js'),
  embedder: fromPackage('dist/embedder.js'),
  library: fromPackage('../hsu-master/dist/index.js'),
  workers: fromPackage('../workers/dist/index.js'),
  native: fromPackage('../native/dist/index.js'),
  api: fromPackage('../api/package.json'),
  grpcServer: fromPackage('../server-grpc/package.json'),
  launcher: fromPackage('../hsu-master'),
  addon: fromPackage('../../native/linux/build/Release/hsu_native.node'),
  bundler: fromPackage('../../scripts/bundle.mjs'),
  /** Not committed: the launcher as it is packed. */
  joined: fromPackage('build/launcher'),
} as const;
