import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';
import type { Lack } from './peer.ts';

/** What is measured and comes from npm: a folder with its manifests, and where the bench installs it. */
export interface FromNpm {
  readonly manifests: string;
  readonly folder: string;
}

async function isInstalled({ manifests, folder }: FromNpm, names: readonly string[]): Promise<boolean> {
  const [wanted, there] = await Promise.all(
    [manifests, folder].map((dir) => readFile(join(dir, 'package-lock.json'), 'utf8').catch(() => '')),
  );
  const packages = await readdir(join(folder, 'node_modules')).catch((): string[] => []);
  return wanted === there && names.every((name) => packages.includes(name));
}

/** As package-lock.json pins it; all that is beside the manifests is copied as well. */
async function install({ manifests, folder }: FromNpm): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(manifests)) await copyFile(join(manifests, name), join(folder, name));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await run(['npm', 'ci', '--ignore-scripts', '--omit=optional', ...quiet], { cwd: folder });
}

/** Undefined where these packages are installed. */
export async function lackOfNpm(place: FromNpm, names: readonly string[]): Promise<Lack | undefined> {
  if (await isInstalled(place, names)) return undefined;
  return {
    what: `${names.join(' and ')}: not installed in packages/bench/build`,
    supply: () => install(place),
  };
}

/** The version of a package that the manifest pins. */
export async function pinnedVersion({ manifests }: FromNpm, name: string): Promise<string> {
  const manifest = await readFile(join(manifests, 'package.json'), 'utf8');
  return new RegExp(`"${name}": "([^"]+)"`).exec(manifest)?.[1] ?? 'unknown';
}
