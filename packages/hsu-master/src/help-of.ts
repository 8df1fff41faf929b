import { ASKING_COMMANDS, COMMANDS, helpOf } from '@hsu-master/cli';
import { EXIT_CODES } from './exit-codes.ts';
import { HELP } from './help.ts';
import { OWN_COMMANDS } from './own-commands.ts';

/** The widest help. */
const WIDEST = 110;

/** Prints the help of a command, or of all of them. */
export async function help(command: string | undefined): Promise<number> {
  if (command === undefined) {
    process.stdout.write(HELP);
    return EXIT_CODES.ok.code;
  }
  const spec = [...OWN_COMMANDS, ...COMMANDS].find(
    ({ name, aliases }) => name === command || aliases?.includes(command),
  );
  if (spec === undefined) return noSuchCommand(command);
  process.stdout.write(helpOf(spec, Math.min(process.stdout.columns ?? WIDEST, WIDEST)));
  return EXIT_CODES.ok.code;
}

/** Says which command may have been meant. */
export async function noSuchCommand(command: string): Promise<number> {
  const { nearest } = await import('@hsu-master/core');
  const names = [...OWN_COMMANDS.map(({ name }) => name), ...ASKING_COMMANDS];
  const near = nearest(command, names).map((name) => `"${name}"`);
  const hint = near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
  process.stderr.write(`hsu-master: there is no command "${command}"${hint}\nSee hsu-master --help.\n`);
  return EXIT_CODES.usage.code;
}
