import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { HsuError, type Milliseconds } from '@hsu-master/core';

/** How much may wait for a reader, and how long. */
export interface Patience {
  /** In bytes; above it nothing more is fetched. */
  readonly most: number;
  /** Who reads nothing for so long, while so much waits, is let go. */
  readonly longest: Milliseconds;
  /** Between the notice of that and the end of the connection. */
  readonly notice: Milliseconds;
}

/** Sends messages as fast as their reader takes them, and holds no more than a bound for it. */
export class Writer {
  readonly #call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
  readonly #patience: Patience;
  readonly #signal: AbortSignal;
  #waiting = 0;
  #sent: () => void = () => {};

  constructor(
    call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
    patience: Patience,
    signal: AbortSignal,
  ) {
    this.#call = call;
    this.#patience = patience;
    this.#signal = signal;
  }

  /** Resolves when there is room for more, or the call has ended. @throws HsuError E_TOO_MANY for who does not read */
  async send(bytes: Buffer): Promise<void> {
    if (this.#signal.aborted) return;
    this.#waiting += bytes.length;
    this.#call.write(bytes, () => {
      this.#waiting -= bytes.length;
      this.#sent();
    });
    while (this.#waiting > this.#patience.most && !this.#signal.aborted) await this.#progress();
  }

  /** Resolves when something was taken, or the call has ended. */
  #progress(): Promise<void> {
    const { longest } = this.#patience;
    return new Promise((resolve, reject) => {
      const settle = (why?: HsuError): void => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', leave);
        this.#sent = () => {};
        if (why === undefined) resolve();
        else reject(why);
      };
      const leave = (): void => settle();
      const timer = setTimeout(() => {
        const message = `nothing was read for ${longest / 1000} s; read faster, or ask for less`;
        settle(new HsuError('E_TOO_MANY', message));
      }, longest);
      this.#sent = leave;
      this.#signal.addEventListener('abort', leave);
    });
  }
}
