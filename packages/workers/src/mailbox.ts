/**
 * Delivers messages one after the other, in the order in which they were posted: what a turn posts is delivered after that
 * turn. All actors of a supervisor share one, so that a turn never runs inside another.
 */
export class Mailbox {
  readonly #waiting: (() => void)[] = [];
  readonly #failed: (error: unknown) => void;
  #delivering = false;
  #closed = false;

  /** @param failed told when a turn throws, which is a defect; the other messages are delivered all the same */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  #deliver(message: () => void): void {
    try {
      message();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Nothing is delivered any more, also not what waits. */
  close(): void {
    this.#closed = true;
  }

  post(deliver: () => void): void {
    if (this.#closed) return;
    this.#waiting.push(deliver);
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let index = 0; index < this.#waiting.length && !this.#closed; index += 1)
        this.#deliver(this.#waiting[index] as () => void);
    } finally {
      this.#waiting.length = 0;
      this.#delivering = false;
    }
  }
}
