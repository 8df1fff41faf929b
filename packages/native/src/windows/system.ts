import * as check from '../check.ts';
import { nameError } from '../failure.ts';
import { windowsCode } from './errors.ts';

/** What native/windows/src/platform_object.cc exports; results are 0 or a Win32 error where nothing else is said. */
export interface WindowsSystemAddon {
  readonly ControlPipe: new (
    name: string,
    onConnection: (descriptor: number, pid: number, user: string) => void,
  ) => AddonControlPipe;
  mayInstallServices(): boolean;
  installService(settings: WindowsServiceSettings): number;
  uninstallService(name: string): number;
  startService(name: string): number;
  stopService(name: string): number;
  /** State, pid, exit code, how it starts, command line; or an error. */
  queryService(name: string): [number, number, number, number, string] | number;
  beginService(asked: (what: number) => void): number;
  serviceRunning(): void;
  serviceStopping(patience: number): void;
  serviceStopped(exitCode: number): void;
  watchSession(hear: (end: number) => void): number;
  sessionDone(): void;
  visibleWindows(pids: readonly number[]): number;
}

interface AddonControlPipe {
  security(): string;
  close(): void;
}

/** Who is at the other end of a pipe: its pid, 0 where that is not known, and the SID of its user, empty where not. */
export interface WindowsPeer {
  readonly pid: number;
  readonly user: string;
}

/** A pipe that only this machine’s owner of the process, its system and its administrators can open. */
export interface WindowsControlPipe {
  /** Its access control list, as the system has it, in SDDL; empty where it does not say. */
  readonly security: string;
  /** Connections that were handed over live on. */
  close(): void;
}

export interface WindowsServiceSettings {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Quoted. */
  readonly commandLine: string;
  /** Each `NAME=value`. */
  readonly environment: readonly string[];
  /** Milliseconds that it may take when the machine goes down. */
  readonly stopTimeout: number;
}

export interface WindowsServiceState {
  readonly state:
    | 'stopped'
    | 'starting'
    | 'stopping'
    | 'running'
    | 'continuing'
    | 'pausing'
    | 'paused'
    | 'unknown';
  /** 0: it does not run. */
  readonly pid: number;
  readonly exitCode: number;
  readonly startsWithMachine: boolean;
  readonly commandLine: string;
}

/** This process as the service that it was started as. */
export interface WindowsServiceProcess {
  running(): void;
  /** The next word comes within so many milliseconds. */
  stopping(patience: number): void;
  /** The last word: the manager may end this process. */
  stopped(exitCode: number): void;
}

export type WindowsSessionEnd = 'close' | 'log-off' | 'shutdown';

/** What the launcher asks of Windows beside processes. Texts returned are the names of errors, null: done. */
export interface WindowsSystem {
  /**
   * Opens `\\.\pipe\NAME`. Each connection comes as a descriptor for `net.Socket`.
   * Throws `Error` with `code`: `EEXIST` where somebody has that pipe.
   */
  openControlPipe(
    path: string,
    onConnection: (descriptor: number, peer: WindowsPeer) => void,
  ): WindowsControlPipe;
  mayInstallServices(): boolean;
  installService(settings: WindowsServiceSettings): string | null;
  uninstallService(name: string): string | null;
  startService(name: string): string | null;
  /** Asks it to stop, and does not wait. */
  stopService(name: string): string | null;
  /** null: there is none of that name; a text: it could not be asked. */
  queryService(name: string): WindowsServiceState | string | null;
  /** null: this process was not started as one. `asked` hears when it is to stop. */
  beginService(asked: (what: 'stop' | 'shutdown') => void): WindowsServiceProcess | null;
  /** The system waits for `done` before it ends this process, and no longer than it does for anybody. */
  watchSession(hear: (end: WindowsSessionEnd) => void): { done(): void };
  /** How many windows these processes show. */
  visibleWindows(pids: readonly number[]): number;
}

const STATES = [
  'unknown',
  'stopped',
  'starting',
  'stopping',
  'running',
  'continuing',
  'pausing',
  'paused',
] as const;
const SESSION_ENDS = ['close', 'log-off', 'shutdown'] as const;
const NO_SUCH_SERVICE = 1060;
const AUTO_START = 2;
const LARGEST_TIMEOUT = 0xffff_ffff;

const reason = (error: number): string | null => (error === 0 ? null : windowsCode(error));

function checkService(settings: WindowsServiceSettings): WindowsServiceSettings {
  const { name, title, description, commandLine, environment, stopTimeout } = settings;
  if (!Array.isArray(environment)) throw new TypeError('environment must be an array');
  return {
    name: check.text(name, 'name'),
    title: check.text(title, 'title'),
    description: check.text(description, 'description'),
    commandLine: check.text(commandLine, 'commandLine'),
    environment: environment.map((one, at) => check.text(one, `environment[${at}]`)),
    stopTimeout: check.integer(stopTimeout, 'stopTimeout', 0, LARGEST_TIMEOUT),
  };
}

export function windowsSystem(addon: WindowsSystemAddon): WindowsSystem {
  return {
    openControlPipe(path, onConnection) {
      try {
        const pipe = new addon.ControlPipe(check.text(path, 'path'), (descriptor, pid, user) =>
          onConnection(descriptor, { pid, user }),
        );
        return {
          get security() {
            return pipe.security();
          },
          close: () => pipe.close(),
        };
      } catch (error) {
        throw nameError(error);
      }
    },
    mayInstallServices: () => addon.mayInstallServices(),
    installService: (settings) => reason(addon.installService(checkService(settings))),
    uninstallService: (name) => reason(addon.uninstallService(check.text(name, 'name'))),
    startService: (name) => reason(addon.startService(check.text(name, 'name'))),
    stopService: (name) => reason(addon.stopService(check.text(name, 'name'))),
    queryService(name) {
      const answer = addon.queryService(check.text(name, 'name'));
      if (typeof answer === 'number') return answer === NO_SUCH_SERVICE ? null : windowsCode(answer);
      const [state, pid, exitCode, startType, commandLine] = answer;
      return {
        state: STATES[state] ?? 'unknown',
        pid,
        exitCode,
        startsWithMachine: startType === AUTO_START,
        commandLine,
      };
    },
    beginService(asked) {
      const error = addon.beginService((what) => asked(what === 0 ? 'stop' : 'shutdown'));
      if (error !== 0) return null;
      return {
        running: () => addon.serviceRunning(),
        stopping: (patience) =>
          addon.serviceStopping(check.integer(patience, 'patience', 0, LARGEST_TIMEOUT)),
        stopped: (exitCode) => addon.serviceStopped(check.integer(exitCode, 'exitCode', 0, 0xffff_ffff)),
      };
    },
    watchSession(hear) {
      const error = addon.watchSession((end) => hear(SESSION_ENDS[end] ?? 'close'));
      if (error !== 0) throw Object.assign(new Error(windowsCode(error)), { code: windowsCode(error) });
      return { done: () => addon.sessionDone() };
    },
    visibleWindows: (pids) => addon.visibleWindows(pids),
  };
}
