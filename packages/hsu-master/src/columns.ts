/** Rows as aligned text: two spaces between columns, the last one as long as it is. Lines have no trailing space. */
function columns(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, at) => cell.padEnd(widths[at] ?? 0));
      return `${indent}${cells.join('  ')}`.trimEnd();
    })
    .join('\n');
}

/** The least that a wrapped column is given. */
const LEAST = 16;

/** The same within so many columns: the last column is broken between words, and goes on below itself; below its row where there is no room. */
export function columnsWithin(rows: readonly (readonly string[])[], width: number, indent = ''): string {
  const before = rows.map((row) => row.slice(0, -1));
  const [first = ''] = columns(before.map((row) => [...row, '|'])).split('\n');
  const left = rows.length === 0 ? 0 : first.length - 1;
  const room = width - left - indent.length;
  if (room < LEAST) {
    return rows
      .flatMap((row) => {
        const below = wrapped(row.at(-1) ?? '', Math.max(LEAST, width - 2)).filter((line) => line !== '');
        return [row.slice(0, -1).join('  '), ...below.map((line) => `  ${line}`)].map(
          (line) => indent + line,
        );
      })
      .join('\n');
  }
  return columns(
    rows.flatMap((row) => {
      const [line = '', ...others] = wrapped(row.at(-1) ?? '', room);
      const blank = row.slice(0, -1).map(() => '');
      return [[...row.slice(0, -1), line], ...others.map((other) => [...blank, other])];
    }),
    indent,
  );
}

function wrapped(text: string, room: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
