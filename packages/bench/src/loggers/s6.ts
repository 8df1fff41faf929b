import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lackOfPackage } from '../peers/debian.ts';
import { s6 as peer } from '../peers/s6.ts';
import type { Logger } from './logger.ts';

/** An s6-log for each worker. */
export const s6: Logger = {
  name: 's6-log',
  peer: 's6',
  stamps: 'as asked',
  missing: () => lackOfPackage('s6-log', 's6'),
  version: () => peer.version(),
  async prepare({ dir, logs, workers, stamped, rotateAt, keep, containment, programs }) {
    const given = { dir, workers, grace: 10_000, loggers: false, containment, sampled: false, programs };
    const prepared = await peer.prepare(given);
    for (const index of workers.keys()) {
      const log = join(dir, 'scan', `w${index}`, 'log');
      await mkdir(log);
      const script = `n${keep} s${rotateAt} ${stamped ? 'T ' : ''}${join(logs, `w${index}`)}`;
      await writeFile(join(log, 'run'), `#!/bin/sh\nexec s6-log ${script}\n`, { mode: 0o755 });
    }
    return prepared;
  },
};
