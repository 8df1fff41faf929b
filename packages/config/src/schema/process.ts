import type { PortRange } from '@hsu-master/core';
import { splitWords } from '../words.ts';
import {
  as,
  forms,
  later,
  list,
  map,
  object,
  type Read,
  required,
  scalar,
  type Written,
  type Wrong,
} from './fields.ts';
import { IGNORED } from './ignored.ts';
import { choice, duration, flag, integer, lines, path, word } from './scalars.ts';

const DEVICE_NAMES = /^(?:CON|PRN|AUX|NUL|COM\d|LPT\d)$/i;

/** The one rule for ids; they become names of files, metrics and environment values. */
export function checkId(id: string): Wrong | null {
  const shown = JSON.stringify(id.length > 70 ? `${id.slice(0, 67)}…` : id);
  if (id.length > 64) return { wrong: `${shown} is longer than 64 characters` };
  if (!/^[A-Za-z0-9_-]+$/.test(id)) {
    return { wrong: `${shown} is not an id`, hint: 'use letters A–Z a–z, digits, _ and -' };
  }
  if (DEVICE_NAMES.test(id))
    return { wrong: `${shown} is the name of a device on Windows`, hint: 'choose another id' };
  return null;
}

export const id = (meaning: string) => word('worker id', meaning, checkId);

function checkName(name: string): Wrong | null {
  if (name === '') return { wrong: 'the name of a variable is empty' };
  const bad = /[=\s\p{Cc}]/u.exec(name)?.[0];
  if (bad === undefined) return null;
  const shown = bad === '=' ? '"="' : 'a blank or control character';
  return { wrong: `the name of the variable ${JSON.stringify(name.slice(0, 60))} contains ${shown}` };
}

function readAssignment(assignment: string): Read<readonly [string, string]> {
  const equals = assignment.indexOf('=');
  const shown = JSON.stringify(assignment.slice(0, 60));
  if (equals === -1) return { wrong: `${shown} has no "="`, hint: 'write NAME=value' };
  const name = assignment.slice(0, equals);
  const wrong = checkName(name);
  if (wrong !== null) return wrong;
  if (name === '__proto__') return { wrong: '"__proto__" is no name that can be used' };
  return { value: [name, assignment.slice(equals + 1)] as const };
}

const assignment = {
  ...scalar('NAME=value', { type: 'string', pattern: '=' }, readAssignment),
  lines: true,
};

/** Variables as the original’s list of `NAME=value`, or as a map. */
export const environment = (meaning: string) =>
  forms({ list: list(assignment, ''), map: map(lines(), '', checkName) }, meaning);

const argument = lines();

/** Words of a program call: one string that is split, or a list that is taken as it is. */
function readCommand(
  line: string,
): Read<{ readonly line: string; readonly split: readonly string[] | Wrong }> {
  if (line.trim() === '') return { wrong: 'is empty; it takes a program and its arguments' };
  // A block scalar ends in a line break that nobody meant.
  const result = splitWords(line.replace(/\n+$/, ''));
  if (!result.ok) return { value: { line, split: { wrong: result.message, hint: result.hint } } };
  if (result.words[0] === '') return { wrong: 'names no program: its first word is empty' };
  return { value: { line, split: result.words } };
}

/** A command line is split here, but whether it must split is known only with `shell`. */
export const commandLine = { ...scalar('command line', { type: 'string' }, readCommand), lines: true };

export const command = (meaning: string) => forms({ scalar: commandLine, list: list(argument, '') }, meaning);

const SIGNALS = new Set(
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  ),
);

function readSignal(written: string): Read<`SIG${string}`> {
  const bare = written.toUpperCase().replace(/^SIG/, '');
  if (SIGNALS.has(bare)) return { value: `SIG${bare}` };
  if (/^\d+$/.test(written)) return { wrong: `${written} is a number`, hint: 'write the name: SIGTERM' };
  if (/^(?:STOP|TSTP|TTIN|TTOU|CONT|CHLD|URG)$/.test(bare)) return { wrong: `SIG${bare} ends no process` };
  return {
    wrong: `${JSON.stringify(written.slice(0, 40))} is not a signal`,
    hint: 'write a name like SIGTERM or SIGINT',
  };
}

export const signal = (meaning: string, fallback: string) =>
  scalar('signal', { type: 'string' }, readSignal, meaning, fallback);

function readUmask(written: string): Read<number> {
  const digits = /^(?:0o)?([0-7]{1,4})$/.exec(written)?.[1];
  const value = digits === undefined ? Number.NaN : Number.parseInt(digits, 8);
  if (value >= 0 && value <= 0o777) return { value };
  return {
    wrong: `${JSON.stringify(written.slice(0, 40))} is not a file mode`,
    hint: 'write three octal digits: 022',
  };
}

