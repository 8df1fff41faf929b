import { accessSync, constants, existsSync } from 'node:fs';
import { homedir, release } from 'node:os';
import { dirname } from 'node:path';
import type { Capability } from '@hsu-master/core';
import { columns } from './columns.ts';
import { containmentMode, refuseContainment } from './containment.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { Flags } from './flags.ts';
import { inspectHost } from './inspect.ts';
import { choosePlaces, instanceOf, type Places } from './places.ts';
import { refused } from './refused.ts';

/** One thing that was looked at. `bad`: workers cannot be run as they should be. */
interface Finding {
  readonly about: string;
  readonly status: 'good' | 'less' | 'bad';
  readonly says: string;
}

const WORDS = { good: 'ok', less: 'less', bad: 'BAD' } as const;

/** `hsu-master doctor`: what this machine and this user offer, and what is lost. Starts nothing, changes nothing. */
export function doctor(flags: Flags): number {
  const containment = containmentMode(flags.containment);
  if (containment === null) return refuseContainment(flags.containment);
  let places: Places;
  try {
    places = choosePlaces({
      env: process.env,
      home: homedir(),
      privileged: process.getuid?.() === 0,
      stateDirectory: flags['state-dir'] ?? null,
      logDirectory: flags['log-dir'] ?? null,
      instance: instanceOf('config.yaml'),
    });
  } catch (error) {
    return refused(error);
  }
  const inspected = inspectHost(process.env, containment);
  try {
    const capabilities = inspected.host.capabilities();
    const findings = [
      system(),
      addon(inspected.lacksAddon),
      writable('state directory', places.stateDirectory),
      writable('log directory', places.logDirectory),
    ];
    const bad = findings.some(({ status }) => status === 'bad');
    process.stdout.write(
      `${flags.output === 'json' ? json(findings, capabilities) : text(findings, capabilities)}\n`,
    );
    return bad ? EXIT_CODES.failed.code : EXIT_CODES.ok.code;
  } finally {
    inspected.close();
  }
}

function system(): Finding {
  const { platform, arch, version } = process;
  const user = process.getuid === undefined ? '' : `, uid ${process.getuid()}`;
  return {
    about: 'system',
    status: 'good',
    says: `${platform} ${release()} ${arch}, Node ${version}${user}`,
  };
}

function addon(lacks: string | null): Finding {
  return lacks === null
    ? { about: 'addon', status: 'good', says: 'loaded' }
    : {
        about: 'addon',
        status: 'less',
        says: `${lacks}; workers run on the Node host, see below what is lost`,
      };
}

/** The directory, or the nearest one above it that exists, in which it would be made. */
function writable(about: string, directory: string): Finding {
  let nearest = directory;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return { about, status: 'good', says: directory };
  } catch (error) {
    const says = `${directory}: ${nearest} cannot be written to (${(error as NodeJS.ErrnoException).code}); set --state-dir or HSU_HOME`;
    return { about, status: 'bad', says };
  }
}

function text(findings: readonly Finding[], capabilities: readonly Capability[]): string {
  const seen = columns(findings.map(({ about, status, says }) => [about, WORDS[status], says]));
  const can = columns(capabilities.map(({ feature, status, reason }) => [feature, status, reason]));
  return `${seen}\n\n${can}`;
}

function json(findings: readonly Finding[], capabilities: readonly Capability[]): string {
  return JSON.stringify({ findings, capabilities }, null, 2);
}
