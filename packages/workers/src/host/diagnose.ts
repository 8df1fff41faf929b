import { readlinkSync, realpathSync, statSync } from 'node:fs';
import { type PlatformPath, posix } from 'node:path';
import type { Command, ErrorCode, Failure } from '@hsu-master/core';
import type { UserEntry } from './accounts.ts';
import { mayExecute, statQuietly } from './environment.ts';
import { describeLimits, descriptorsInUse, exhaustedSizes } from './exhaustion.ts';
import { nearestNames } from './nearest.ts';
import { inspectProgram } from './program-file.ts';

/** What a host tried to start. */
export interface Attempt {
  /** `worker "web"`: opens the message. null for helpers, whose owners name themselves. */
  readonly subject: string | null;
  readonly command: Command;
  /** What exec was given: absolute, or relative to the working directory. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** Who it runs as, where that is not the master’s user. */
  readonly user: UserEntry | null;
}

/** What the system answered. `step` is one of the addon’s steps, or `unknown` where the host cannot tell. */
export interface SystemAnswer {
  readonly step: string;
  /** The errno’s name, `ENOENT`. */
  readonly code: string;
  readonly call: string;
}

export interface Diagnosis {
  readonly failure: Failure;
  /** Whether the same attempt may succeed in a moment. */
  readonly transient: boolean;
}

type Finding = readonly [code: ErrorCode, what: string, transient?: boolean];

const SCARCE: ReadonlySet<string> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** Looks, after a failed start, for what the user can put right. Costs a few file accesses; never throws. */
export function diagnose(attempt: Attempt, answer: SystemAnswer): Diagnosis {
  const [code, what, transient = false] = find(attempt, answer);
  return { failure: { code, message: `${opening(attempt)}: ${what}` }, transient };
}

/** The failure of a program name that PATH does not hold. */
export function notInPath(
  attempt: Attempt,
  directories: readonly string[],
  delimiter: string = posix.delimiter,
): Diagnosis {
  const [name] = attempt.command.argv;
  const near = suggestion(name, directories);
  const what = `not found in PATH (${directories.join(delimiter)})${near}`;
  return { failure: { code: 'E_EXEC_NOT_FOUND', message: `${opening(attempt)}: ${what}` }, transient: false };
}

/** How every message about an attempt begins. */
export function opening({ subject, command }: Pick<Attempt, 'subject' | 'command'>): string {
  const start = `cannot start ${JSON.stringify(command.argv[0])}`;
  return subject === null ? start : `${subject}: ${start}`;
}

/** Said of a program that a shell had to interpret. */
export function shellWarning({ file }: Attempt): string {
  return `${file} has no "#!" line; it was run by /bin/sh`;
}

function find(attempt: Attempt, answer: SystemAnswer): Finding {
  const { step, code, call } = answer;
  if (SCARCE.has(code)) return ['E_RESOURCES', scarcity(answer), true];
  if (code === 'ETXTBSY') {
    return ['E_SPAWN', `${attempt.file} is open for writing (ETXTBSY); it is probably being copied`, true];
  }
  if (step === 'chdir') return directoryFinding(attempt, code);
  if (step === 'unknown' && !mayEnter(attempt)) return directoryFinding(attempt, code);
  if (step === 'user' || step === 'group' || step === 'groups') {
    return [
      'E_USER',
      `cannot become user ${attempt.user?.name ?? attempt.command.user ?? 'of the master'}: ${call} failed with ${code}`,
    ];
  }
  if (step === 'cgroup')
    return ['E_CONTAINMENT', `its cgroup cannot be entered: ${call} failed with ${code}`];
  if (step === 'listen') {
    return ['E_PORT', `the socket that it is to have cannot listen: ${call} failed with ${code}`, true];
  }
  if (step === 'channel') {
    return ['E_SPAWN', `the pipe for its output cannot be opened: ${call} failed with ${code}`, true];
  }
  if (step === 'exec' || step === 'unknown') return execFinding(attempt, answer);
  return ['E_SPAWN', `${call} failed with ${code} (step ${step})`];
}

function scarcity({ code, call, step }: SystemAnswer): string {
  switch (code) {
    case 'EMFILE':
      return `no descriptor is free: ulimit -n ${describeLimits('files')}, in use ${descriptorsInUse()} (EMFILE)`;
    case 'ENFILE':
      return 'the whole system has no descriptor to give: see fs.file-max (ENFILE)';
    case 'EAGAIN':
      return `no process may be added: ulimit -u ${describeLimits('processes')}, or pids.max of its cgroup (${call}: EAGAIN)`;
    default:
      return `no memory for it (${call || step}: ENOMEM)`;
  }
}

function directoryFinding({ command, user }: Attempt, code: string): Finding {
  const { cwd } = command;
  const shown = `working directory ${described(cwd)}`;
  const broken = brokenComponent(cwd);
  if (broken !== null) return ['E_CWD', `${shown}: ${broken}`];
  if (code === 'EACCES') return ['E_CWD', `${shown} may not be entered${by(user)}: permission denied`];
  return ['E_CWD', `${shown} cannot be entered: ${code}`];
}

/** A path, and what it leads to where a symbolic link is on the way. */
function described(path: string): string {
  try {
    const real = realpathSync(path);
    return real === posix.resolve(path)
      ? JSON.stringify(path)
      : `${JSON.stringify(path)} (resolved: ${real})`;
  } catch {
    return JSON.stringify(path);
  }
}

function by(user: UserEntry | null): string {
  return user === null ? '' : ` by user ${user.name}`;
}

function mayEnter({ command, user }: Attempt): boolean {
  return statQuietly(command.cwd)?.isDirectory() === true && mayExecute(command.cwd, user);
}

