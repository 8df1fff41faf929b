import type { Milliseconds } from '@hsu-master/core';
import type { WebSocket } from 'ws';

/** What may wait in a connection: above the first nothing more is sent, below the second it goes on. In bytes. */
const FULL = 1024 * 1024;
const ROOM = 256 * 1024;

/** Between the notice and the end of the connection. */
const NOTICE = 1000;

/** Sends messages as fast as their reader takes them, and holds no more than a bound for it. */
export class Channel {
  readonly #socket: WebSocket;
  readonly #mostPatience: Milliseconds;
  readonly #waiting = new Set<() => void>();
  #patience: NodeJS.Timeout | null = null;
  /** Aborted with the connection. */
  readonly closed: AbortSignal;

  /** @param patience who reads nothing for so long, while something waits, is let go */
  constructor(socket: WebSocket, patience: Milliseconds) {
    this.#socket = socket;
    this.#mostPatience = patience;
    const closed = new AbortController();
    this.closed = closed.signal;
    socket.once('close', () => {
      if (this.#patience !== null) clearTimeout(this.#patience);
      closed.abort();
      this.#wake();
    });
  }

  send(message: object): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(JSON.stringify(message), () => this.#flushed());
    if (this.#socket.bufferedAmount > FULL) this.#beImpatient();
  }

  /** Resolves when there is room for more, or the connection has ended. */
  async room(): Promise<void> {
    while (!this.closed.aborted && this.#socket.bufferedAmount > FULL) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  #flushed(): void {
    if (this.#patience !== null) {
      clearTimeout(this.#patience);
      this.#patience = null;
    }
    if (this.#socket.bufferedAmount <= ROOM) this.#wake();
    else this.#beImpatient();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  #beImpatient(): void {
    this.#patience ??= setTimeout(() => {
      this.#socket.close(1013, `nothing was read for ${this.#mostPatience / 1000} s`);
      setTimeout(() => this.#socket.terminate(), NOTICE).unref();
    }, this.#mostPatience).unref();
  }
}
