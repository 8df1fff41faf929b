import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync } from 'node:fs';
import type { LaunchOptions, Stage } from './drive.ts';

export const NOBODY = 65534;

/** Makes the stage usable for nobody; says why not where this clone or its Node may not be read by others. */
export function unsuitableForNobody(stage: Stage): string | null {
  chmodSync(stage.folder, 0o755);
  chownSync(stage.home, NOBODY, NOBODY);
  const { status } = spawnSync(process.execPath, [stage.bin, 'version'], {
    uid: NOBODY,
    gid: NOBODY,
    cwd: '/',
  });
  return status === 0 ? null : 'user nobody may not read this clone';
}

/** Options that launch something as an ordinary user, whoever runs the tests. */
export function ordinary(stage: Stage, skip: (reason: string) => void): LaunchOptions {
  if (process.getuid?.() !== 0) return {};
  const unsuitable = unsuitableForNobody(stage);
  if (unsuitable !== null) skip(unsuitable);
  return { uid: NOBODY, gid: NOBODY };
}
