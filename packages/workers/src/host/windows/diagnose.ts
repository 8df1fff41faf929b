import { win32 } from 'node:path';
import type { ErrorCode } from '@hsu-master/core';
import type { WindowsFailure } from '@hsu-master/native';
import { type Attempt, brokenComponent, type Diagnosis, opening, suggestion } from '../diagnose.ts';
import type { Environment } from '../environment.ts';
import { inspectProgram } from '../program-file.ts';

/** Characters of one variable, name and all, that Windows documents as the most. */
const LONGEST_VARIABLE = 32_767;

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'E_EXEC_NOT_FOUND',
  EACCES: 'E_EXEC_PERMISSION',
  EPERM: 'E_EXEC_PERMISSION',
  ENOEXEC: 'E_EXEC_FORMAT',
  E2BIG: 'E_EXEC_TOO_BIG',
  ENOTDIR: 'E_CWD',
  ENOMEM: 'E_RESOURCES',
  EAGAIN: 'E_RESOURCES',
  EMFILE: 'E_RESOURCES',
};
const PASSING: ReadonlySet<string> = new Set(['ENOMEM', 'EAGAIN', 'EMFILE', 'EBUSY']);

/** Why a process could not be made. */
export function diagnoseForWindows(attempt: Attempt, failure: WindowsFailure): Diagnosis {
  const { step, code, call, error, meaning } = failure;
  const told =
    meaning === null
      ? `${call} answers ${code} (Windows error ${error})`
      : `${meaning} (${code}, Windows error ${error})`;
  const why = code === 'ENOEXEC' ? whyNotRunnable(attempt.file, told) : `: ${told}`;
  const known = step === 'create' ? CODES[code] : undefined;
  const message = `${opening(attempt)}: ${attempt.file}${why}`;
  return { failure: { code: known ?? 'E_SPAWN', message }, transient: PASSING.has(code) };
}

/** Why a working directory cannot be one. */
export function whyNoDirectory(cwd: string): string {
  return brokenComponent(cwd, win32) ?? `${cwd} cannot be entered`;
}

/** Of a path that holds no program. */
export function whyNoProgram(path: string): readonly [ErrorCode, string] {
  if (inspectProgram(path).kind === 'directory') return ['E_EXEC_PERMISSION', `${path} is a directory`];
  const broken = brokenComponent(win32.dirname(path), win32);
  const near = suggestion(win32.basename(path), [win32.dirname(path)]);
  return ['E_EXEC_NOT_FOUND', `no such file ${path}${broken === null ? near : `: ${broken}`}`];
}

/** What of an environment Windows does not take; null: nothing. */
export function tooBigFor(environment: Environment): string | null {
  const found = Object.entries(environment).find(
    ([name, value]) => name.length + 1 + value.length > LONGEST_VARIABLE,
  );
  if (found === undefined) return null;
  const [name, value] = found;
  return `variable ${name} has ${value.length} characters; Windows takes ${LONGEST_VARIABLE} with its name`;
}

function whyNotRunnable(path: string, told: string): string {
  const program = inspectProgram(path);
  switch (program.kind) {
    case 'empty':
      return ' is empty';
    case 'elf':
      return ' is a program for Linux';
    case 'foreign':
      if (program.system !== 'Windows') return ` is a program for ${program.system}`;
      return program.architecture === process.arch
        ? ` is damaged: ${told}`
        : ` is built for ${program.architecture}, this machine is ${process.arch}`;
    default:
      return ` is no program: ${told}`;
  }
}
