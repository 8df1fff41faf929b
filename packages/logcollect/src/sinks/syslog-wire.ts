import type { Socket as DatagramSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import { type Clock, formatDuration, type Milliseconds } from '@hsu-master/core';
import { describe } from './http.ts';
import { type TlsSpec, tlsSettings } from './tls.ts';

export type SyslogAddress =
  | { readonly kind: 'udp'; readonly host: string; readonly port: number }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number; readonly tls: TlsSpec }
  /** A stream socket. */
  | { readonly kind: 'unix'; readonly path: string }
  /** A datagram socket, as `/dev/log` is. */
  | { readonly kind: 'unix-datagram'; readonly path: string };

/** Sends one datagram to a unix socket. null: it was taken; else the system’s error, `EAGAIN` where the receiver is behind. */
export type UnixDatagram = (path: string, bytes: Uint8Array) => string | null;

/** A way to a syslog server. */
export interface Wire {
  /** How many of the messages, from the first, are on their way; and why not all, or null. Never rejects. */
  send(
    messages: readonly Buffer[],
    signal: AbortSignal,
  ): Promise<{ readonly sent: number; readonly reason: string | null }>;
  close(): void;
}

/** Datagrams that are handed to the system at once. */
const AT_ONCE = 32;
const CONNECT_WAIT: Milliseconds = 10_000;
/** A receiver that is behind is tried again so soon, so often. */
const BEHIND_WAIT: Milliseconds = 20;
const BEHIND_TRIES = 250;

/**
 * UDP: what was handed to the system is on its way; whether it arrives, nobody knows. That nobody listens is noticed where the other
 * host says so, and the messages of that moment, at most 32, are sent again.
 */
export class UdpWire implements Wire {
  readonly #address: { readonly host: string; readonly port: number };
  readonly #clock: Clock;
  #socket: DatagramSocket | null = null;
  /** What the other host said since it was last asked: nobody listens there. */
  #refusal: Error | null = null;

  constructor(address: { readonly host: string; readonly port: number }, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
  }

  async send(messages: readonly Buffer[]): Promise<{ sent: number; reason: string | null }> {
    let sent = 0;
    try {
      this.#socket ??= await this.#connect();
      const socket = this.#socket;
      while (sent < messages.length) {
        const group = messages.slice(sent, sent + AT_ONCE);
        const results = await Promise.allSettled(group.map((message) => sendOne(socket, message)));
        // A refusal comes as a packet of its own, which is read in the next turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
        const failed = results.find(({ status }) => status === 'rejected');
        if (this.#refusal !== null) throw this.#refusal;
        if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
        sent += group.length;
      }
      return { sent, reason: null };
    } catch (error) {
      this.close();
      return { sent, reason: describe(error) };
    }
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
    this.#refusal = null;
  }

  async #lookup(host: string): Promise<{ family: number; address: string }> {
    const { promise, reject } = Promise.withResolvers<never>();
    const cancel = this.#clock.after(CONNECT_WAIT, () =>
      reject(new Error(`${host} was not resolved in time`)),
    );
    try {
      return await Promise.race([process.getBuiltinModule('node:dns').promises.lookup(host), promise]);
    } finally {
      cancel();
    }
  }

  async #connect(): Promise<DatagramSocket> {
    const { host, port } = this.#address;
    const { createSocket } = process.getBuiltinModule('node:dgram');
    const { family, address } = await this.#lookup(host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    socket.on('error', (error) => {
      this.#refusal = error;
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('error', reject).connect(port, address, () => resolve());
    try {
      await promise;
      return socket.unref();
    } catch (error) {
      socket.close();
      throw error;
    } finally {
      socket.off('error', reject);
    }
  }
}

function sendOne(socket: DatagramSocket, message: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.send(message, (error) => {
    if (error === null) resolve();
    else reject(error);
  });
  return promise;
}

/** Datagrams to a unix socket, by a function that the caller has. */
export class UnixDatagramWire implements Wire {
  readonly #path: string;
  readonly #sendOne: UnixDatagram;
  readonly #clock: Clock;

  constructor(path: string, sendOne: UnixDatagram, clock: Clock) {
    this.#path = path;
    this.#sendOne = sendOne;
    this.#clock = clock;
  }

