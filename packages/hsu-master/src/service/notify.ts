import type { Clock, Milliseconds } from '@hsu-master/core';

/** Tells the service manager that started this process how it stands, as sd_notify(3) describes it. */
export interface ServiceManager {
  ready(status: string): void;
  stopping(): void;
  /** No more signs of life. */
  close(): void;
}

const NOBODY: ServiceManager = { ready: () => {}, stopping: () => {}, close: () => {} };

/** What the service manager is told by, and when. */
export interface ServiceManagerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly clock: Clock;
  /** Sends a datagram to a unix socket, `@name` to an abstract one. */
  send(path: string, bytes: Uint8Array): unknown;
}

/** Where nobody asked to be told, nothing is said. From `ready` on there is a sign of life twice in the time that the watchdog waits. */
export function serviceManager({ env, pid, clock, send }: ServiceManagerOptions): ServiceManager {
  const socket = env['NOTIFY_SOCKET'];
  if (socket === undefined || !/^[/@]./.test(socket)) return NOBODY;
  const say = (...lines: readonly string[]): void => {
    send(socket, Buffer.from(`${lines.join('\n')}\n`));
  };
  const interval = watchdogInterval(env, pid);
  let cancel = (): void => {};
  const live = (): void => {
    if (interval === null) return;
    say('WATCHDOG=1');
    cancel = clock.after(interval, live);
  };
  return {
    ready(status) {
      say('READY=1', `MAINPID=${pid}`, `STATUS=${status}`);
      cancel();
      live();
    },
    stopping: () => say('STOPPING=1', 'STATUS=stopping all workers'),
    close: () => cancel(),
  };
}

function watchdogInterval(env: ServiceManagerOptions['env'], pid: number): Milliseconds | null {
  const whose = env['WATCHDOG_PID'];
  const waits = Number(env['WATCHDOG_USEC']);
  if ((whose !== undefined && whose !== String(pid)) || !(waits > 0)) return null;
  return waits / 2000;
}
