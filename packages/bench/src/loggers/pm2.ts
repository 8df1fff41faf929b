import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pm2 as peer } from '../peers/pm2.ts';
import type { Logger } from './logger.ts';

/** It does not rotate by itself; its module for that copies the files. */
export const pm2: Logger = {
  name: 'pm2, no rotation',
  peer: 'pm2',
  stamps: 'as asked',
  missing: () => peer.missing(),
  version: () => peer.version(),
  async prepare({ dir, logs, workers, stamped, containment, programs }) {
    const given = { dir, workers, grace: 10_000, loggers: false, containment, sampled: false, programs };
    const prepared = await peer.prepare(given);
    const apps = workers.map(([script, ...args], index) => ({
      name: `w${index}`,
      script,
      args,
      interpreter: 'none',
      exec_mode: 'fork',
      max_restarts: 1_000_000,
      vizion: false,
      pmx: false,
      out_file: join(logs, `w${index}.log`),
      error_file: join(logs, `w${index}-error.log`),
      ...(stamped ? { time: true } : {}),
    }));
    await writeFile(join(dir, 'ecosystem.config.cjs'), `module.exports = ${JSON.stringify({ apps })};\n`);
    return prepared;
  },
};
