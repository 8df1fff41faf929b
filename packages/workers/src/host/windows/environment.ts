import { statSync } from 'node:fs';
import { win32 } from 'node:path';
import type { Command, WorkerId } from '@hsu-master/core';
import type { Environment } from '../environment.ts';

/** Without these two programs cannot even load the libraries of the system. */
const INDISPENSABLE = ['SystemRoot', 'windir'] as const;
const DEFAULT_EXTENSIONS = '.COM;.EXE;.BAT;.CMD';

/** Names are the same whatever their case; what comes later counts. */
export function mergeVariables(
  ...parts: readonly Readonly<Record<string, string | undefined>>[]
): Environment {
  const merged = new Map<string, readonly [string, string]>();
  for (const part of parts)
    for (const [name, value] of Object.entries(part))
      if (value !== undefined) merged.set(name.toUpperCase(), [name, value]);
  return Object.fromEntries(merged.values());
}

/** The whole environment of a new process. */
export function windowsEnvironment(
  inherited: Environment,
  command: Command,
  mark: string,
  workerId: WorkerId | null,
): Environment {
  const kept = INDISPENSABLE.map((name) => [name, variable(inherited, name)]);
  const own = { HSU_RUN: mark, ...(workerId === null ? {} : { HSU_WORKER: workerId }) };
  return mergeVariables(inherited, Object.fromEntries(kept), command.env, own);
}

/** As CreateProcess wants it: sorted by name, letters without their case. */
export function environmentBlock(environment: Environment): readonly string[] {
  return Object.entries(environment)
    .map(([name, value]) => [name.toUpperCase(), `${name}=${value}`] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, entry]) => entry);
}

export function variable(environment: Environment, name: string): string | undefined {
  const wanted = name.toUpperCase();
  return Object.entries(environment).find(([one]) => one.toUpperCase() === wanted)?.[1];
}

/** Where a program name leads. */
export type WindowsProgram =
  | { readonly kind: 'program'; readonly file: string }
  /** cmd.exe runs it. */
  | { readonly kind: 'batch'; readonly file: string }
  /** There, but nothing that can be started by itself. */
  | { readonly kind: 'not-a-program'; readonly file: string }
  | { readonly kind: 'nowhere'; readonly directories: readonly string[] };

/**
 * Finds the program as cmd.exe would, but never in the working directory: a name with a separator is a path relative to that, another is
 * looked up in PATH, with each of the extensions of PATHEXT where it has none of them.
 */
export function findWindowsProgram(
  name: string,
  cwd: string,
  environment: Environment,
  isFile: (path: string) => boolean = isThere,
): WindowsProgram {
  const extensions = (variable(environment, 'PATHEXT') ?? DEFAULT_EXTENSIONS).split(';').filter(Boolean);
  const isPath = /[\\/:]/.test(name);
  const directories = isPath
    ? [win32.resolve(cwd)]
    : (variable(environment, 'PATH') ?? '')
        .split(';')
        .map((entry) => entry.replaceAll('"', '').trim())
        .filter((entry) => win32.isAbsolute(entry));
  const has = win32.extname(name) !== '';
  const names = has ? ['', ...extensions] : [...extensions, ''];
  for (const directory of directories) {
    const base = win32.resolve(directory, name);
    const found = names.map((extension) => base + extension).find((path) => isFile(path));
    if (found !== undefined) return { kind: kindOf(found), file: found };
  }
  return { kind: 'nowhere', directories };
}

function kindOf(file: string): 'program' | 'batch' | 'not-a-program' {
  switch (win32.extname(file).toLowerCase()) {
    case '.cmd':
    case '.bat':
      return 'batch';
    case '.exe':
    case '.com':
    case '':
      return 'program';
    default:
      return 'not-a-program';
  }
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}
