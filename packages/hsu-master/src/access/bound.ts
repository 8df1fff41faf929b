import type { Server } from 'node:net';
import { HsuError } from '@hsu-master/core';
import { holderOf } from '@hsu-master/workers';

/** Where a server listens, and what that is called. */
export interface Bound {
  readonly host: string;
  readonly port: number;
  /** `the API` */
  readonly who: string;
  /** The key of the configuration that says so. */
  readonly key: string;
}

/**
 * Resolves when it listens; what goes wrong later with single connections ends nothing.
 * @throws HsuError E_ADDRESS naming who has the port; its detail has `inUse`
 */
export function bound(server: Server, { host, port, who, key }: Bound): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      const holder = isTaken ? holderOf(port) : null;
      const why = holder === null ? error.message : `pid ${holder.pid} (${holder.name}) has it`;
      const message = `${who} cannot listen at ${host}:${port}: ${why}; stop that or change ${key}`;
      reject(new HsuError('E_ADDRESS', message, { inUse: isTaken }, error));
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      // Of one connection, such as descriptors that are used up: those that are there go on.
      server.on('error', () => {});
      resolve();
    });
  });
}

/** An address as a URL has it. */
export function originOf(scheme: string, host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
