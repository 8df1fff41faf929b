import { COMMANDS, COMPLETION_SCRIPTS, complete } from '@hsu-master/cli';
import { EXIT_CODES } from './exit-codes.ts';
import { OWN_COMMANDS } from './own-commands.ts';
import { placeOfMaster } from './place-of-master.ts';

/** `hsu-master completion SHELL`: the script that the shell loads. */
export function completion(shell: string | undefined): number {
  const script = COMPLETION_SCRIPTS[shell ?? ''];
  if (script === undefined) {
    const shells = Object.keys(COMPLETION_SCRIPTS).join(', ');
    process.stderr.write(
      `hsu-master: completion takes one of ${shells}${shell === undefined ? '' : `, not "${shell}"`}\nAs in: source <(hsu-master completion bash)\n`,
    );
    return EXIT_CODES.usage.code;
  }
  process.stdout.write(script);
  return EXIT_CODES.ok.code;
}

/** What such a script asks. */
export async function answerCompletion(asked: readonly string[]): Promise<number> {
  process.stdout.write(await complete(asked, [...OWN_COMMANDS, ...COMMANDS], placeOfMaster));
  return EXIT_CODES.ok.code;
}
