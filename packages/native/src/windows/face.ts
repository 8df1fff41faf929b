import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Addon } from '../addon.ts';
import * as check from '../check.ts';
import { nameError } from '../failure.ts';
import type { Native, NativeSignalResult, ProcessRow } from '../native.ts';
import { openPump } from '../pump.ts';
import type { WindowsAddon } from './addon.ts';
import { windowsCapabilities } from './capabilities.ts';
import { failureOrNull, openWindowsEngine } from './engine.ts';
import { nameWindowsError, windowsCode } from './errors.ts';
import { checkedPid, checkedStartTime, windowsText } from './identity.ts';
import { lookAtWindows, variableOf } from './look.ts';
import type { WindowsNative, WindowsProcess } from './native.ts';
import { decodeProcesses } from './rows.ts';
import { type WindowsSystemAddon, windowsSystem } from './system.ts';

/** The addon, with what its other half exports under the names that Linux has for it. */
type WholeAddon = WindowsAddon & WindowsSystemAddon & Pick<Addon, 'Pump' | 'lockFile' | 'unlockFile'>;

const RELAY = 'hsu_relay.exe';
/** What ends a process where nothing else is said; libuv has the same. */
const ENDED = 1;
const SIGKILL = 9;

function named<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw nameWindowsError(error);
  }
}

function lacks(what: string): () => never {
  return () => {
    throw Object.assign(new Error(`Windows has no ${what}`), { code: 'ENOSYS' });
  };
}

function rowOf({ pid, ppid, startTime, state }: WindowsProcess): ProcessRow {
  return { pid, ppid, pgid: 0, sid: 0, startTime, state };
}

/** What Windows has in common with others. Engines of processes are `WindowsNative`’s. */
export function commonFace(addon: WholeAddon): Native {
  const table = (): readonly WindowsProcess[] => decodeProcesses(named(() => addon.processTable()));
  const signalProcess = (pid: number, startTime: string, signal: number): NativeSignalResult => {
    const process = [checkedPid(pid), checkedStartTime(startTime)] as const;
    check.signal(signal);
    if (signal !== 0 && signal !== SIGKILL) return { ok: false, errno: 87, code: 'EINVAL' };
    const error = signal === 0 ? addon.mayEnd(...process) : addon.terminate(...process, ENDED);
    return error === 0 ? { ok: true } : { ok: false, errno: error, code: windowsCode(error) };
  };
  return {
    openEngine: lacks('engine like this one: its processes are made by WindowsNative'),
    openPump: (options) => openPump(addon as unknown as Addon, options),
    identify(pid) {
      const found = addon.identify(checkedPid(pid));
      if (found === null) return null;
      return (
        table()
          .map(rowOf)
          .find((row) => row.pid === pid) ?? null
      );
    },
    bootId: () => addon.bootId(),
    processTable: () => table().map(rowOf),
    lookAtProcesses: (query) => named(() => lookAtWindows(addon, query)),
    environOf: (pid, name) => variableOf(addon, checkedPid(pid), check.text(name, 'name')),
    sampleTrees: lacks('groups'),
    openSampler: lacks('groups'),
    limitProcess: lacks('limits of single processes'),
    lookupUser: () => null,
    lookupGroup: () => null,
    lockFile(path) {
      const whole = check.text(path, 'path');
      try {
        return addon.lockFile(whole, -1);
      } catch (error) {
        throw nameError(error);
      }
    },
    unlockFile: (lock) => addon.unlockFile(check.integer(lock, 'lock', 0, Number.MAX_SAFE_INTEGER)),
    exec: () => 'ENOSYS',
    reservePort(port) {
      check.integer(port, 'port', 0, 65_535);
      return { ok: false, errno: 50, code: 'ENOTSUP', call: 'bind' };
    },
    releasePort: () => {},
    sendDatagram: () => 'ENOTSUP',
    peerCredentials: lacks('credentials of a connection'),
    signalProcess,
    trimMemory: () => {},
    capabilities: () => windowsCapabilities(addon.system()),
  };
}

/** What only Windows has. `file`: the addon’s own path; the relay lies beside it. */
export function windowsFace(addon: WholeAddon, file: string): WindowsNative {
  const relay = join(dirname(file), RELAY);
  const processesOf = (): readonly WindowsProcess[] => decodeProcesses(named(() => addon.processTable()));
  return {
    openEngine: (options) => openWindowsEngine(addon, options),
    features: addon.system(),
    processes: processesOf,
    connections() {
      const counts = new Map<number, number>();
      for (const pid of named(() => addon.connections())) counts.set(pid, (counts.get(pid) ?? 0) + 1);
      return counts;
    },
    terminate: (pid, startTime, code) =>
      failureOrNull(
        'TerminateProcess',
        addon.terminate(
          checkedPid(pid),
          checkedStartTime(startTime),
          check.integer(code, 'code', 0, 0xffff_ffff),
        ),
      ),
    suspend: (pid, startTime, suspended) =>
      failureOrNull(
        suspended ? 'NtSuspendProcess' : 'NtResumeProcess',
        addon.suspend(checkedPid(pid), checkedStartTime(startTime), check.boolean(suspended, 'suspended')),
      ),
    mayEnd: (pid, startTime) => addon.mayEnd(checkedPid(pid), checkedStartTime(startTime)) === 0,
    closeWindows: (pids) => addon.closeWindows(pids.map(checkedPid)),
    consolePids: () => new Set(addon.consolePids()),
    repairConsole: (deadPid) => addon.repairConsole(checkedPid(deadPid)) !== 0,
    enablePrivilege: (name) => addon.enablePrivilege(windowsText(name, 'privilege')) === 0,
    system: windowsSystem(addon),
    relay: existsSync(relay) ? relay : null,
  };
}
