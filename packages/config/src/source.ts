/** The text of one file, and the way from an offset to a place that people can find. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  /** Offsets of line starts, as far as they were needed. */
  readonly #lineStarts = [0];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** Line and column of an offset, both counted from 1. Offsets past the end mean the end. */
  position(offset: number): { line: number; column: number } {
    const at = Math.max(0, Math.min(offset, this.text.length));
    const starts = this.#startsTo(at);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (starts[low] as number) + 1 };
  }

  /** The line that holds the offset, cut to what fits a terminal, without control characters. */
  excerpt(offset: number): { text: string; at: number } {
    const { line, column } = this.position(offset);
    const start = this.#startsTo(offset)[line - 1] as number;
    const from = column > 80 ? column - 61 : 0;
    const end = this.text.indexOf('\n', start);
    const whole = this.text.slice(
      start + from,
      Math.min(end === -1 ? this.text.length : end, start + from + 120),
    );
    return { text: whole.replace(/\r$/, '').replace(/[^\t\P{Cc}]/gu, '�'), at: column - 1 - from };
  }

  #startsTo(offset: number): readonly number[] {
    const starts = this.#lineStarts;
    while ((starts.at(-1) as number) <= offset) {
      const end = this.text.indexOf('\n', starts.at(-1));
      if (end === -1) break;
      starts.push(end + 1);
    }
    return starts;
  }
}
