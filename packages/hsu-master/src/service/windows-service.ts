import type { Milliseconds } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { type SessionEnd, sessionEnd } from '../session.ts';
import type { ServiceManager } from './notify.ts';

/** The variable by which an installed service of Windows knows that it is one. */
export const SERVICE_VARIABLE = 'HSU_SERVICE';

/** How often the manager of services is told that the stop goes on, and how long it is to wait for the next word. */
const SIGN_OF_LIFE: Milliseconds = 2000;
const PATIENCE: Milliseconds = 15_000;

/** A master that the service control manager has started. */
export interface WindowsService extends ServiceManager {
  /** Resolves when it is asked to stop, or the machine goes down. */
  readonly asked: Promise<SessionEnd>;
  /** The last word; null: as it was asked to. */
  ended(code: number): void;
}

/** The program of the manager of services. */
const MANAGER = 'services.exe';

/**
 * null: this process was not started as a service of Windows, which it knows by the variable, or else, since Wine does not give it one, by its
 * parent. Takes the variable out of the environment: it is for this program alone.
 */
export function windowsService(env: Record<string, string | undefined>): WindowsService | null {
  const name = env[SERVICE_VARIABLE];
  delete env[SERVICE_VARIABLE];
  if (process.platform !== 'win32') return null;
  const loaded = loadNative();
  if (!loaded.ok || loaded.windows === null) return null;
  const parent = (): string | undefined =>
    loaded.windows
      ?.processes()
      .find(({ pid }) => pid === process.ppid)
      ?.name.toLowerCase();
  if (name === undefined && parent() !== MANAGER) return null;
  const { promise, resolve } = Promise.withResolvers<SessionEnd>();
  const service = loaded.windows.system.beginService((what) =>
    resolve(sessionEnd(what === 'shutdown' ? 'preshutdown' : 'service-stop')),
  );
  if (service === null) return null;
  let timer: NodeJS.Timeout | undefined;
  return {
    asked: promise,
    ready: () => service.running(),
    stopping() {
      service.stopping(PATIENCE);
      timer = setInterval(() => service.stopping(PATIENCE), SIGN_OF_LIFE);
    },
    close: () => clearInterval(timer),
    ended(code) {
      clearInterval(timer);
      service.stopped(code);
    },
  };
}
