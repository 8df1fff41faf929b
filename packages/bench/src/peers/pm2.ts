import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lackOfNpm, pinnedVersion } from '../npm.ts';
import type { Peer } from '../peer.ts';
import { places } from '../places.ts';
import { bareEnvironment } from './environment.ts';

export const pm2Program = join(places.pm2, 'node_modules/pm2/bin/pm2');

const installed = { manifests: places.pm2Manifest, folder: places.pm2 };

/** Its daemon on the Node that runs the bench, with a PM2_HOME of its own; logs as by default. */
export const pm2: Peer = {
  name: 'pm2',
  missing: () => lackOfNpm(installed, ['pm2']),
  version: () => pinnedVersion(installed, 'pm2'),
  async prepare({ dir, workers, grace }) {
    const apps = workers.map(([script, ...args], index) => ({
      name: `w${index}`,
      script,
      args,
      interpreter: 'none',
      exec_mode: 'fork',
      autorestart: true,
      // Else it gives up after 16 restarts of a worker that ran less than a second.
      max_restarts: 1_000_000,
      kill_timeout: grace,
      vizion: false,
      pmx: false,
    }));
    const config = join(dir, 'ecosystem.config.cjs');
    await writeFile(config, `module.exports = ${JSON.stringify({ apps })};\n`);
    return {
      argv: [process.execPath, pm2Program, 'start', config],
      env: bareEnvironment(dir, { PM2_HOME: join(dir, 'pm2'), PM2_DISABLE_VERSION_CHECK: 'true' }),
      cwd: dir,
      stop: [process.execPath, pm2Program, 'kill'],
      background: true,
    };
  },
};
