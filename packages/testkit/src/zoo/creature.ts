import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CREATURE_SOURCE } from './creature-source.ts';

/**
 * Path of the compiled creature. The first call on a machine compiles it with `cc`, into the folder that HSU_ZOO names:
 * one that a machine without a compiler can be given.
 */
export function creaturePath(): string {
  // There it is compiled beforehand: see windows/creature.c.
  if (process.platform === 'win32') return join(process.env.HSU_ZOO ?? '.', 'creature.exe');
  const version = createHash('sha256').update(CREATURE_SOURCE).digest('hex').slice(0, 16);
  const folder = process.env.HSU_ZOO ?? join(tmpdir(), `hsu-zoo-${userInfo().uid}`);
  const program = join(folder, `creature-${version}`);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const workshop = mkdtempSync(join(folder, 'build-'));
  writeFileSync(join(workshop, 'creature.c'), CREATURE_SOURCE);
  compile(workshop);
  // By rename, so that a test run beside this one never executes half a program.
  renameSync(join(workshop, 'creature'), program);
  return program;
}

/** Without libraries to load where that can be had: it starts sooner and holds less memory. */
function compile(workshop: string): void {
  const command = ['-O1', '-o', 'creature', 'creature.c'];
  try {
    execFileSync('cc', ['-static', ...command], { cwd: workshop, stdio: 'pipe' });
  } catch {
    execFileSync('cc', command, { cwd: workshop, stdio: 'pipe' });
  }
}

/** The command line of a creature that does what the words say; see `CREATURE_SOURCE` for them. */
export function creature(...words: readonly string[]): readonly [string, ...string[]] {
  return [creaturePath(), ...words];
}