const account = (meaning: string) => word('name or number', meaning);

/** What both forms call the same, about the process itself. */
export const identity = {
  user: account('User the program runs as, by name or number; the master must be root to change it.'),
  group: account('Group the program runs as, by name or number.'),
  groups: list(account(''), 'Supplementary groups; those of the user where not given.'),
  umask: scalar(
    'octal mode',
    { type: ['string', 'integer'] },
    readUmask,
    'File mode creation mask, in octal digits.',
    "the master's",
  ),
};

export const stopping = {
  success_exit_codes: list(
    integer({ min: 0, max: 0xffff_ffff }, ''),
    'Exit codes that count as success; they matter to restart_policy on-failure and to depends_on … completed.',
    '[0]',
  ),
  retry_failed_start: flag(
    'Whether a program that could not be started for a lasting reason (no such file) is tried again.',
    'false',
  ),
  stop_signal: signal('Signal that asks the program to end.', 'SIGTERM'),
  main_process: object(
    {
      pid_file: required(path('File into which the program writes the pid of its main process.')),
      timeout: duration('How long to wait for that file.', '30s', { positive: true }),
    },
    'For programs that put themselves in the background: where their main process is found.',
    { name: 'MainProcess' },
  ),
  on_daemonize: as(
    scalar<'kill' | 'adopt'>(
      'kill | adopt',
      { enum: ['kill', 'adopt'] },
      (value): Read<'kill' | 'adopt'> =>
        value === 'kill' || value === 'adopt'
          ? { value }
          : { wrong: `${JSON.stringify(value.slice(0, 40))} is none of kill, adopt` },
    ),
    'What to do when the program leaves its place to a descendant without main_process saying so: end what is left, or watch it.',
    'kill',
  ),
};

export const execution = object(
  {
    executable_path: required(
      path(
        'Program. With a slash: a path, relative to the directory of the configuration file (or the master’s working directory, if it is only there). Without: looked up in PATH.',
      ),
    ),
    args: list(argument, 'Arguments, one item each.'),
    environment: environment('Variables added to the master’s environment: a list of NAME=value, or a map.'),
    working_directory: path('Working directory of the program.', 'directory of the program'),
    wait_delay: later(duration('', '10s'), 'without effect: output is read until its end'),
    shell: flag(
      'true: executable_path is a command line for /bin/sh -c, and args are its $0, $1, ….',
      'false',
    ),
    ...identity,
  },
  'How the program is started.',
  {
    name: 'Execution',
    ignored: IGNORED.execution,
    renamed: {
      arguments: 'did you mean "args"?',
      env: 'did you mean "environment"?',
      cwd: 'did you mean "working_directory"?',
      path: 'did you mean "executable_path"?',
    },
  },
);

export const SCENARIOS = [
  'system',
  'daemon',
  'service',
  'user',
  'personal',
  'session',
  'desktop',
  'development',
  'dev',
  'test',
  '',
] as const;

export const processFile = object(
  {
    basedirectory: path('Directory, or the one above it with `usesubdirectory`.', 'by `servicecontext`'),
    servicecontext: choice(
      ['system', 'user', 'session', ''],
      'Whose files they are. Without it `scenario` decides and the other keys do not count.',
    ),
    appname: as(
      word('name', 'Name of the subdirectory.', checkId),
      'Name of the subdirectory.',
      'hsu-master',
    ),
    usesubdirectory: flag('Whether they lie in a subdirectory.', 'false'),
    scenario: choice(SCENARIOS, 'Preset of the other keys.', 'user'),
  },
  'Writes files for others: `<id>.pid`, `<id>.port` where it has a port, and `<id>.identity`, by which can be told whether they still hold.',
  { name: 'ProcessFile', ignored: IGNORED.processFile },
);
export type WrittenProcessFile = Written<typeof processFile>;

function readPortRange(written: string): Read<PortRange | null> {
  const [, first = '', last = first] = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(written) ?? [];
  const range = { first: Number(first), last: Number(last) };
  const shown = JSON.stringify(written.slice(0, 40));
  if (first === '' || range.last > 65_535) {
    return {
      wrong: `${shown} is neither a port nor a range of ports`,
      hint: 'write 50100, or 50100-50199, or 0',
    };
  }
  if (range.first === 0 && range.last === 0) return { value: null };
  if (range.first === 0 || range.first > range.last) return { wrong: `${shown} is no range of ports` };
  return { value: range };
}

export const portRange = scalar<PortRange | null>(
  'port or range',
  { type: ['integer', 'string'] },
  readPortRange,
  'TCP port that it listens on; of a range, 50100-50199, it gets one that is free; 0: any that is free. It keeps it over restarts.',
  '0',
);
