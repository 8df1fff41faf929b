import type { Milliseconds } from '@hsu-master/core';
import { loadNative, type WindowsSessionEnd } from '@hsu-master/native';

/** How the system ends a master: its session, or the service that it is. */
export type EndBySystem = WindowsSessionEnd | 'service-stop' | 'preshutdown';

/** What of the system ends a master, and how long whoever is told of it has. */
export interface SessionEnd {
  readonly reason: string;
  /** Absent: the system waits as long as it hears that the stop goes on. */
  readonly within?: Milliseconds;
}

export interface SessionWatch {
  /** Never resolves where sessions do not end so. */
  readonly first: Promise<SessionEnd>;
  /** All is done: the system need not wait any more. */
  done(): void;
}

/** What Windows gives to a program whose console is closed, or whose user goes, less what the end itself takes. */
const GRANTED: Milliseconds = 4000;

const ENDS: Readonly<Record<EndBySystem, SessionEnd>> = {
  close: { reason: 'the console was closed', within: GRANTED },
  'log-off': { reason: 'the user logs off', within: GRANTED },
  shutdown: { reason: 'the machine goes down', within: GRANTED },
  'service-stop': { reason: 'the service was stopped' },
  preshutdown: { reason: 'the machine goes down' },
};

/** What follows from it. */
export function sessionEnd(end: EndBySystem): SessionEnd {
  return ENDS[end];
}

/**
 * Hears that the console is closed, the user logs off or the machine goes down, where the system tells that otherwise than by signals:
 * on Windows. It then waits for `done`, for a few seconds.
 */
export function watchSession(): SessionWatch {
  const { promise, resolve } = Promise.withResolvers<SessionEnd>();
  const loaded = loadNative();
  if (!loaded.ok || loaded.windows === null) return { first: promise, done: () => {} };
  try {
    const watch = loaded.windows.system.watchSession((end) => resolve(sessionEnd(end)));
    return { first: promise, done: () => watch.done() };
  } catch {
    // Ctrl-C and the signals that Node makes of the others are left.
    return { first: promise, done: () => {} };
  }
}
