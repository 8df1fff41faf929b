import { readdirSync } from 'node:fs';

const SHOWN = 3;

/** The names in these directories that a wrong one may have meant, nearest first; at most three. */
export function nearestNames(wrong: string, directories: readonly string[]): readonly string[] {
  const allowed = Math.max(1, Math.floor(wrong.length / 3));
  const found = new Map<string, number>();
  for (const directory of directories) {
    for (const name of list(directory).map(withoutEnding)) {
      if (found.has(name) || name === wrong || Math.abs(name.length - wrong.length) > allowed) continue;
      const distance = editDistance(wrong.toLowerCase(), name.toLowerCase());
      if (distance <= allowed) found.set(name, distance);
    }
  }
  return [...found]
    .toSorted(([a, near], [b, far]) => near - far || a.localeCompare(b))
    .slice(0, SHOWN)
    .map(([name]) => name);
}

/** Programs of Windows are called without theirs. */
function withoutEnding(name: string): string {
  return name.replace(/\.(?:exe|com|cmd|bat)$/i, '');
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, at(beforePrevious, column - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
