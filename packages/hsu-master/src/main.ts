import { parseArgs } from 'node:util';
import { EXIT_CODES } from './exit-codes.ts';
import { type Flags, OPTIONS } from './flags.ts';
import { HELP } from './help.ts';
import { OUTPUTS } from './print.ts';
import { projectFile } from './project-file.ts';
import { isLost, whyLost } from './unwritten.ts';

/** The commands of @hsu-master/cli; a test holds the two lists together. */
const ASKING: ReadonlySet<string> = new Set([
  'ls',
  'list',
  'ps',
  'status',
  'describe',
  'why',
  'logs',
  'log',
  'audit',
  'events',
  'event',
  'graph',
  'wait',
  'top',
  'version',
  'start',
  'stop',
  'restart',
  'reset',
  'kill',
  'signal',
  'exec',
  'down',
  'diff',
  'apply',
  'reload',
  'delete',
]);

/** Runs one command line to its exit code. */
async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === '__complete') return (await import('./completion.ts')).answerCompletion(argv.slice(1));
  if (argv[0] === 'token') return (await import('./access/token-command.ts')).token(argv.slice(1));
  const asking = askingPart(argv);
  if (asking !== null) return (await import('./ask.ts')).ask(asking);
  process.stderr.on('error', ignore);
  let flags: Flags;
  let words: readonly string[];
  try {
    const parsed = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
    flags = parsed.values;
    words = parsed.positionals;
  } catch (error) {
    return usage((error as Error).message);
  }
  const { output } = flags;
  if (output !== undefined && !OUTPUTS.some((known) => known === output))
    return usage(`--output takes ${OUTPUTS.join(', ')}, not "${output}"`);
  const [command, ...rest] = words;
  if (flags.help || command === 'help')
    return (await import('./help-of.ts')).help(command === 'help' ? rest[0] : command);
  if (flags.version && command === undefined) return (await import('./version.ts')).printVersion(output);
  const alone = command === undefined ? undefined : ALONE[command];
  if (alone !== undefined) {
    if (rest.length > alone.words) return usage(`${command} takes ${alone.takes}, not "${rest.join(' ')}"`);
    return alone.run(rest[0], flags);
  }
  return withFile(command, rest, flags);
}

/** A command without a configuration file. */
interface Alone {
  /** How many words may stand behind it, and what they are. */
  readonly words: number;
  readonly takes: string;
  run(word: string | undefined, flags: Flags): Promise<number> | number;
}

const ALONE: Readonly<Record<string, Alone>> = {
  doctor: {
    words: 0,
    takes: 'no argument',
    run: async (_, flags) => (await import('./doctor.ts')).doctor(flags),
  },
  adopt: {
    words: 0,
    takes: 'options only',
    run: async (_, flags) => (await import('./adopt.ts')).adopt(flags),
  },
  init: { words: 0, takes: 'options only', run: async (_, flags) => (await import('./init.ts')).init(flags) },
  completion: {
    words: 1,
    takes: 'one shell',
    run: async (shell) => (await import('./completion.ts')).completion(shell),
  },
  explain: {
    words: 1,
    takes: 'one key',
    run: async (key, flags) => (await import('./explain.ts')).explain(key, flags),
  },
};

/** Words that stand between a command and the file. */
const ACTIONS: Readonly<Record<string, string>> = { limits: 'explain', config: 'show' };

