import { cut, isPlain, prepareWidths, width } from './width.ts';

/** One column of a list. */
export interface Column<T> {
  readonly head: string;
  cell(row: T): string;
  /** Where the terminal is narrow, columns with the highest go first; 0 always stays. */
  readonly yields: number;
  /** It may be cut to so many columns before another one yields. */
  readonly least?: number;
  readonly align?: 'right';
  readonly paint?: (text: string, row: T) => string;
}

const GAP = '  ';

/** What is between the columns and around them, in columns. */
function total(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one, 0) + GAP.length * Math.max(0, widths.length - 1);
}

/**
 * Rows as aligned lines that fit in so many columns: columns yield, then the last one is cut. What is empty in all rows is left out,
 * unless it has to stay.
 */
export async function table<T>(
  all: readonly Column<T>[],
  rows: readonly T[],
  columns: number,
  colour: boolean,
): Promise<string> {
  const cells = new Map(all.map((column) => [column, rows.map((row) => clean(column.cell(row)))]));
  await prepareWidths([...cells.values()].flat());
  const cellsOf = (column: Column<T>): readonly string[] => cells.get(column) ?? [];
  let shown = all.filter((column) => column.yields === 0 || cellsOf(column).some((cell) => cell !== ''));
  const wide = new Map(
    shown.map((column) => [
      column,
      Math.max(width(column.head), ...cellsOf(column).map((cell) => width(cell))),
    ]),
  );
  const widths = (): number[] => shown.map((column) => wide.get(column) ?? 0);
  const least = (): number[] =>
    shown.map((column) => Math.min(wide.get(column) ?? 0, column.least ?? Infinity));
  while (total(least()) > columns) {
    const most = Math.max(...shown.map(({ yields }) => yields));
    if (most === 0) break;
    const at = shown.findLastIndex(({ yields }) => yields === most);
    const last = shown.length - 1;
    // A note at the end is worth more cut than gone, if something of it can be read.
    const spare = columns - total(widths().slice(0, -1)) - GAP.length;
    if (at === last && spare >= 16) break;
    shown = shown.filter((_, index) => index !== at);
  }
  const lines = [
    line(shown, widths(), columns, (column) => column.head),
    ...rows.map((row, index) =>
      line(
        shown,
        widths(),
        columns,
        (column) => cellsOf(column)[index] ?? '',
        (column, text) => (colour && column.paint !== undefined ? column.paint(text, row) : text),
      ),
    ),
  ];
  return lines.join('\n');
}

function line<T>(
  shown: readonly Column<T>[],
  widths: readonly number[],
  columns: number,
  textOf: (column: Column<T>) => string,
  paint: (column: Column<T>, text: string) => string = (_, text) => text,
): string {
  let left = columns;
  const parts = shown.map((column, index) => {
    const space = Math.max(0, Math.min(left, widths[index] ?? 0));
    const text = cut(textOf(column), Math.max(1, space));
    left -= space + GAP.length;
    const padding = ' '.repeat(Math.max(0, space - width(text)));
    const painted = text === '' ? '' : paint(column, text);
    return column.align === 'right' ? padding + painted : painted + padding;
  });
  return parts.join(GAP).trimEnd();
}

/** Nothing in a cell may move the cursor or begin a line. */
function clean(text: string): string {
  return isPlain(text) ? text : text.replace(/\p{Cc}/gu, ' ');
}
