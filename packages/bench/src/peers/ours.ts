import { access, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { places } from '../places.ts';
import { bareEnvironment } from './environment.ts';

export const launcher = join(places.joined, 'bin/hsu-master.js');

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

interface Bundler {
  bundle(folder: string): Promise<void>;
}

/** Lays the launcher out as its package is packed: the program joined into few files. */
async function pack(): Promise<void> {
  const { bundle } = (await import(places.bundler)) as Bundler;
  await rm(places.joined, { recursive: true, force: true });
  await mkdir(places.joined, { recursive: true });
  for (const part of ['bin', 'package.json']) {
    await cp(join(places.launcher, part), join(places.joined, part), { recursive: true });
  }
  await bundle(join(places.joined, 'bundle'));
  // The bundle finds the addon where the package itself would.
  await symlink(join(places.launcher, 'node_modules'), join(places.joined, 'node_modules'));
}

/** The launcher of this workspace as it is packed, on the Node that runs the bench; logs as by default. */
export const ours: Peer = {
  name: 'ours',
  async missing() {
    const built = await isThere(join(places.launcher, 'dist/main.js'));
    // Without its addon it would run, in another way than users get it.
    if (built && (await isThere(places.addon))) return undefined;
    return { what: 'the launcher or the addon is not built: pnpm build' };
  },
  makeReady: pack,
  async version() {
    const manifest = await readFile(join(places.launcher, 'package.json'), 'utf8');
    return /"version": "([^"]+)"/.exec(manifest)?.[1] ?? 'unknown';
  },
  async prepare({ dir, workers, grace, containment, sampled }) {
    const config = join(dir, 'config.yaml');
    // No bound on restarts: the breaker would open under 50 kills a minute.
    const control = [
      `stop_timeout: ${grace / 1000}s`,
      'restart: { retry_delay: 0s, max_retries: 0 }',
      ...(sampled
        ? ['limits: { memory: { max_rss: 512MiB, policy: log }, monitoring: { interval: 1s } }']
        : []),
    ];
    const units = workers.map((argv, index) =>
      [
        `  - id: w${index}`,
        `    command: ${JSON.stringify(argv)}`,
        ...control.map((line) => `    ${line}`),
      ].join('\n'),
    );
    await writeFile(config, `workers:\n${units.join('\n')}\n`);
    return {
      argv: [process.execPath, launcher, 'run', config, '--containment', containment],
      env: bareEnvironment(dir, { HSU_HOME: join(dir, 'home') }),
      cwd: dir,
      stop: 'SIGTERM',
      background: false,
      // The groups of its workers.
      tidiesUp: true,
    };
  },
};
