import { ASK_EXIT_CODES, COMMANDS, type CommandSpec, helpOf } from '@hsu-master/cli';
import { ERRORS, EVENT_MEANINGS, LIMIT_NAMES, LIMITS } from '@hsu-master/core';
import { LIMIT_SUPPORT, MACOS_SUPPORT, type Support, windowsSupport } from '@hsu-master/workers';
import { EXIT_CODES } from './exit-codes.ts';
import { HELP } from './help.ts';
import { OWN_COMMANDS } from './own-commands.ts';
import { FEATURES, PLATFORMS } from './platform-table.ts';

const GENERATED = '<!-- Generated from the code by `npm run docs`; changes here are lost. -->';

function page(title: string, ...parts: readonly string[]): string {
  return `${[GENERATED, `# ${title}`, ...parts].join('\n\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

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
    'Of commands that ask a master:',
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

/** docs/platforms.md */
export function platformsPage(): string {
  const platforms = PLATFORMS.map(({ platform, proof, notes }) => [platform, proof, notes]);
  const features = Object.entries(FEATURES).map(([name, { native, node }]) => [`\`${name}\``, native, node]);
  return page(
    'Platforms',
    'Node.js 22.22.2 or later of the 22 line, or 24.15.0 or later. Node sets the floor of the operating systems.',
    table(['platform', 'shown', 'notes'], platforms),
    '## Shells',
    '`hsu-master completion` prints scripts for bash, zsh and fish, which the tests run where these shells are installed, and for PowerShell, which is a script only: it ' +
      'was never run, as there is no PowerShell on the machines that it was made on.',
    '## What the hosts can do',
    'The native host uses the addon. Without it the Node host runs the same workers with less, and `hsu-master run` says what is lost.',
    table(['feature', 'native host (Linux)', 'Node host'], features),
    '## What holds each limit',
    'On Linux, with the addon, by the control groups that the master may use; each controller is taken where it is, so that one machine can be in ' +
      'several columns. `hsu-master limits explain` tells what becomes of the limits of a configuration on the machine where it is called, with the reasons that only ' +
      'that machine knows: rights, disks, limits around the master. *enforced*: the kernel does not let it be exceeded · *watched*: the use of the tree is measured, and ' +
      'what the policy says follows · *impossible*: neither. Without the addon all of them are impossible.',
    table(['limit', 'about', 'cgroup v2', 'cgroup v1', 'neither'], limitRows()),
    '### On macOS',
    'As in the last column, with these exceptions; none of it was tried there. The soft limits that launchd gives the master (`SoftResourceLimits` in its plist, ' +
      '`launchctl limit`) hold for it and its workers: hard ones are not raised, and what is above them is cut and said.',
    table(
      ['limit', 'macOS'],
      Object.entries(MACOS_SUPPORT).map(([limit, support]) => [`\`${limit}\``, supportText(support)]),
    ),
    '### On Windows',
    'By the Job Object around each worker; budgets of several workers are not held there. None of it was tried on Windows itself: Wine accepts limits of jobs and does not ' +
      'keep them, and is told of as such.',
    table(
      ['limit', 'Windows'],
      LIMIT_NAMES.map((limit) => [`\`${limit}\``, supportText(windowsSupport(limit))]),
    ),
  );
}

function limitRows(): readonly (readonly string[])[] {
  return Object.entries(LIMIT_SUPPORT).map(([limit, { controller, cgroup2, cgroup1, neither }]) => [
    `\`${limit}\``,
    LIMITS[limit as keyof typeof LIMITS].means,
    supportText(cgroup2),
    ...(controller === null ? ['the same', 'the same'] : [supportText(cgroup1), supportText(neither)]),
  ]);
}

function supportText({ status, mechanism, note }: Omit<Support, 'file'>): string {
  const by =
    mechanism === '' || mechanism === 'sampling' ? '' : `: ${mechanism.replace(/^(?:cgroup[12]|job) /, '')}`;
  return `${status}${by}${note === '' ? '' : `; ${note}`}`;
}
