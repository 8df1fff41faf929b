import type { Milliseconds } from '@hsu-master/core';
import { loadNative, type WindowsSessionEnd } from '@hsu-master/native';

/** What of the system ends a session, and how long whoever is told of it has. */
export interface SessionEnd {
  readonly reason: string;
  readonly within: Milliseconds;
}

export interface SessionWatch {
  /** Never resolves where sessions do not end so. */
  readonly first: Promise<SessionEnd>;
  /** All is done: the system need not wait any more. */
  done(): void;
}

/** What Windows gives to a program whose console is closed, or whose user goes, less what the end itself takes. */
const GRANTED: Readonly<Record<WindowsSessionEnd, Milliseconds>> = {
  close: 4000,
  'log-off': 4000,
  shutdown: 4000,
};

const REASONS: Readonly<Record<WindowsSessionEnd, string>> = {
  close: 'the console was closed',
  'log-off': 'the user logs off',
  shutdown: 'the machine goes down',
};

/** What follows from it. */
export function sessionEnd(end: WindowsSessionEnd): SessionEnd {
  return { reason: REASONS[end], within: GRANTED[end] };
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
