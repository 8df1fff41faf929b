import type { parseArgs } from 'node:util';

/** The options of the command line. */
export const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  config: { type: 'string', short: 'c' },
  file: { type: 'string', short: 'f' },
  'run-duration': { type: 'string' },
  'enable-log': { type: 'boolean' },
  'state-dir': { type: 'string' },
  'log-dir': { type: 'string' },
  containment: { type: 'string' },
  background: { type: 'boolean' },
  wait: { type: 'string' },
  'no-wait': { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  user: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  port: { type: 'string' },
  match: { type: 'string' },
  pid: { type: 'string' },
  id: { type: 'string' },
  yes: { type: 'boolean', short: 'y' },
  command: { type: 'string' },
  force: { type: 'boolean' },
  origin: { type: 'boolean' },
  debug: { type: 'boolean' },
} as const;

/** Their values. */
export type Flags = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** The directories that were given. */
export function directoriesOf(flags: Flags): {
  readonly stateDirectory?: string;
  readonly logDirectory?: string;
} {
  return {
    ...(flags['state-dir'] === undefined ? {} : { stateDirectory: flags['state-dir'] }),
    ...(flags['log-dir'] === undefined ? {} : { logDirectory: flags['log-dir'] }),
  };
}
