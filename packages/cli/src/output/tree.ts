/** One line of a tree: what is before it, and the row. */
export interface Branch<T> {
  readonly stem: string;
  readonly row: T;
  /** It was shown above, with all that is below it. */
  readonly again: boolean;
}

/** A tree as lines. What is reached a second time is shown without what is below it. */
export function branches<T>(
  roots: readonly T[],
  below: (row: T) => readonly T[],
  key: (row: T) => string | number = (row) => row as string,
): readonly Branch<T>[] {
  const lines: Branch<T>[] = [];
  const seen = new Set<string | number>();
  // Not by recursion: a chain may be as long as a configuration.
  const left: { readonly row: T; readonly stem: string; readonly inside: string }[] = [];
  const push = (rows: readonly T[], inside: string, isRoot: boolean): void => {
    for (let at = rows.length - 1; at >= 0; at -= 1) {
      const isLast = at === rows.length - 1;
      left.push({
        row: rows[at] as T,
        stem: isRoot ? '' : `${inside}${isLast ? '└─ ' : '├─ '}`,
        inside: isRoot ? '' : `${inside}${isLast ? '   ' : '│  '}`,
      });
    }
  };
  push(roots, '', true);
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { row, stem, inside } = next;
    const children = below(row);
    const again = seen.has(key(row)) && children.length > 0;
    lines.push({ stem, row, again });
    if (again) continue;
    seen.add(key(row));
    push(children, inside, false);
  }
  return lines;
}
