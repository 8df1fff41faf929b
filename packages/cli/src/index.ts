import { commandOf } from './catalogue.ts';
import { CliError } from './cli-error.ts';
import type { Command } from './command.ts';
import { ASK_EXIT_CODES, exitCodeOf } from './exit-codes.ts';
import { parse } from './parse.ts';
import type { Surroundings } from './surroundings.ts';

export { formatOf, type MasterOptions, wantedOf, withClient } from './asking.ts';
export { ASKING_COMMANDS, COMMANDS } from './catalogue.ts';
export { CliError } from './cli-error.ts';
export {
  type Argument,
  type Command,
  type CommandSpec,
  ELSEWHERE,
  type Given,
  type Option,
  SOCKET,
} from './command.ts';
export { complete } from './completion/complete.ts';
export { COMPLETION_SCRIPTS } from './completion/scripts.ts';
export { ASK_EXIT_CODES } from './exit-codes.ts';
export { helpOf } from './help.ts';
export { printData, say } from './output/print.ts';
export { type Awaited, tellProgress } from './output/progress.ts';
export type { Input, Keys, Out, Surroundings, Wanted } from './surroundings.ts';

/** The widest help. */
const WIDEST = 110;

/** Runs one command that asks a master, to its exit code. @param argv the command's name, then what stands behind it */
export async function runCli(argv: readonly string[], to: Surroundings): Promise<number> {
  const [name = '', ...written] = argv;
  const command = commandOf(name);
  if (command !== undefined) return runCommand(command, written, to);
  return tell(new CliError('E_USAGE', `there is no command "${name}"`, ''), name, to);
}

/** Runs a command to its exit code; its errors are told. @param written what stands behind its name */
export async function runCommand(
  command: Command,
  written: readonly string[],
  to: Surroundings,
): Promise<number> {
  try {
    const given = parse(command, written);
    if (given !== null) return await command.run(coloured(to, given.options['color']), given);
    const { helpOf } = await import('./help.ts');
    await to.out.write(helpOf(command, Math.min(to.out.columns(), WIDEST)));
    return ASK_EXIT_CODES.ok.code;
  } catch (error) {
    return tell(error, command.name, to);
  }
}

async function tell(error: unknown, name: string, to: Surroundings): Promise<number> {
  const told = tellable(error);
  if (told === null) throw error;
  const { code, message, next } = told;
  const further = next === '' && code === 'E_USAGE' ? `See hsu-master ${name} --help.` : next;
  await to.err.write(`hsu-master: ${message}\n${further === '' ? '' : `${further}\n`}`);
  return exitCodeOf(code);
}

/** What is said on the command line about colours counts more than what the terminal and the environment say. */
function coloured(to: Surroundings, when: unknown): Surroundings {
  if (when === undefined || when === 'auto') return to;
  if (when !== 'always' && when !== 'never')
    throw new CliError(
      'E_USAGE',
      `--color takes auto, always or never, not "${typeof when === 'string' ? when : ''}"`,
      '',
    );
  const { out, err } = to;
  const colour = when === 'always';
  // Streams have methods and state of their own: they are covered, not copied.
  return {
    ...to,
    out: Object.create(out, { colour: { value: colour } }) as typeof out,
    err: Object.create(err, { colour: { value: colour } }) as typeof err,
  };
}

interface Told {
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

/** A master says in general what to do; here there is a command for it. */
const NEXT: Readonly<Record<string, string>> = {
  E_UNKNOWN_WORKER: 'See which there are: hsu-master ls',
  E_NOT_RUNNING: 'Start it first: hsu-master start WORKER',
  E_UNAUTHENTICATED:
    'Put a valid one into HSU_TOKEN, or name its file with --token-file. Made where the master runs: hsu-master token create NAME',
};

/** Errors with a code and a next step: ours and those of the client. */
function tellable(error: unknown): Told | null {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error && 'next' in error && 'code' in error)) return null;
  const { code, message, next } = error as Error & Told;
  // What is wrong with a request is so with the option that it was made of.
  const [, parameter, wrong] = /^querystring\.(\w+): (.*)$/s.exec(message) ?? [];
  if (parameter !== undefined) return { code: 'E_USAGE', message: `--${parameter}: ${wrong}`, next: '' };
  const isOfMaster = !('status' in error) || error.status !== 0;
  return { code, message, next: (isOfMaster ? NEXT[code] : undefined) ?? next };
}
