/**
 * Delivers messages one after the other, in the order in which they were posted: what a turn posts is delivered after that
 * turn. All actors of a supervisor share one, so that a turn never runs inside another.
 */
export class Mailbox {
  readonly #waiting: (() => void)[] = [];
  #delivering = false;

  post(deliver: () => void): void {
    this.#waiting.push(deliver);
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let index = 0; index < this.#waiting.length; index += 1) {
        (this.#waiting[index] as () => void)();
      }
    } finally {
      this.#waiting.length = 0;
      this.#delivering = false;
    }
  }
}
