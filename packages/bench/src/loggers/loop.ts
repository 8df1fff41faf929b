import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bareEnvironment } from '../peers/environment.ts';
import type { LogAssignment, Logger } from './logger.ts';

const prepare = (how: 'plain' | 'stamped') => async (assignment: LogAssignment) => {
  const { dir, logs, workers, programs } = assignment;
  const config = join(dir, 'logloop.conf');
  const lines = workers.map((argv, index) => [join(logs, `w${index}.log`), ...argv].join(' '));
  await writeFile(config, `${lines.join('\n')}\n`);
  return {
    argv: [programs.logloop, how, config],
    env: bareEnvironment(dir),
    cwd: dir,
    stop: 'SIGKILL' as const,
    background: false,
  };
};

/** epoll, read, write: floor/logloop.c. Ratios are to this one, which puts no time before lines where others do. */
export const loop: Logger = {
  name: 'floor',
  peer: 'floor',
  stamps: 'as asked',
  prepare: prepare('plain'),
};

export const stampedLoop: Logger = {
  name: 'C loop with stamps',
  peer: 'floor',
  stamps: 'always',
  prepare: prepare('stamped'),
};
