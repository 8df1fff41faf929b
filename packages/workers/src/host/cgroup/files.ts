import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

/** The name of a system error, `EACCES`; `null`: it went well. */
export type Errno = string | null;

/** The text of a file; null where it is not there or not to be read. */
export function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch {
    return null;
  }
}

/** Writes in one system call, as the files of the kernel want it: neither made nor cut first. */
export function writeText(file: string, value: string): Errno {
  return attempt(() => writeFileSync(file, value, { flag: constants.O_WRONLY as unknown as string }));
}

export function makeDirectory(path: string): Errno {
  return attempt(() => mkdirSync(path));
}

export function removeDirectory(path: string): Errno {
  return attempt(() => rmdirSync(path));
}

/** Makes a directory, or finds one in which others can be made. */
export function takeDirectory(path: string): Errno {
  const refused = makeDirectory(path);
  return refused === 'EEXIST' ? attempt(() => accessSync(path, constants.W_OK)) : refused;
}

/** The numbers of a file with a `name value` in each line, such as cgroup.events. */
export function readNumbers(file: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const line of readText(file)?.split('\n') ?? []) {
    const [name, value] = line.split(' ');
    if (name !== undefined && value !== undefined) numbers.set(name, Number(value));
  }
  return numbers;
}

/** The process numbers of a cgroup.procs; empty where it is gone. Those of other pid namespaces are left out. */
export function readPids(file: string): number[] {
  const text = readText(file);
  if (text === null || text === '') return [];
  return text
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
}

function attempt(act: () => void): Errno {
  try {
    act();
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO';
  }
}
