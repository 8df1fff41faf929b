import type { CommonOptions } from './asking.ts';
import type { Surroundings } from './surroundings.ts';

/** What a shell offers for a value: names that a master knows, what lies on the disk, or these words. */
export type Completes = 'workers' | 'namespaces' | 'files' | 'directories' | readonly string[];

/** One option. Written `--name`, its value after a blank or `=`. */
export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What its value is called; absent: it has none. */
  readonly value?: string;
  /** The value may be left out, and stands behind `=` where it is not. */
  readonly optional?: true;
  /** May be given several times. */
  readonly many?: true;
  readonly means: string;
  readonly usual?: string;
  readonly completes?: Completes;
}

/** One argument. */
export interface Argument {
  readonly name: string;
  readonly many?: true;
  readonly optional?: true;
  readonly completes?: Completes;
}

/** How one command is written: what parses it, its help, the documentation and the completion of shells are made from. */
export interface CommandSpec {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** In a few words. */
  readonly does: string;
  /** Command lines without the program's name. */
  readonly examples: readonly string[];
  readonly arguments: readonly Argument[];
  readonly options: readonly Option[];
  /** Options that are looked for and are not there, by their names, and what to do instead. */
  readonly refuses?: Readonly<Record<string, string>>;
  /** What is called so stands behind the arguments and is left as it is: a command line of another program. */
  readonly rest?: string;
}

/** What was written: options by their names in camelCase. */
export interface Given {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[]>>;
  readonly rest: readonly string[];
}

/** A command that can be run. Resolves with its exit code. */
export interface Command extends CommandSpec {
  run(to: Surroundings, given: Given): Promise<number>;
}

/** What a command gets of what was written; the options are those that it declares. */
export type Work<O> = (
  to: Surroundings,
  options: O & CommonOptions,
  words: readonly string[],
  rest: readonly string[],
) => Promise<number>;

/** The master of this machine that is meant. */
export const SOCKET: Option = {
  name: 'socket',
  value: 'path',
  means: 'the master that listens there',
  completes: 'files',
};

/** The master that is asked over the network. */
export const ELSEWHERE: readonly Option[] = [
  { name: 'address', value: 'url', means: 'the master at https://host:port (HSU_ADDRESS)' },
  {
    name: 'token-file',
    value: 'path',
    means: 'the token for that is in this file (else in HSU_TOKEN)',
    completes: 'files',
  },
  { name: 'ca', value: 'path', means: 'who has signed its certificate, PEM (HSU_CA)', completes: 'files' },
];

/** Options that all commands take which ask a master. */
const COMMON: readonly Option[] = [
  {
    name: 'namespace',
    short: 'n',
    value: 'name',
    means: 'only workers of this namespace; may be a glob',
    completes: 'namespaces',
  },
  {
    name: 'output',
    short: 'o',
    value: 'format',
    means: 'table, wide, json, yaml, jsonl or name',
    completes: ['table', 'wide', 'json', 'yaml', 'jsonl', 'name'],
  },
  { name: 'quiet', short: 'q', means: 'names only' },
  {
    name: 'color',
    value: 'when',
    means: 'auto, always or never',
    completes: ['auto', 'always', 'never'],
  },
  SOCKET,
  {
    name: 'state-dir',
    value: 'dir',
    means: 'the master with this state directory',
    completes: 'directories',
  },
  ...ELSEWHERE,
];

const FILE = { value: 'config', means: 'the master of this configuration file', completes: 'files' } as const;

/** What follows is told so by the letter that tells it everywhere; then the file has none. */
const FOLLOW: Option = { name: 'follow', short: 'f', means: 'go on with what comes' };

/** A command that asks a master, with the options that all of them take. `workers` is what most are about. */
export function asks<O extends object>(
  spec: Omit<CommandSpec, 'options' | 'arguments'> & {
    readonly arguments?: readonly Argument[];
    readonly options?: readonly Option[];
    readonly follows?: true;
  },
  work: Work<O>,
): Command {
  const { follows, options = [], arguments: words = [], ...rest } = spec;
  const file: readonly Option[] = follows
    ? [FOLLOW, { name: 'file', ...FILE }]
    : [{ name: 'file', short: 'f', ...FILE }];
  return {
    ...rest,
    arguments: words,
    options: [...COMMON, ...file, ...options],
    run: (to, given) => work(to, given.options as O & CommonOptions, given.words, given.rest),
  };
}

/** Workers by id or glob. */
export const WORKERS: Argument = { name: 'workers', many: true, completes: 'workers' };
export const ANY_WORKERS: Argument = { ...WORKERS, optional: true };
