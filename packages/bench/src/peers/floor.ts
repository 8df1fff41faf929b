import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { bareEnvironment } from './environment.ts';

/** The least a supervisor in C can do: floor/floor.c. Ratios are to this one. */
export const floor: Peer = {
  name: 'floor',
  missing: async () => undefined,
  version: async () => 'floor.c',
  async prepare({ dir, workers, grace, programs }) {
    const config = join(dir, 'floor.conf');
    await writeFile(
      config,
      [`grace ${grace}`, ...workers.map((argv) => `worker ${argv.join(' ')}`), ''].join('\n'),
    );
    return {
      argv: [programs.floor, config],
      env: bareEnvironment(dir),
      cwd: dir,
      stop: 'SIGTERM',
      background: false,
    };
  },
};
