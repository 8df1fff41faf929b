import { closeSync, fstatSync } from 'node:fs';
import { basename } from 'node:path';
import type { Clock, Milliseconds } from '@hsu-master/core';
import { parseChannelName } from './channel-name.ts';

/** Keeps the FIFOs of runs while no master runs, and what is in them with it. Never throws. */
export interface ChannelStore {
  keep(fifo: string): void;
  forget(fifo: string): void;
  /** After those that an earlier master had kept were opened: `present` are the names of FIFOs that there are. */
  settle(present: ReadonlySet<string>): void;
}

export interface SystemdStoreOptions {
  /** NOTIFY_SOCKET, LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID of a service’s main process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly clock: Clock;
  /** Sends a datagram, with a descriptor of `file` opened for reading where it is given; null, or the name of the error. */
  send(socket: string, message: Uint8Array, file?: string): string | null;
  /** Called once where it does not work. */
  trouble(reason: string): void;
}

/** Where systemd gives descriptors. */
const FIRST_DESCRIPTOR = 3;
/** The socket is full when hundreds of workers start at once. */
const RETRY: Milliseconds = 50;

/**
 * The store of descriptors of the service that this process is (FileDescriptorStoreMax=), where it has one. Descriptors there are for
 * reading only: a channel ends when its worker does, as without it.
 * @returns null where there is no service manager to ask
 */
export function systemdStore(options: SystemdStoreOptions): ChannelStore | null {
  const socket = options.environment['NOTIFY_SOCKET'];
  // Since version 254 it says whether it would keep anything.
  if (socket === undefined || options.environment['FDSTORE'] === '0') return null;
  return new Store(options, socket);
}

class Store implements ChannelStore {
  readonly #options: SystemdStoreOptions;
  readonly #socket: string;
  readonly #inherited: readonly { readonly fd: number; readonly name: string }[];
  /** By name: what is to be said; with the path it is to be kept, else to be forgotten. */
  readonly #unsent = new Map<string, string | null>();
  #isWaiting = false;
  #isBroken = false;

  constructor(options: SystemdStoreOptions, socket: string) {
    this.#options = options;
    this.#socket = socket;
    this.#inherited = inheritedChannels(options);
  }

  keep(fifo: string): void {
    // Another descriptor of the same FIFO would be kept beside the one that is.
    if (!this.#inherited.some(({ name }) => name === basename(fifo))) this.#say(basename(fifo), fifo);
  }

  forget(fifo: string): void {
    this.#say(basename(fifo), null);
  }

  settle(present: ReadonlySet<string>): void {
    for (const { fd, name } of this.#inherited) {
      closeSync(fd);
      if (!present.has(name)) this.#say(name, null);
    }
  }

  #say(name: string, fifo: string | null): void {
    if (this.#isBroken) return;
    this.#unsent.delete(name);
    this.#unsent.set(name, fifo);
    if (!this.#isWaiting) this.#send();
  }

  #send(): void {
    this.#isWaiting = false;
    const { clock, send, trouble } = this.#options;
    for (const [name, fifo] of this.#unsent) {
      // Not watched: it would be given up when its worker ends, which is what it is kept for.
      const text = fifo === null ? `FDSTOREREMOVE=1\nFDNAME=${name}` : `FDSTORE=1\nFDPOLL=0\nFDNAME=${name}`;
      const error = send(this.#socket, Buffer.from(text), ...(fifo === null ? [] : [fifo]));
      if (error === 'EAGAIN' || error === 'ENOBUFS') {
        this.#isWaiting = true;
        clock.after(RETRY, () => this.#send());
        return;
      }
      this.#unsent.delete(name);
      // A FIFO that is gone already needs nobody who keeps it.
      if (error === null || (error === 'ENOENT' && fifo !== null)) continue;
      this.#isBroken = true;
      this.#unsent.clear();
      trouble(`the service manager does not keep the channels of workers: ${error}`);
    }
  }
}

/** Descriptors that were kept for an earlier master; others that this process was given are left alone. */
function inheritedChannels({ environment, pid }: SystemdStoreOptions): { fd: number; name: string }[] {
  if (Number(environment['LISTEN_PID']) !== pid) return [];
  const count = Number(environment['LISTEN_FDS']);
  const names = (environment['LISTEN_FDNAMES'] ?? '').split(':');
  return names.slice(0, count).flatMap((name, index) => {
    const fd = FIRST_DESCRIPTOR + index;
    return parseChannelName(name) !== null && isFifo(fd) ? [{ fd, name }] : [];
  });
}

function isFifo(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO();
  } catch {
    return false;
  }
}
