import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { homedir, release } from 'node:os';
import { dirname } from 'node:path';
import { type Capability, formatSize } from '@hsu-master/core';
import { columnsWithin } from './columns.ts';
import { containmentMode, refuseContainment } from './containment.ts';
import { askMaster } from './doctor-master.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { Flags } from './flags.ts';
import { inspectHost } from './inspect.ts';
import { choosePlaces, instanceOf, isPrivileged, type Places } from './places.ts';
import { print } from './print.ts';
import { projectFile } from './project-file.ts';
import { refused } from './refused.ts';

/** One thing that was looked at. `bad`: workers cannot be run as they should be. */
export interface Finding {
  readonly about: string;
  readonly status: 'good' | 'less' | 'bad';
  readonly says: string;
}

const WORDS = { good: 'ok', less: 'less', bad: 'BAD' } as const;

/** `hsu-master doctor`: what this machine and this user offer, what is lost, and how the running master is. Starts nothing, changes nothing. */
export async function doctor(flags: Flags): Promise<number> {
  const containment = containmentMode(flags.containment);
  if (containment === null) return refuseContainment(flags.containment);
  let places: Places;
  try {
    places = choosePlaces({
      env: process.env,
      home: homedir(),
      privileged: isPrivileged(process.env),
      stateDirectory: flags['state-dir'] ?? null,
      logDirectory: flags['log-dir'] ?? null,
      instance: instanceOf(flags.file ?? flags.config ?? projectFile(process.cwd()) ?? 'config.yaml'),
    });
  } catch (error) {
    return refused(error);
  }
  const inspected = inspectHost(process.env, containment);
  try {
    const capabilities = inspected.host.capabilities();
    const asked = await askMaster(flags);
    const findings = [
      system(),
      addon(inspected.lacksAddon),
      writable('state directory', places.stateDirectory),
      writable('log directory', places.logDirectory),
      room(places.logDirectory),
      ...asked.findings,
    ];
    const bad = findings.some(({ status }) => status === 'bad');
    const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY;
    const value = { findings, capabilities, master: asked.master };
    await print(flags.output, value, () => doctorText(findings, capabilities, columns));
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

function nearestOf(directory: string): string {
  let nearest = directory;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  return nearest;
}

/** The directory, or the nearest one above it that exists, in which it would be made. */
function writable(about: string, directory: string): Finding {
  const nearest = nearestOf(directory);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return { about, status: 'good', says: directory };
  } catch (error) {
    const says = `${directory}: ${nearest} cannot be written to (${(error as NodeJS.ErrnoException).code}); set --state-dir or HSU_HOME`;
    return { about, status: 'bad', says };
  }
}

/** Less than this is soon written full. */
const LITTLE_ROOM = 512 * 1024 * 1024;

/** What is left on the disk of the logs. */
function room(directory: string): Finding {
  const about = 'disk of the logs';
  try {
    const { bavail, bsize, blocks } = statfsSync(nearestOf(directory));
    const free = bavail * bsize;
    const share = blocks === 0 ? 0 : Math.round((bavail / blocks) * 100);
    const says = `${formatSize(Math.floor(free / 1024 ** 2) * 1024 ** 2)} free, ${share}%`;
    return free < LITTLE_ROOM
      ? { about, status: 'less', says: `${says}: output is dropped when it is full` }
      : { about, status: 'good', says };
  } catch (error) {
    return { about, status: 'less', says: `not known (${(error as NodeJS.ErrnoException).code})` };
  }
}

/** For people, within so many columns. */
export function doctorText(
  findings: readonly Finding[],
  capabilities: readonly Capability[],
  width: number,
): string {
  const seen = columnsWithin(
    findings.map(({ about, status, says }) => [about, WORDS[status], says]),
    width,
  );
  const can = columnsWithin(
    capabilities.map(({ feature, status, reason }) => [feature, status, reason]),
    width,
  );
  return `${seen}\n\n${can}`;
}
