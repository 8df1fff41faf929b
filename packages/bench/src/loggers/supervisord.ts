import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { supervisord as peer } from '../peers/supervisord.ts';
import type { Logger } from './logger.ts';

/** It stamps no lines of workers. */
export const supervisord: Logger = {
  name: 'supervisord',
  peer: 'supervisord',
  stamps: 'never',
  missing: () => peer.missing(),
  version: () => peer.version(),
  async prepare({ dir, logs, workers, rotateAt, keep, containment, programs }) {
    const given = { dir, workers, grace: 10_000, loggers: false, containment, sampled: false, programs };
    const prepared = await peer.prepare(given);
    const config = join(dir, 'supervisord.conf');
    const text = await readFile(config, 'utf8');
    const rotation = [`stdout_logfile_maxbytes=${rotateAt}`, `stdout_logfile_backups=${keep}`];
    const more = (name: string) => [`[program:${name}]`, `stdout_logfile=${logs}/${name}.log`, ...rotation];
    await writeFile(
      config,
      text.replace(/^\[program:(\w+)\]$/gm, (_, name: string) => more(name).join('\n')),
    );
    await appendFile(config, '\n');
    return prepared;
  },
};
