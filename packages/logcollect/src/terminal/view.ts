import type { OutputStream, WorkerId } from '@hsu-master/core';
import type { OutputListener, RunListener } from '../file-collector.ts';
import { harmless } from './escapes.ts';
import { LineSplitter } from './lines.ts';
import { colourOf, styled } from './palette.ts';

export interface TerminalOptions {
  /** Writes whole lines. false: the terminal is behind, nothing more until `drained`. */
  write(text: string): boolean;
  /** Whether colours are wanted, the programs’ own included. */
  readonly colour: boolean;
  /** Width of the terminal now; 0 where there is none. */
  columns(): number;
  /** The longest name that is to be expected, in characters. */
  readonly prefixWidth: number;
  /** Where a worker’s output can be read in full. */
  fileOf(workerId: WorkerId): string | null;
}

/** Shows the output of all runs line by line, each behind the name of its worker. */
export interface TerminalView extends OutputListener {
  /** Shows a line of the master’s own. Kept, up to a bound, while the terminal is behind. */
  note(line: string): void;
  /** The terminal has caught up. */
  drained(): void;
  /** Nobody looks any more: nothing is written from now on. */
  end(): void;
}

/** Lines of the master that wait for a terminal that is behind. */
const NOTES_LIMIT = 256;
const DIM = 2;
const BOLD = 1;

/**
 * A bounded view: when the terminal cannot keep up, lines of workers are passed over and counted, and the count is shown when
 * it has caught up. Workers, files and the master wait for nothing here.
 */
export function terminalView(options: TerminalOptions): TerminalView {
  return new View(options);
}

class View implements TerminalView {
  readonly #options: TerminalOptions;
  readonly #behind = new Set<RunView>();
  #notes: string[] = [];
  #lostNotes = 0;
  #full = false;
  #ended = false;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  open(workerId: WorkerId): RunListener {
    return new RunView(this, workerId);
  }

  note(line: string): void {
    if (this.#ended) return;
    if (!this.#full) {
      this.write([this.#noteRow(line)]);
    } else if (this.#notes.length < NOTES_LIMIT) {
      this.#notes.push(line);
    } else {
      this.#lostNotes += 1;
    }
  }

  drained(): void {
    if (this.#ended) return;
    this.#full = false;
    const rows = this.#notes.map((note) => this.#noteRow(note));
    if (this.#lostNotes > 0)
      rows.push(this.#noteRow(`… ${this.#lostNotes} messages of the master not shown`));
    for (const run of this.#behind) rows.push(...run.lostRows());
    this.#notes = [];
    this.#lostNotes = 0;
    this.#behind.clear();
    this.write(rows);
  }

  end(): void {
    this.#ended = true;
    this.#notes = [];
    this.#behind.clear();
  }

  /** Whether a line would be shown now. */
  get shows(): boolean {
    return !this.#full && !this.#ended;
  }

  get ended(): boolean {
    return this.#ended;
  }

  owes(run: RunView): void {
    this.#behind.add(run);
  }

  write(rows: readonly string[]): void {
    if (rows.length === 0 || this.#ended) return;
    if (!this.#options.write(`${rows.join('\n')}\n`)) this.#full = true;
  }

  /** One line of a worker behind its name; `mark` tells the streams apart without colour. */
  row(workerId: WorkerId, mark: string, text: string): string {
    const { colour } = this.#options;
    const name = this.#name(workerId);
    const shown = harmless(text, colour);
    if (!colour) return `${name} ${mark} ${shown}`;
    return `${styled(name, colourOf(workerId))} ${styled(mark, DIM)} ${shown}`;
  }

  lostRow(workerId: WorkerId, count: number): string {
    const file = this.#options.fileOf(workerId);
    const where = file === null ? '' : `, all are in ${file}`;
    return this.row(workerId, '|', `… ${count} ${count === 1 ? 'line' : 'lines'} not shown${where}`);
  }

  #noteRow(line: string): string {
    const { colour } = this.#options;
    const shown = harmless(line, false);
    return colour ? styled(shown, BOLD) : shown;
  }

  /** The name in its column, which takes at most a quarter of a narrow terminal. */
  #name(workerId: WorkerId): string {
    const columns = this.#options.columns();
    const most = columns > 0 ? Math.max(4, Math.floor(columns / 4)) : this.#options.prefixWidth;
    const width = Math.min(this.#options.prefixWidth, most);
    const name = workerId.length > most ? `${workerId.slice(0, most - 1)}…` : workerId;
    return name.padEnd(width);
  }
}

const MARKS: Readonly<Record<OutputStream, string>> = { stdout: '|', stderr: '!' };

class RunView implements RunListener {
  readonly #view: View;
  readonly #workerId: WorkerId;
  readonly #splitters: Partial<Record<OutputStream, LineSplitter>> = {};

  constructor(view: View, workerId: WorkerId) {
    this.#view = view;
    this.#workerId = workerId;
  }

  chunk(stream: OutputStream, bytes: Uint8Array): void {
    if (this.#view.ended) return;
    this.#splitters[stream] ??= new LineSplitter();
    const splitter = this.#splitters[stream];
    if (!this.#view.shows) {
      splitter.skip(bytes);
      this.#view.owes(this);
      return;
    }
    this.#show(stream, splitter.push(bytes));
  }

  end(stream: OutputStream): void {
    const splitter = this.#splitters[stream];
    if (splitter === undefined || this.#view.ended) return;
    if (!this.#view.shows) {
      splitter.abandon();
      this.#view.owes(this);
      return;
    }
    const last = splitter.finish();
    if (last !== null) this.#show(stream, [last]);
  }

  /** What to say about the lines that were passed over. */
  lostRows(): readonly string[] {
    let lost = 0;
    for (const splitter of Object.values(this.#splitters)) lost += splitter.takeLost();
    return lost === 0 ? [] : [this.#view.lostRow(this.#workerId, lost)];
  }

  #show(stream: OutputStream, lines: readonly string[]): void {
    this.#view.write(lines.map((line) => this.#view.row(this.#workerId, MARKS[stream], line)));
  }
}
