import { win32 } from 'node:path';
import type { ErrorCode } from '@hsu-master/core';
import { batchCommandLine, commandLine } from '@hsu-master/native';
import { type Attempt, type Diagnosis, notInPath, opening } from '../diagnose.ts';
import { type Environment, statQuietly } from '../environment.ts';
import type { Launch } from '../prepare.ts';
import { tooBigFor, whyNoDirectory, whyNoProgram } from './diagnose.ts';
import {
  environmentBlock,
  findWindowsProgram,
  variable,
  type WindowsProgram,
  windowsEnvironment,
} from './environment.ts';

/** A launch with nothing left to look up. */
export interface PreparedForWindows {
  readonly ok: true;
  readonly attempt: Attempt;
  readonly application: string;
  readonly commandLine: string;
  readonly environment: readonly string[];
  readonly cwd: string;
}

export type WindowsPreparation = PreparedForWindows | { readonly ok: false; readonly diagnosis: Diagnosis };

/** From here on a path takes the prefix that lifts the limit of 260 characters. */
const LONG_PATH = 248;
/** CreateProcess takes no longer directory, with or without a prefix. */
const MOST_OF_DIRECTORY = 258;

/** Resolves environment, program and quoting, before anything is started. */
export function prepareForWindows(launch: Launch, inherited: Environment): WindowsPreparation {
  const { command, mark, workerId } = launch;
  const [name, ...words] = command.argv;
  const env = windowsEnvironment(inherited, command, mark, workerId);
  const cwd = win32.resolve(command.cwd);
  const attemptOf = (file: string): Attempt => ({
    subject: workerId === null ? null : `worker "${workerId}"`,
    command,
    file,
    env,
    user: null,
  });
  const refuse = (code: ErrorCode, why: string): WindowsPreparation => {
    const message = `${opening(attemptOf(name))}: ${why}`;
    return { ok: false, diagnosis: { failure: { code, message }, transient: false } };
  };
  const unsupported = unsupportedOf(launch);
  if (unsupported !== null) return refuse('E_UNSUPPORTED', `${unsupported} cannot be had on Windows`);
  if (cwd.length > MOST_OF_DIRECTORY)
    return refuse('E_CWD', `its working directory has ${cwd.length} characters, and Windows takes 258`);
  if (statQuietly(cwd)?.isDirectory() !== true)
    return refuse('E_CWD', `working directory ${JSON.stringify(cwd)}: ${whyNoDirectory(cwd)}`);
  const tooBig = tooBigFor(env);
  if (tooBig !== null) return refuse('E_EXEC_TOO_BIG', tooBig);
  const found = findWindowsProgram(name, cwd, env);
  if (found.kind === 'nowhere') {
    const isPath = /[\\/:]/.test(name);
    if (isPath) return refuse(...whyNoProgram(win32.resolve(cwd, name)));
    return { ok: false, diagnosis: notInPath(attemptOf(name), found.directories, win32.delimiter) };
  }
  if (found.kind === 'not-a-program') {
    const hint = 'name its interpreter as the program, and it as the first argument';
    return refuse('E_EXEC_FORMAT', `${found.file} is nothing that Windows can start; ${hint}`);
  }
  const line = lineOf(found, command.argv, words, env);
  if (!line.ok) return refuse(line.isTooLong ? 'E_EXEC_TOO_BIG' : 'E_SPAWN', line.reason);
  return {
    ok: true,
    attempt: attemptOf(found.file),
    application: longPath(line.application),
    commandLine: line.line,
    environment: environmentBlock(env),
    cwd,
  };
}

function unsupportedOf({ command, listens }: Launch): string | null {
  if (command.user !== null || command.group !== null || command.groups !== null)
    return 'another user or group';
  if (command.umask !== null) return 'a umask';
  return listens.length > 0 ? 'a socket that is handed over' : null;
}

function lineOf(
  found: Extract<WindowsProgram, { file: string }>,
  argv: readonly [string, ...string[]],
  words: readonly string[],
  env: Environment,
) {
  if (found.kind === 'program') return { ...commandLine(argv), application: found.file };
  const shell =
    variable(env, 'ComSpec') ??
    win32.join(variable(env, 'SystemRoot') ?? 'C:\\Windows', 'System32', 'cmd.exe');
  return { ...batchCommandLine(shell, found.file, words), application: shell };
}

function longPath(path: string): string {
  if (path.length < LONG_PATH || path.startsWith('\\\\?\\')) return path;
  return path.startsWith('\\\\') ? `\\\\?\\UNC\\${path.slice(2)}` : `\\\\?\\${path}`;
}