/** A command about a configuration file: the one that is named, or that of the project here. */
async function withFile(
  command: string | undefined,
  words: readonly string[],
  flags: Flags,
): Promise<number> {
  const run = ABOUT_FILE[command ?? 'run'];
  if (run === undefined) return (await import('./help-of.ts')).noSuchCommand(command ?? '');
  const [action, ...behind] = words;
  const known = ACTIONS[command ?? ''];
  if (known !== undefined && action !== known)
    return usage(`${command} has one command: hsu-master ${command} ${known} config.yaml`);
  const files = command === 'service' || known !== undefined ? behind : words;
  const given = [...files, flags.file, flags.config].filter((name) => name !== undefined);
  if (given.length > 1)
    return usage(`one configuration file is needed, not ${given.length}: ${given.join(', ')}`);
  if (command === undefined && given.length === 0) {
    process.stdout.write(HELP);
    return EXIT_CODES.usage.code;
  }
  const file = given[0] ?? projectFile(process.cwd());
  // Without one, `config` shows what holds anyhow, and `service` says more than that.
  if (file === null && command !== 'config' && command !== 'service') {
    const written = known === undefined ? command : `${command} ${known}`;
    return usage(`${written} needs a configuration file: hsu-master ${written} config.yaml`);
  }
  return run(file ?? '', flags, action);
}

type AboutFile = (file: string, flags: Flags, action: string | undefined) => Promise<number>;

/** An empty file: there is none. */
const ABOUT_FILE: Readonly<Record<string, AboutFile>> = {
  run: async (file, flags) => (await import('./run.ts')).run(file, flags),
  up: async (file, flags) => (await import('./up.ts')).up(file, flags),
  validate: async (file, flags) => (await import('./validate.ts')).validate(file, flags),
  config: async (file, flags) => (await import('./settings.ts')).showSettings(file, flags),
  upgrade: async (file, flags) => (await import('./upgrade.ts')).upgrade(file, flags),
  limits: async (file, flags) => (await import('./limits.ts')).explainLimits(file, flags),
  service: async (file, flags, action) => (await import('./service/service.ts')).service(action, file, flags),
};

/** Options that take a value and may come before a command, by the names that all commands know them by. */
const VALUED: Readonly<Record<string, string>> = {
  '-n': '-n',
  '--namespace': '-n',
  '-o': '-o',
  '--output': '-o',
  '-f': '--file',
  '--file': '--file',
  '-c': '--file',
  '--config': '--file',
  '--socket': '--socket',
  '--state-dir': '--state-dir',
  '--address': '--address',
  '--token-file': '--token-file',
  '--ca': '--ca',
};

/**
 * The command line of a command that asks a master, the command first; null: it is another. What asks is loaded without what it takes
 * to be a master.
 */
function askingPart(argv: readonly string[]): readonly string[] | null {
  const before: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (!word.startsWith('-')) return ASKING.has(word) ? [word, ...before, ...argv.slice(at + 1)] : null;
    const name = VALUED[word];
    before.push(name ?? word);
    if (name === undefined) continue;
    at += 1;
    before.push(argv[at] ?? '');
  }
  return null;
}

function usage(problem: string): number {
  process.stderr.write(`hsu-master: ${problem}\nSee hsu-master --help.\n`);
  return EXIT_CODES.usage.code;
}

// A reader that went away (`| head -1`) or a full disk behind standard error is no reason to leave the workers alone.
function ignore(): void {}
process.stdout.on('error', (error: NodeJS.ErrnoException) => isLost(error.code, error.message));

/** What could not be written, as on a full disk, is no success. */
function endOf(code: number): number {
  const why = whyLost();
  if (why === null) return code;
  process.stderr.on('error', ignore).write(`hsu-master: the output could not be written: ${why}\n`);
  return code === EXIT_CODES.ok.code ? EXIT_CODES.failed.code : code;
}

// A report of Node, where somebody asks for one, is to hold nothing of the environment.
process.report.excludeEnv = true;

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
    process.once('exit', () => {
      process.exitCode = endOf(code);
    });
  },
  async (error: unknown) => {
    process.exitCode = EXIT_CODES.failed.code;
    const { maskText } = await import('@hsu-master/core');
    const known = error instanceof Error && 'code' in error;
    const debug = process.argv.includes('--debug');
    const text = error instanceof Error ? (debug || !known ? error.stack : error.message) : String(error);
    process.stderr.on('error', ignore).write(`hsu-master: ${maskText(text ?? '')}\n`);
  },
);
