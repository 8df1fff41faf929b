import { StringDecoder } from 'node:string_decoder';

/** Characters of one line that are held before a piece of it is shown. */
const LINE_LIMIT = 64 * 1024;
const NEWLINE = 10;

/**
 * Cuts one stream into lines. Holds a line until its end comes, but not more than 64 KiB: longer lines come in pieces, each but
 * the last ending with `…`. Bytes that are no UTF-8 are replaced.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #held = '';
  /** The line under way lost its beginning, so that the rest of it is not shown either. */
  #torn = false;
  #lost = 0;

  /** The lines, without their ends, that these bytes complete. */
  push(bytes: Uint8Array): readonly string[] {
    const whole = this.#torn ? this.#afterTornLine(bytes) : bytes;
    const parts = this.#decoder.write(whole).split('\n');
    const rest = parts.pop() as string;
    const lines: string[] = [];
    for (const part of parts) {
      this.#hold(part, lines);
      lines.push(this.#held);
      this.#held = '';
    }
    this.#hold(rest, lines);
    return lines;
  }

  /** Passes over bytes that nobody will see, and counts their lines; one that is cut counts once, when it is first touched. */
  skip(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#clear();
    if (this.#torn) this.#lost -= 1;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) this.#lost += 1;
    this.#torn = bytes.at(-1) !== NEWLINE;
    if (this.#torn) this.#lost += 1;
  }

  /** The line under way, when the stream has ended without finishing it. */
  finish(): string | null {
    const last = this.#held + this.#decoder.end();
    this.#clear();
    return last === '' ? null : last;
  }

  /** The stream has ended and nobody will see the line under way. */
  abandon(): void {
    if (this.finish() !== null) this.#lost += 1;
  }

  /** How many lines were passed over since the last call. */
  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  #hold(text: string, lines: string[]): void {
    this.#held += text;
    while (this.#held.length > LINE_LIMIT) {
      lines.push(`${this.#held.slice(0, LINE_LIMIT)}…`);
      this.#held = this.#held.slice(LINE_LIMIT);
    }
  }

  #afterTornLine(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(NEWLINE);
    if (end === -1) return bytes.subarray(bytes.length);
    this.#torn = false;
    return bytes.subarray(end + 1);
  }

  #clear(): void {
    this.#held = '';
    this.#decoder.end();
  }
}
