import { accessSync, chmodSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Addon } from './addon.ts';
import { capabilitiesFrom, outputCapability } from './capabilities.ts';
import * as check from './check.ts';
import { checkProcessLimits } from './check-limits.ts';
import { openEngine } from './engine.ts';
import { errnoName, failureFrom, nameError, signalResult } from './failure.ts';
import { MACOS_NOFILE, macosCapabilities } from './macos.ts';
import type { Native } from './native.ts';
import { findInitialNofile, readText } from './nofile.ts';
import { lookAtProcesses } from './processes.ts';
import { openPump } from './pump.ts';
import { decodeRows } from './rows.ts';
import { openSampler } from './sampler.ts';
import { sampleTrees } from './usage.ts';
import { commonFace, windowsFace } from './windows/face.ts';
import type { WindowsNative } from './windows/native.ts';

const LARGEST_FD = 2 ** 31 - 1;

export type LoadedNative =
  /** `windows`: what that system has beside the common calls, its processes among it; null elsewhere. */
  | { readonly ok: true; readonly native: Native; readonly windows: WindowsNative | null }
  | { readonly ok: false; readonly reason: string };

const packages: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: '@hsu-master/native-linux',
  darwin: '@hsu-master/native-macos',
  win32: '@hsu-master/native-windows',
};

/** What node-gyp-build is: it loads the binary that is for this machine, or says where that lies. */
interface NodeGypBuild {
  (folder: string): unknown;
  path(folder: string): string;
}

/**
 * The addon of this system, or why there is none. Never throws. `HSU_NATIVE=off` in `environment` declines it. The
 * limit that `nofile: null` stands for is read here, while the ancestors are most likely to be alive.
 */
export function loadNative(environment: NodeJS.ProcessEnv = process.env): LoadedNative {
  if (environment['HSU_NATIVE'] === 'off') return { ok: false, reason: 'switched off by HSU_NATIVE=off' };
  const name = packages[process.platform];
  if (name === undefined) return { ok: false, reason: `there is no addon for ${process.platform}` };
  try {
    const require = createRequire(import.meta.url);
    const folder = dirname(require.resolve(`${name}/package.json`));
    const nodeGypBuild = require('node-gyp-build') as NodeGypBuild;
    if (process.platform === 'win32') {
      const windows = nodeGypBuild(folder) as Parameters<typeof commonFace>[0];
      const file = nodeGypBuild.path(folder);
      return { ok: true, native: commonFace(windows), windows: windowsFace(windows, file) };
    }
    if (process.platform === 'darwin') {
      makeRunnable(join(dirname(nodeGypBuild.path(folder)), 'hsu-launch'));
      return { ok: true, native: macosFace(nodeGypBuild(folder) as Addon), windows: null };
    }
    const addon = nodeGypBuild(folder) as Addon;
    const { pidfd } = addon.probe();
    if (pidfd !== 0) {
      return {
        ok: false,
        reason: `${name} needs pidfds (Linux 5.3); pidfd_open answers ${errnoName(pidfd)}`,
      };
    }
    return { ok: true, native: linuxFace(addon), windows: null };
  } catch (error) {
    return { ok: false, reason: `${name} cannot be loaded: ${firstLine(error)}` };
  }
}

/** What every child begins as on macOS; archivers drop the permission. */
function makeRunnable(file: string): void {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    chmodSync(file, 0o755);
  }
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? message;
}

/** System failures get the name of their errno. */
function named<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw nameError(error);
  }
}

function pairs(numbers: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < numbers.length; at += 2)
    found.push([numbers[at] as number, numbers[at + 1] as number]);
  return found;
}

function linuxFace(addon: Addon): Native {
  return face(addon, findInitialNofile(readText), () => [
    ...capabilitiesFrom(addon.probe()),
    outputCapability(readText, process.getuid?.() === 0),
  ]);
}

function macosFace(addon: Addon): Native {
  return face(addon, MACOS_NOFILE, () => macosCapabilities(addon.probe()));
}

function face(addon: Addon, initialNofile: number, capabilities: Native['capabilities']): Native {
  return {
    openEngine: (options) => openEngine(addon, options, () => initialNofile),
    openPump: (options) => openPump(addon, options),
    identify(pid) {
      const row = named(() => addon.identify(check.pid(pid)));
      return row === null ? null : (decodeRows(row)[0] ?? null);
    },
    bootId: () => named(() => addon.bootId()),
    processTable: () => decodeRows(named(() => addon.processTable())),
    lookAtProcesses: (query) => named(() => lookAtProcesses(addon, query)),
    environOf: (pid, name) => addon.environOf(check.pid(pid), check.text(name, 'name')),
    lookupUser: (nameOrId) => named(() => addon.lookupUser(check.text(nameOrId, 'user'))),
    lookupGroup: (nameOrId) => named(() => addon.lookupGroup(check.text(nameOrId, 'group'))),
    lockFile: (path, inherited = -1) =>
      named(() =>
        addon.lockFile(check.text(path, 'path'), check.integer(inherited, 'inherited', -1, LARGEST_FD)),
      ),
    exec(file, argv, env, kept) {
      const errno = addon.exec(
        check.text(file, 'file'),
        argv.map((word) => check.text(word, 'argv')),
        Object.entries(env).flatMap(([name, value]) =>
          value === undefined ? [] : [check.text(`${name}=${value}`, 'env')],
        ),
        kept.map((fd) => check.integer(fd, 'kept', 0, LARGEST_FD)),
      );
      return errnoName(errno);
    },
    unlockFile: (lock) => addon.unlockFile(check.integer(lock, 'lock', 0, Number.MAX_SAFE_INTEGER)),
    reservePort(port) {
      const [result, number] = addon.reservePort(check.integer(port, 'port', 0, 65_535));
      if (typeof result === 'number') return { ok: true, reservation: result, port: number };
      return { ok: false, errno: number, code: errnoName(number), call: result };
    },
    releasePort: (reservation) =>
      addon.releasePort(check.integer(reservation, 'reservation', 3, Number.MAX_SAFE_INTEGER)),
    sendDatagram(path, bytes, file = '') {
      const errno = addon.sendDatagram(
        check.text(path, 'path'),
        check.bytes(bytes, 'bytes'),
        check.text(file, 'file'),
      );
      return errno === 0 ? null : errnoName(errno);
    },
    peerCredentials: (fd) => named(() => addon.peerCredentials(check.integer(fd, 'fd', 0, LARGEST_FD))),
    signalProcess: (pid, startTime, signal) =>
      signalResult(addon.signalProcess(check.pid(pid), check.startTime(startTime), check.signal(signal))),
    trimMemory: () => addon.trimMemory(),
    sampleTrees: (trees, detail) => sampleTrees(addon, trees, detail),
    openSampler: () => openSampler(addon),
    limitProcess(pid, startTime, limits) {
      const numbers = addon.limitProcess(
        check.pid(pid),
        check.startTime(startTime),
        checkProcessLimits(limits),
      );
      return pairs(numbers).map(([step, errno]) => failureFrom(step, errno));
    },
    capabilities,
  };
}
