import { startsAtStart } from './program.ts';
import { ANY, type CharSet, overlap, union } from './set.ts';
import type { Syntax } from './syntax.ts';

/**
 * Bounds what a backtracking search can cost for a text of `n` characters: at most `factor · n^degree` steps. Infinity for the
 * degree: a loop within a loop.
 */
export interface Cost {
  readonly degree: number;
  readonly factor: number;
}

export function costOf(syntax: Syntax): Cost {
  const { loops, factor, scans } = choices(syntax, { set: [], end: true });
  return {
    degree: loops + (scans ? 1 : 0) + (startsAtStart(syntax) ? 0 : 1),
    factor: factor * sizeOf(syntax),
  };
}

/** What a piece can be followed by or begin with. */
interface Border {
  readonly set: CharSet;
  /** It can be followed by the end of the pattern, or be empty. */
  readonly end: boolean;
}

/**
 * In how many ways a piece can be gone through: at most `factor · n^loops`. `scans`: it has a loop that can end in one place only,
 * so that it is gone through but leaves no choice.
 */
interface Choices {
  readonly loops: number;
  readonly factor: number;
  readonly scans: boolean;
}

const ONE: Choices = { loops: 0, factor: 1, scans: false };

function choices(syntax: Syntax, follow: Border): Choices {
  switch (syntax.kind) {
    case 'empty':
    case 'set':
    case 'assertion':
      return ONE;
    case 'capture':
      return choices(syntax.body, follow);
    case 'sequence': {
      let after = follow;
      let all = ONE;
      for (const item of syntax.items.toReversed()) {
        const { loops, factor, scans } = choices(item, after);
        all = { loops: all.loops + loops, factor: all.factor * factor, scans: all.scans || scans };
        after = before(item, after);
      }
      return all;
    }
    case 'either': {
      const all = syntax.branches.map((branch) => choices(branch, follow));
      const factors = all.map(({ factor }) => factor);
      return {
        loops: Math.max(...all.map(({ loops }) => loops)),
        factor: areApart(syntax.branches)
          ? Math.max(...factors)
          : factors.reduce((sum, each) => sum + each, 0),
        scans: all.some(({ scans }) => scans),
      };
    }
    case 'repeat':
      return repeated(syntax, follow);
  }
}

function repeated({ body, min, max }: Syntax & { kind: 'repeat' }, follow: Border): Choices {
  const first = firstOf(body);
  const inner = choices(body, { set: union(first.set, follow.set), end: follow.end });
  // Where what follows begins otherwise, a turn less leads nowhere at once. At the end of the pattern it leads to a match.
  const isDecided = !first.end && !overlap(first.set, follow.set);
  if (max === null) {
    // What is within an unbounded loop is gone through once more at every turn: it may have no choice of its own.
    if (inner.loops > 0 || inner.factor > 1 || inner.scans || widthOf(body) === null)
      return { loops: Infinity, factor: 1, scans: true };
    return isDecided ? { ...ONE, scans: true } : { loops: 1, factor: 1, scans: false };
  }
  return {
    loops: inner.loops * max,
    factor: (isDecided ? 1 : max - min + 1) * inner.factor ** max,
    scans: inner.scans,
  };
}

/** What a piece begins with; `end`: it can be empty. */
function firstOf(syntax: Syntax): Border {
  switch (syntax.kind) {
    case 'empty':
      return { set: [], end: true };
    case 'assertion':
      // Nothing comes behind the end of the text.
      return { set: [], end: syntax.what !== 'end' };
    case 'set':
      return { set: syntax.set, end: false };
    case 'capture':
      return firstOf(syntax.body);
    case 'sequence':
      return syntax.items
        .toReversed()
        .reduce<Border>((after, item) => before(item, after), { set: [], end: true });
    case 'either': {
      const all = syntax.branches.map(firstOf);
      return { set: union(...all.map(({ set }) => set)), end: all.some(({ end }) => end) };
    }
    case 'repeat': {
      const first = firstOf(syntax.body);
      return { set: first.set, end: first.end || syntax.min === 0 };
    }
  }
}

/** What is met before a piece that `after` follows. */
function before(syntax: Syntax, after: Border): Border {
  const first = firstOf(syntax);
  return first.end ? { set: union(first.set, after.set), end: after.end } : first;
}

/** Whether the first character tells which of the branches it can be. */
function areApart(branches: readonly Syntax[]): boolean {
  let seen: CharSet = [];
  for (const branch of branches) {
    const first = firstOf(branch);
    if (first.end || overlap(seen, first.set)) return false;
    seen = union(seen, first.set);
  }
  return true;
}

/** The characters that a match begins with; all of them where it can be empty. */
export function firstCharacters(syntax: Syntax): CharSet {
  return canBeEmpty(syntax) ? ANY : firstOf(syntax).set;
}

function canBeEmpty(syntax: Syntax): boolean {
  switch (syntax.kind) {
    case 'empty':
    case 'assertion':
      return true;
    case 'set':
      return false;
    case 'capture':
      return canBeEmpty(syntax.body);
    case 'sequence':
      return syntax.items.every(canBeEmpty);
    case 'either':
      return syntax.branches.some(canBeEmpty);
    case 'repeat':
      return syntax.min === 0 || canBeEmpty(syntax.body);
  }
}

/** How many characters a piece takes, or null where that varies. */
function widthOf(syntax: Syntax): number | null {
  switch (syntax.kind) {
    case 'empty':
    case 'assertion':
      return 0;
    case 'set':
      return 1;
    case 'capture':
      return widthOf(syntax.body);
    case 'sequence':
      return syntax.items.reduce<number | null>((sum, item) => {
        const width = widthOf(item);
        return sum === null || width === null ? null : sum + width;
      }, 0);
    case 'either': {
      const widths = syntax.branches.map(widthOf);
      return widths.every((width) => width === widths[0]) ? (widths[0] as number | null) : null;
    }
    case 'repeat': {
      const width = syntax.min === syntax.max ? widthOf(syntax.body) : null;
      return width === null ? null : width * syntax.min;
    }
  }
}

function sizeOf(syntax: Syntax): number {
  switch (syntax.kind) {
    case 'empty':
    case 'set':
    case 'assertion':
      return 1;
    case 'capture':
      return sizeOf(syntax.body);
    case 'sequence':
      return syntax.items.reduce((sum, item) => sum + sizeOf(item), 1);
    case 'either':
      return syntax.branches.reduce((sum, branch) => sum + sizeOf(branch), 1);
    case 'repeat':
      return 1 + sizeOf(syntax.body) * Math.max(1, syntax.max ?? syntax.min);
  }
}
