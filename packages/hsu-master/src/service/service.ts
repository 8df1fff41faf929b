import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatIssue, type LoadedConfig, readConfigFile } from '@hsu-master/config';
import type { Milliseconds } from '@hsu-master/core';
import { load, placesOf } from '../create-master.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { directoriesOf, type Flags } from '../flags.ts';
import { instanceOf, type Places } from '../places.ts';
import { print } from '../print.ts';
import { wantsColour } from '../terminal-colour.ts';
import { type Manager, managerOf, type Step } from './manager.ts';
import type { ServiceSpec } from './unit-file.ts';
import { mayManageServices } from './windows-manager.ts';

/** What comes after the stop of the last worker: output that is still on its way. */
const LAST_LINES: Milliseconds = 15_000;

/** `hsu-master service ACTION FILE`: has the machine, or the user’s session, start the master of a configuration. */
export async function service(action: string | undefined, file: string, flags: Flags): Promise<number> {
  if (file === '' || (action !== 'install' && action !== 'uninstall' && action !== 'status')) {
    const wanted = 'install, uninstall or status, and a configuration file';
    return fail(`service takes ${wanted}: hsu-master service install config.yaml`, EXIT_CODES.usage.code);
  }
  const scope = flags.user === true ? 'user' : 'system';
  const isRehearsal = flags['dry-run'] === true;
  if (scope === 'system' && action !== 'status' && !isRehearsal) {
    const refusal = whyNot(action);
    if (refusal !== null) return fail(refusal, EXIT_CODES.forbidden.code);
  }
  const configFile = resolve(file);
  const places = placesOf(configFile, process.env, directoriesOf(flags));
  const stopTimeout = action === 'install' ? stopTimeoutOf(configFile, places) : 0;
  if (stopTimeout === null) return EXIT_CODES.usage.code;
  const manager = managerOf(specOf(configFile, scope, flags, stopTimeout), places.logDirectory);
  if (typeof manager === 'string') return fail(manager, EXIT_CODES.failed.code);
  if (action === 'status') return status(manager, flags);
  if (action === 'uninstall' && manager.status().state === 'not installed') {
    return fail(`${manager.name} is not installed (no ${manager.file})`, EXIT_CODES.failed.code);
  }
  const steps = action === 'install' ? manager.install : manager.uninstall;
  if (isRehearsal) return rehearse(action, manager, steps);
  return perform(action, manager, steps);
}

/** null: this user may change what services the machine has. */
function whyNot(action: 'install' | 'uninstall'): string | null {
  if (process.platform === 'win32') {
    if (mayManageServices()) return null;
    return `only an administrator may ${action} a service; --dry-run shows what would be done`;
  }
  if (process.getuid?.() === 0) return null;
  const instead = 'use --user for one of your session, or --dry-run to see what would be done';
  return `only root may ${action} a service of the system; ${instead}`;
}

/** How long an ordered stop may take; null where the configuration is not valid, which has been said then. */
function stopTimeoutOf(configFile: string, places: Places): Milliseconds | null {
  const read = readConfigFile(configFile);
  if (!read.ok) {
    fail(read.failure.message, EXIT_CODES.usage.code);
    return null;
  }
  const result = load({ file: configFile, text: read.text }, process.env, places);
  const colour = wantsColour(process.stderr, process.env);
  const issues = result.ok ? result.config.warnings : result.issues;
  for (const issue of issues) process.stderr.write(`${formatIssue(issue, { colour })}\n`);
  if (result.ok) return timeOfStop(result.config);
  fail('the configuration is not valid: no service was made of it', EXIT_CODES.usage.code);
  return null;
}

function timeOfStop({ master }: LoadedConfig): Milliseconds {
  return master.forceShutdownTimeout + LAST_LINES;
}

function specOf(
  configFile: string,
  scope: ServiceSpec['scope'],
  flags: Flags,
  stopTimeout: Milliseconds,
): ServiceSpec {
  const folders = (['state-dir', 'log-dir'] as const).flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [`--${name}`, resolve(value)];
  });
  const mode = flags.containment === undefined ? [] : ['--containment', flags.containment];
  const home = process.env['HSU_HOME'];
  return {
    name: `hsu-master-${instanceOf(configFile)}`,
    scope,
    argv: [
      process.execPath,
      realpathSync(process.argv[1] ?? ''),
      'run',
      configFile,
      '--background',
      ...folders,
      ...mode,
    ],
    configFile,
    environment: {
      // Workers find their programs where they are found now.
      ...(process.env['PATH'] === undefined ? {} : { PATH: process.env['PATH'] }),
      ...(home === undefined || home === '' ? {} : { HSU_HOME: resolve(home) }),
    },
    stopTimeout,
  };
}

async function status(manager: Manager, flags: Flags): Promise<number> {
  const { state, details } = manager.status();
  const rows = [
    ['service', manager.name],
    ['file', manager.file],
    ['state', state],
    ...Object.entries(details),
  ];
  await print(flags.output, Object.fromEntries(rows), () =>
    rows.map(([name = '', value = '']) => `${name.padEnd(9)}${value}`).join('\n'),
  );
  return state === 'active' ? EXIT_CODES.ok.code : EXIT_CODES.failed.code;
}

function rehearse(action: 'install' | 'uninstall', manager: Manager, steps: readonly Step[]): number {
  if (action === 'install') process.stdout.write(`${manager.file}:\n\n${manager.content}\n`);
  for (const step of steps) process.stdout.write(`would ${step.says}\n`);
  return EXIT_CODES.ok.code;
}

function perform(action: 'install' | 'uninstall', manager: Manager, steps: readonly Step[]): number {
  for (const step of steps) {
    const failure = step.act();
    if (failure === null) continue;
    return fail(`cannot ${step.says}: ${failure}`, EXIT_CODES.failed.code);
  }
  process.stdout.write(`${manager.name}: ${action}ed\n`);
  const hint = action === 'install' ? manager.hint() : null;
  if (hint !== null) process.stdout.write(`${hint}\n`);
  return EXIT_CODES.ok.code;
}

function fail(message: string, code: number): number {
  process.stderr.write(`hsu-master: ${message}\n`);
  return code;
}
