import { CommanderError } from 'commander';
import { CliError } from './cli-error.ts';
import { ASK_EXIT_CODES, exitCodeOf } from './exit-codes.ts';
import { program } from './program.ts';
import type { Surroundings } from './surroundings.ts';

export { CliError } from './cli-error.ts';
export { ASK_EXIT_CODES } from './exit-codes.ts';
export { commandHelp } from './help.ts';
export { ASKING_COMMANDS } from './program.ts';
export type { Out, Surroundings, Wanted } from './surroundings.ts';

/** Runs one command that asks a master, to its exit code. @param argv without the program's own name */
export async function runCli(argv: readonly string[], to: Surroundings): Promise<number> {
  let code: number = ASK_EXIT_CODES.ok.code;
  try {
    await program(to, (given) => {
      code = given;
    }).parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, argv, to);
    const told = tellable(error);
    if (told === null) throw error;
    await to.err.write(`hsu-master: ${told.message}\n${told.next === '' ? '' : `${told.next}\n`}`);
    return exitCodeOf(told.code);
  }
}

async function usage(error: CommanderError, argv: readonly string[], to: Surroundings): Promise<number> {
  // Help that was asked for has been written already.
  if (error.exitCode === 0) return ASK_EXIT_CODES.ok.code;
  const command = argv.find((word) => !word.startsWith('-')) ?? '';
  await to.err.write(
    `hsu-master: ${error.message.replace(/^error: /, '')}\nSee hsu-master ${command} --help.\n`,
  );
  return ASK_EXIT_CODES.usage.code;
}

interface Told {
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

/** Errors with a code and a next step: ours and those of the client. */
function tellable(error: unknown): Told | null {
  if (error instanceof CliError) return error;
  return error instanceof Error && 'next' in error && 'code' in error ? (error as Error & Told) : null;
}
