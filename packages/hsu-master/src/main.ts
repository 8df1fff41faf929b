import { parseArgs } from 'node:util';
import { EXIT_CODES } from './exit-codes.ts';
import { type Flags, OPTIONS } from './flags.ts';
import { HELP } from './help.ts';

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
  if (flags.output !== undefined && flags.output !== 'json')
    return usage(`--output takes json, not "${flags.output}"`);
  const [command, ...rest] = words;
  if (flags.help || command === 'help')
    return (await import('./help-of.ts')).help(command === 'help' ? rest[0] : command);
  if (flags.version && command === undefined)
    return (await import('./version.ts')).printVersion(flags.output);
  if (command === 'doctor') {
    if (rest.length > 0) return usage(`doctor takes no argument, not "${rest[0]}"`);
    return (await import('./doctor.ts')).doctor(flags);
  }
  if (command === 'adopt') {
    if (rest.length > 0) return usage(`adopt takes options only, not "${rest[0]}"`);
    return (await import('./adopt.ts')).adopt(flags);
  }
  if (command === 'completion') return (await import('./completion.ts')).completion(rest[0]);
  if (command === 'explain') {
    if (rest.length > 1) return usage(`explain takes one key, not ${rest.length}`);
    return (await import('./explain.ts')).explain(rest[0], flags);
  }
  if (command === 'init') {
    if (rest.length > 0) return usage(`init takes options only, not "${rest[0]}"`);
    return (await import('./init.ts')).init(flags);
  }
  const action = command === 'service' ? rest.shift() : undefined;
  if (command === 'limits' && rest.shift() !== 'explain')
    return usage('limits has one command: hsu-master limits explain config.yaml');
  const given = [...rest, flags.file, flags.config].filter((name) => name !== undefined);
  if (given.length > 1)
    return usage(`one configuration file is needed, not ${given.length}: ${given.join(', ')}`);
  const file = given[0];
  if (command === undefined && file === undefined) {
    process.stdout.write(HELP);
    return EXIT_CODES.usage.code;
  }
  switch (command ?? 'run') {
    case 'run':
      if (file === undefined) return usage('run needs a configuration file: hsu-master run config.yaml');
      return (await import('./run.ts')).run(file, flags);
    case 'up':
      return (await import('./up.ts')).up(file ?? null, flags);
    case 'validate':
      if (file === undefined)
        return usage('validate needs a configuration file: hsu-master validate config.yaml');
      return (await import('./validate.ts')).validate(file, flags);
    case 'upgrade':
      if (file === undefined)
        return usage('upgrade needs the configuration file of the master: hsu-master upgrade config.yaml');
      return (await import('./upgrade.ts')).upgrade(file, flags);
    case 'limits':
      if (file === undefined)
        return usage('limits explain needs a configuration file: hsu-master limits explain config.yaml');
      return (await import('./limits.ts')).explainLimits(file, flags);
    case 'service':
      return (await import('./service/service.ts')).service(action, file, flags);
    default:
      return (await import('./help-of.ts')).noSuchCommand(command ?? '');
  }
}

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
let unwritten: NodeJS.ErrnoException | null = null;
process.stdout.on('error', (error) => {
  unwritten ??= error;
});

/** Of a disk, or of what stands for one. Everything else means that nobody reads any more, which is the reader's own doing. */
const DISK_TROUBLE: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']);

/** What could not be written, as on a full disk, is no success. A terminal that was closed fails with EIO as well. */
function endOf(code: number): number {
  if (unwritten === null || process.stdout.isTTY || !DISK_TROUBLE.has(unwritten.code)) return code;
  process.stderr
    .on('error', ignore)
    .write(`hsu-master: the output could not be written: ${unwritten.message}\n`);
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