  async send(
    messages: readonly Buffer[],
    signal: AbortSignal,
  ): Promise<{ sent: number; reason: string | null }> {
    let sent = 0;
    let tries = 0;
    for (const message of messages) {
      let code = this.#sendOne(this.#path, message);
      while (code === 'EAGAIN' && tries < BEHIND_TRIES && !signal.aborted) {
        tries += 1;
        await new Promise<void>((resolve) => this.#clock.after(BEHIND_WAIT, resolve));
        code = this.#sendOne(this.#path, message);
      }
      if (code !== null) return { sent, reason: `${this.#path}: ${code}` };
      sent += 1;
    }
    return { sent, reason: null };
  }

  close(): void {
    // There is no connection.
  }
}

/** How messages are told apart in a stream: by their length before each (RFC 6587, RFC 5425), or by a newline after each. */
export type Framing = 'octet-counting' | 'newline';

/**
 * TCP, TLS or a unix stream socket. What the system has taken over is on its way; syslog has no acknowledgement, so what lies in the
 * buffers of both systems when a server dies is lost unnoticed.
 */
export class StreamWire implements Wire {
  readonly #address: SyslogAddress & { readonly kind: 'tcp' | 'tls' | 'unix' };
  readonly #framing: Framing;
  readonly #timeout: Milliseconds;
  readonly #clock: Clock;
  #socket: Socket | null = null;

  constructor(
    address: SyslogAddress & { readonly kind: 'tcp' | 'tls' | 'unix' },
    framing: Framing,
    timeout: Milliseconds,
    clock: Clock,
  ) {
    this.#address = address;
    this.#framing = framing;
    this.#timeout = timeout;
    this.#clock = clock;
  }

  async send(
    messages: readonly Buffer[],
    signal: AbortSignal,
  ): Promise<{ sent: number; reason: string | null }> {
    try {
      this.#socket ??= await this.#connect(signal);
      await this.#write(this.#socket, this.#framed(messages), signal);
      return { sent: messages.length, reason: null };
    } catch (error) {
      this.close();
      return { sent: 0, reason: describe(error) };
    }
  }

  close(): void {
    // An orderly end: what was written before is sent first.
    this.#socket?.end();
    this.#socket?.unref();
    this.#socket = null;
  }

  #framed(messages: readonly Buffer[]): Buffer {
    if (this.#framing === 'newline') {
      const end = Buffer.from('\n');
      return Buffer.concat(messages.flatMap((message) => [message, end]));
    }
    return Buffer.concat(messages.flatMap((message) => [Buffer.from(`${message.length} `), message]));
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const address = this.#address;
    const tls = address.kind === 'tls' ? await tlsSettings(address.tls) : null;
    const socket =
      address.kind === 'unix'
        ? process.getBuiltinModule('node:net').connect({ path: address.path })
        : tls === null
          ? process.getBuiltinModule('node:net').connect({ host: address.host, port: address.port })
          : process.getBuiltinModule('node:tls').connect({ host: address.host, port: address.port, ...tls });
    socket.once(tls === null ? 'connect' : 'secureConnect', () => socket.emit('usable'));
    // The server says nothing; without reading, its end would not be noticed.
    socket.resume();
    const gone = (): void => {
      socket.destroy();
      if (this.#socket === socket) this.#socket = null;
    };
    socket.on('end', gone).on('error', gone).on('close', gone);
    await this.#until(socket, 'usable', signal);
    socket.setKeepAlive(true);
    return socket;
  }

  async #write(socket: Socket, bytes: Buffer, signal: AbortSignal): Promise<void> {
    if (socket.destroyed || socket.readableEnded) throw new Error('the server closed the connection');
    socket.write(bytes, (error) => {
      if (error === undefined || error === null) socket.emit('flushed');
    });
    await this.#until(socket, 'flushed', signal);
  }

  /** Resolves at that event; rejects at an error, the end of the connection, the signal, or after the time-out. */
  async #until(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const closed = (): void => reject(new Error('the server closed the connection'));
    const giveUp = (): void => reject(new Error('given up'));
    const cancel = this.#clock.after(this.#timeout, () => {
      reject(new Error(`it takes nothing for ${formatDuration(this.#timeout)}`));
    });
    socket.once(event, resolve).once('error', reject).once('close', closed);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      await promise;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      cancel();
      socket.off(event, resolve).off('error', reject).off('close', closed);
      signal.removeEventListener('abort', giveUp);
    }
  }
}