/** Why a path to a directory leads nowhere: the first part that is missing or is a file; null where it is there. */
export function brokenComponent(directory: string, paths: PlatformPath = posix): string | null {
  const whole = paths.resolve(directory);
  let path = paths.parse(whole).root;
  for (const part of whole.slice(path.length).split(paths.sep)) {
    path = paths.join(path, part);
    try {
      if (!statSync(path).isDirectory()) return `${path} is a file, not a directory`;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT')
        return linkToNowhere(path) ?? `${path} does not exist${suggestion(part, [paths.dirname(path)])}`;
      if (code === 'ELOOP') return `${path} is a symbolic link to itself`;
      return null;
    }
  }
  return null;
}

function linkToNowhere(path: string): string | null {
  try {
    return `${path} is a symbolic link to ${readlinkSync(path)}, which does not exist`;
  } catch {
    return null;
  }
}

/** Names that are like one that is not there, where there are any. */
export function suggestion(wrong: string, directories: readonly string[]): string {
  const names = nearestNames(wrong, directories);
  return names.length === 0 ? '' : `; nearest names: ${names.join(', ')}`;
}

function execFinding(attempt: Attempt, answer: SystemAnswer): Finding {
  const path = posix.resolve(attempt.command.cwd, attempt.file);
  switch (answer.code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return notFound(path, answer.code);
    case 'EACCES':
    case 'EPERM':
      return notPermitted(attempt, path, answer.code);
    case 'ENOEXEC':
    case 'ELIBBAD':
    case 'EINVAL':
      return notRunnable(path, answer.code);
    case 'E2BIG':
      return ['E_EXEC_TOO_BIG', exhaustedSizes(attempt.command.argv, attempt.env)];
    default:
      return ['E_SPAWN', `${answer.call} of ${path} failed with ${answer.code}`];
  }
}

function notFound(path: string, code: string): Finding {
  const broken = brokenComponent(posix.dirname(path));
  if (broken !== null) return ['E_EXEC_NOT_FOUND', `no such file ${path}: ${broken}`];
  const program = inspectProgram(path);
  if (program.kind === 'script') return badInterpreter(path, program.interpreter, program.carriageReturn);
  if (program.kind === 'elf' && program.loader !== null) {
    return [
      'E_EXEC_NOT_FOUND',
      `${path} needs the program loader ${program.loader}, which is not on this machine`,
    ];
  }
  if (program.kind !== 'missing') return ['E_EXEC_NOT_FOUND', `${path} cannot be executed: ${code}`];
  const near = suggestion(posix.basename(path), [posix.dirname(path)]);
  return ['E_EXEC_NOT_FOUND', linkToNowhere(path) ?? `no such file ${path}${near}`];
}

function badInterpreter(path: string, interpreter: string, carriageReturn: boolean): Finding {
  const why = carriageReturn
    ? '; the line ends in a carriage return: the file has Windows line endings'
    : suggestion(posix.basename(interpreter), [posix.dirname(interpreter)]);
  return ['E_EXEC_NOT_FOUND', `bad interpreter ${interpreter} (line 1 of ${path})${why}`];
}

function notPermitted({ user }: Attempt, path: string, code: string): Finding {
  const program = inspectProgram(path);
  if (program.kind === 'directory') return ['E_EXEC_PERMISSION', `${path} is a directory`];
  if (program.kind === 'special') return ['E_EXEC_PERMISSION', `${path} is not a regular file`];
  const entry = statQuietly(path);
  if (entry === null) return ['E_EXEC_PERMISSION', `${path} cannot be reached${by(user)}: permission denied`];
  if ((entry.mode & 0o111) === 0) {
    return ['E_EXEC_PERMISSION', `${path} is not executable; chmod +x ${path} makes it so`];
  }
  const mode = (entry.mode & 0o7777).toString(8).padStart(4, '0');
  if (program.kind === 'script') {
    const interpreter = inspectProgram(posix.resolve('/', program.interpreter));
    const bits = statQuietly(program.interpreter)?.mode ?? 0;
    if (interpreter.kind === 'directory' || (bits & 0o111) === 0) {
      return [
        'E_EXEC_PERMISSION',
        `bad interpreter ${program.interpreter} (line 1 of ${path}): not executable`,
      ];
    }
  }
  const what = `${path} (mode ${mode}, owner ${entry.uid}:${entry.gid}) may not be executed${by(user)}`;
  return [
    'E_EXEC_PERMISSION',
    `${what}: ${code}; check its directories, and that its filesystem is not mounted noexec`,
  ];
}

/** A program that the kernel refuses to load. */
function notRunnable(path: string, code: string): Finding {
  const program = inspectProgram(path);
  switch (program.kind) {
    case 'empty':
      return ['E_EXEC_FORMAT', `${path} is empty`];
    case 'elf':
      return program.architecture === process.arch
        ? ['E_EXEC_FORMAT', `${path} is damaged, or lacks something this system needs: ${code}`]
        : ['E_EXEC_FORMAT', `${path} is built for ${program.architecture}, this machine is ${process.arch}`];
    case 'foreign':
      return ['E_EXEC_FORMAT', `${path} is a program for ${program.system}`];
    case 'script': {
      const [, what] = notRunnable(program.interpreter, code);
      return ['E_EXEC_FORMAT', `bad interpreter (line 1 of ${path}): ${what}`];
    }
    case 'unreadable':
      return ['E_EXEC_FORMAT', `${path} is not a program: ${code} (its content may not be read)`];
    default:
      return ['E_EXEC_FORMAT', `${path} is neither a program nor a script`];
  }
}
