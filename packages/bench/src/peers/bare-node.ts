import type { Peer } from '../peer.ts';
import { bareEnvironment } from './environment.ts';

/** Node itself, supervising nothing: what a program in Node cannot get below. Only its memory is of interest. */
export const bareNode: Peer = {
  name: 'bare node',
  missing: async () => undefined,
  version: async () => process.version,
  prepare: async ({ dir }) => ({
    argv: [process.execPath, '-e', 'setInterval(() => {}, 1e6)'],
    env: bareEnvironment(dir),
    cwd: dir,
    stop: 'SIGTERM',
    background: false,
  }),
};
