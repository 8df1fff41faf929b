import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lackOfPackage } from '../peers/debian.ts';
import { runit as peer } from '../peers/runit.ts';
import type { Logger } from './logger.ts';

/** An svlogd for each worker. */
export const runit: Logger = {
  name: 'svlogd',
  peer: 'runit',
  stamps: 'as asked',
  missing: () => lackOfPackage('svlogd', 'runit'),
  version: () => peer.version(),
  async prepare({ dir, logs, workers, stamped, rotateAt, keep, containment, programs }) {
    const given = { dir, workers, grace: 10_000, loggers: false, containment, sampled: false, programs };
    const prepared = await peer.prepare(given);
    for (const index of workers.keys()) {
      const service = join(dir, 'services', `w${index}`, 'log');
      const log = join(logs, `w${index}`);
      await mkdir(service);
      await mkdir(log);
      await writeFile(join(log, 'config'), `s${rotateAt}\nn${keep}\n`);
      const command = `exec svlogd ${stamped ? '-tt ' : ''}${log}`;
      await writeFile(join(service, 'run'), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    }
    return prepared;
  },
};
