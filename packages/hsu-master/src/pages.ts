import { ASK_EXIT_CODES, COMMANDS, type CommandSpec, helpOf } from '@hsu-master/cli';
import { ERRORS, EVENT_MEANINGS } from '@hsu-master/core';
import { EXIT_CODES } from './exit-codes.ts';
import { HELP } from './help.ts';
import { OWN_COMMANDS } from './own-commands.ts';
import { page, table } from './page-text.ts';

/** docs/errors.md */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, { means, next }]) => [`\`${code}\``, means, next]);
  return page(
    'Errors',
    'Every error and failure carries one of these codes.',
    table(['code', 'means', 'what to do'], rows),
  );
}

/** docs/events.md */
export function eventsPage(): string {
  const rows = Object.entries(EVENT_MEANINGS).map(([type, { means, payload }]) => {
    const fields = Object.entries(payload).map(([name, text]) => `\`${name}\`: ${text}`);
    return [`\`${type}\``, means, fields.join('<br>') || '–'];
  });
  const envelope =
    'Each event has `seq` (grows by one without gaps within a master’s life), `at` (milliseconds since 1970), `type`, `workerId` and `run` ' +
    '(null where it concerns no worker or no run), and `payload`. Names are `noun.verb`: -ing is under way, past is done.';
  return page('Events', envelope, table(['event', 'says', 'payload'], rows));
}

/** docs/cli.md */
export function cliPage(): string {
  const rows = Object.values(EXIT_CODES).map(({ code, means }) => [String(code), means]);
  const asking = Object.values(ASK_EXIT_CODES).map(({ code, means }) => [String(code), means]);
  return page(
    'Command line',
    `\`\`\`text\n${HELP}\`\`\``,
    '## Exit codes',
    'Of commands that are a master, or look at a configuration:',
    table(['code', 'means'], rows),
    'Of commands that ask a master, and of `token`:',
    table(['code', 'means'], asking),
    '## Commands that ask a master',
    'The master is found by `--socket`, `--state-dir`, `-f config.yaml`, or HSU_SOCKET; else it is that of `hsu-master.yaml` here or in a folder above, or the only one ' +
      'that runs. Workers are named by id or by a glob of `*` and `?`, `billing/*` within a namespace. ' +
      'One elsewhere is asked by `--address` or HSU_ADDRESS, with a token in HSU_TOKEN, HSU_TOKEN_FILE or `--token-file`; `--ca` or HSU_CA names who signed its certificate. `-o json`, `yaml` and `jsonl` are what the API answers.',
    ...COMMANDS.map(commandSection),
    'What takes longer than a second says how far it is on standard error: at a terminal in one line that is drawn anew, elsewhere in a line every twenty seconds where ' +
      'something is otherwise than before, never with `-q`.',
    '## Other commands',
    'Those that are a master, or look at a configuration or at this machine. Where no file is named, it is `hsu-master.yaml` here or in a folder above.',
    ...OWN_COMMANDS.map(commandSection),
  );
}

/** Columns of help in the documentation. */
const WIDTH = 110;

function commandSection(spec: CommandSpec): string {
  return `### ${spec.name}\n\n\`\`\`text\n${helpOf(spec, WIDTH).trimEnd()}\n\`\`\``;
}

export { platformsPage } from './platform-page.ts';
