import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../command.ts';
import type { Peer } from '../peer.ts';
import { lackOfPackage } from './debian.ts';
import { bareEnvironment } from './environment.ts';

/** Logs as by default: a file per stream, with rotation. */
export const supervisord: Peer = {
  name: 'supervisord',
  missing: () => lackOfPackage('supervisord', 'supervisor'),
  version: async () => (await run(['supervisord', '--version'])).trim(),
  async prepare({ dir, workers, grace }) {
    const logs = join(dir, 'logs');
    await mkdir(logs);
    const lines = [
      '[supervisord]',
      'nodaemon=true',
      `logfile=${join(dir, 'supervisord.log')}`,
      `pidfile=${join(dir, 'supervisord.pid')}`,
      `childlogdir=${logs}`,
      // Two pipes per worker. No more than that: it closes this many descriptors in each new child.
      `minfds=${Math.max(1024, workers.length * 2 + 100)}`,
      ...(process.getuid?.() === 0 ? ['user=root'] : []),
      ...workers.flatMap((argv, index) => [
        `[program:w${index}]`,
        `command=${argv.join(' ')}`,
        'startsecs=0',
        'autorestart=true',
        `stopwaitsecs=${grace / 1000}`,
        'stopasgroup=true',
        'killasgroup=true',
      ]),
      '',
    ];
    const config = join(dir, 'supervisord.conf');
    await writeFile(config, lines.join('\n'));
    return {
      argv: ['supervisord', '--configuration', config],
      env: bareEnvironment(dir),
      cwd: dir,
      stop: 'SIGTERM',
      background: false,
    };
  },
};
