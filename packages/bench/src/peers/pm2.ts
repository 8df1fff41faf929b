import { access, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../command.ts';
import type { Peer } from '../peer.ts';
import { places } from '../places.ts';
import { bareEnvironment } from './environment.ts';

const MANIFESTS = ['package.json', 'package-lock.json'];
const bin = join(places.pm2, 'node_modules/pm2/bin/pm2');

/** From npm into a folder of the bench, as pm2/package-lock.json pins it. */
async function install(): Promise<void> {
  await mkdir(places.pm2, { recursive: true });
  for (const name of MANIFESTS) await copyFile(join(places.pm2Manifest, name), join(places.pm2, name));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await run(['npm', 'ci', '--ignore-scripts', '--omit=optional', ...quiet], { cwd: places.pm2 });
}

async function isInstalled(): Promise<boolean> {
  const [wanted, there] = await Promise.all(
    [places.pm2Manifest, places.pm2].map((dir) =>
      readFile(join(dir, 'package-lock.json'), 'utf8').catch(() => ''),
    ),
  );
  const runs = access(bin).then(
    () => true,
    () => false,
  );
  return wanted === there && (await runs);
}

/** Its daemon on the Node that runs the bench, with a PM2_HOME of its own; logs as by default. */
export const pm2: Peer = {
  name: 'pm2',
  missing: async () =>
    (await isInstalled())
      ? undefined
      : { what: 'pm2 is not installed in packages/bench/build', supply: install },
  async version() {
    const manifest: unknown = JSON.parse(await readFile(join(places.pm2Manifest, 'package.json'), 'utf8'));
    const pinned = /"pm2":"([^"]+)"/.exec(JSON.stringify(manifest));
    return pinned?.[1] ?? 'unknown';
  },
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
      argv: [process.execPath, bin, 'start', config],
      env: bareEnvironment(dir, { PM2_HOME: join(dir, 'pm2'), PM2_DISABLE_VERSION_CHECK: 'true' }),
      cwd: dir,
      stop: [process.execPath, bin, 'kill'],
      background: true,
    };
  },
};
