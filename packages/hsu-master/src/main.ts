import { parseArgs } from 'node:util';
import { EXIT_CODES } from './exit-codes.ts';
import { HELP } from './help.ts';
import { keepYoungGenerationSmall } from './memory.ts';

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  config: { type: 'string', short: 'c' },
  file: { type: 'string', short: 'f' },
  'run-duration': { type: 'string' },
  'enable-log': { type: 'boolean' },
  'state-dir': { type: 'string' },
  'log-dir': { type: 'string' },
  output: { type: 'string', short: 'o' },
  debug: { type: 'boolean' },
} as const;

export type Flags = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** Runs one command line to its exit code. */
async function main(argv: readonly string[]): Promise<number> {
  let flags: Flags;
  let words: readonly string[];
  try {
    const parsed = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
    flags = parsed.values;
    words = parsed.positionals;
  } catch (error) {
    return usage((error as Error).message);
  }
  const [command, ...rest] = words;
  if (flags.help || command === 'help') {
    process.stdout.write(HELP);
    return EXIT_CODES.ok.code;
  }
  if (flags.version || command === 'version')
    return (await import('./version.ts')).printVersion(flags.output);
  const file = rest[0] ?? flags.file ?? flags.config;
  if (command === undefined && file === undefined) {
    process.stdout.write(HELP);
    return EXIT_CODES.usage.code;
  }
  if (rest.length > 1) return usage(`too many arguments: ${rest.slice(1).join(' ')}`);
  switch (command ?? 'run') {
    case 'run':
      if (file === undefined) return usage('run needs a configuration file: hsu-master run config.yaml');
      return (await import('./run.ts')).run(file, flags);
    case 'validate':
      if (file === undefined)
        return usage('validate needs a configuration file: hsu-master validate config.yaml');
      return (await import('./validate.ts')).validate(file, flags);
    default:
      return usage(`there is no command "${command}"`);
  }
}

function usage(problem: string): number {
  process.stderr.write(`hsu-master: ${problem}\nSee hsu-master --help.\n`);
  return EXIT_CODES.usage.code;
}

keepYoungGenerationSmall();

/** A reader that went away (`| head -1`) is no error. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const known = error instanceof Error && 'code' in error;
    const debug = process.argv.includes('--debug');
    const text = error instanceof Error ? (debug || !known ? error.stack : error.message) : String(error);
    process.stderr.write(`hsu-master: ${text}\n`);
    process.exitCode = EXIT_CODES.failed.code;
  },
);
