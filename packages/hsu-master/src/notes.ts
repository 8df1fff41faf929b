/** Shows lines in the order in which they were said, though one of them may be known later than those behind it. */
export class Notes {
  readonly #show: (line: string) => void;
  #awaited = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(show: (line: string) => void) {
    this.#show = show;
  }

  /** null is no line. */
  add(line: string | null | Promise<string | null>): void {
    if (this.#awaited === 0 && !(line instanceof Promise)) {
      if (line !== null) this.#show(line);
      return;
    }
    this.#awaited += 1;
    this.#last = this.#showAfter(this.#last, line);
  }

  /** Resolves when all that was added so far is shown. */
  shown(): Promise<void> {
    return this.#last;
  }

  async #showAfter(before: Promise<void>, line: string | null | Promise<string | null>): Promise<void> {
    await before;
    const text = await line;
    this.#awaited -= 1;
    if (text !== null) this.#show(text);
  }
}
