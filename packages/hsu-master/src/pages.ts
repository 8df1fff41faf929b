import { ERRORS, EVENT_MEANINGS } from '@hsu-master/core';
import { EXIT_CODES } from './exit-codes.ts';
import { HELP } from './help.ts';
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
  return page('Command line', `\`\`\`text\n${HELP}\`\`\``, '## Exit codes', table(['code', 'means'], rows));
}

/** docs/platforms.md */
export function platformsPage(): string {
  const platforms = PLATFORMS.map(({ platform, proof, notes }) => [platform, proof, notes]);
  const features = Object.entries(FEATURES).map(([name, { native, node }]) => [`\`${name}\``, native, node]);
  return page(
    'Platforms',
    'Node.js 22.22.2 or later of the 22 line, or 24.15.0 or later. Node sets the floor of the operating systems.',
    table(['platform', 'shown', 'notes'], platforms),
    '## What the hosts can do',
    'The native host uses the addon. Without it the Node host runs the same workers with less, and `hsu-master run` says what is lost. ' +
      'Resource limits are not enforced by this version on any platform; a configuration that sets them gets a warning.',
    table(['feature', 'native host (Linux)', 'Node host'], features),
  );
}
