import type { CharSet } from './set.ts';
import { type Assertion, PatternFault, type Syntax } from './syntax.ts';

/** One step of the machine that a pattern is run on; `to` are indexes of steps, the preferred one first. */
export type Step =
  | { readonly kind: 'char'; readonly set: CharSet }
  | { readonly kind: 'fork'; to: number; other: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'save'; readonly slot: number }
  | { readonly kind: 'assertion'; readonly what: Assertion }
  | { readonly kind: 'match' };

const MAX_STEPS = 4000;

/** Turns a pattern into steps; the one after a step follows it unless it says otherwise. Throws `PatternFault` where they are too many. */
export function programOf(syntax: Syntax): readonly Step[] {
  const steps: Step[] = [];
  const add = <T extends Step>(step: T): T => {
    if (steps.length >= MAX_STEPS)
      throw new PatternFault(0, `is too large: it takes more than ${MAX_STEPS} steps`);
    steps.push(step);
    return step;
  };
  const emit = (node: Syntax): void => {
    switch (node.kind) {
      case 'empty':
        return;
      case 'set':
        add({ kind: 'char', set: node.set });
        return;
      case 'assertion':
        add({ kind: 'assertion', what: node.what });
        return;
      case 'sequence':
        for (const item of node.items) emit(item);
        return;
      case 'either':
        emitEither(node.branches);
        return;
      case 'capture':
        add({ kind: 'save', slot: 2 * node.index });
        emit(node.body);
        add({ kind: 'save', slot: 2 * node.index + 1 });
        return;
      case 'repeat':
        emitRepeat(node);
    }
  };
  const emitEither = (branches: readonly Syntax[]): void => {
    const ends: { to: number }[] = [];
    for (const [index, branch] of branches.entries()) {
      if (index === branches.length - 1) {
        emit(branch);
        break;
      }
      const fork = add({ kind: 'fork', to: steps.length + 1, other: 0 });
      emit(branch);
      ends.push(add({ kind: 'jump', to: 0 }));
      fork.other = steps.length;
    }
    for (const end of ends) end.to = steps.length;
  };
  const emitRepeat = ({ body, min, max, lazy }: Syntax & { kind: 'repeat' }): void => {
    const skippable = (): { fork: Step & { kind: 'fork' }; close(): void } => {
      const fork = add({ kind: 'fork' as const, to: steps.length + 1, other: 0 });
      return {
        fork,
        close: () => {
          fork.other = steps.length;
          if (lazy) [fork.to, fork.other] = [fork.other, fork.to];
        },
      };
    };
    for (let count = 0; count < min; count += 1) emit(body);
    if (max === null) {
      const again = steps.length;
      const loop = skippable();
      emit(body);
      add({ kind: 'jump', to: again });
      loop.close();
      return;
    }
    const open = [];
    for (let count = min; count < max; count += 1) {
      open.push(skippable());
      emit(body);
    }
    for (const { close } of open) close();
  };
  emit(syntax);
  add({ kind: 'match' });
  return steps;
}

/** Whether a match can only begin at the start of the text. */
export function startsAtStart(syntax: Syntax): boolean {
  switch (syntax.kind) {
    case 'assertion':
      return syntax.what === 'start';
    case 'sequence':
      return startsAtStart(syntax.items[0] as Syntax);
    case 'either':
      return syntax.branches.every(startsAtStart);
    case 'capture':
      return startsAtStart(syntax.body);
    case 'repeat':
      return syntax.min > 0 && startsAtStart(syntax.body);
    case 'empty':
    case 'set':
      return false;
  }
}

/**
 * Bounds what a backtracking search can cost for a text of `n` characters: at most `factor · n^degree` steps. Infinity for the
 * degree: a loop within a loop.
 */
export interface Cost {
  readonly degree: number;
  readonly factor: number;
}

export function costOf(syntax: Syntax): Cost {
  const { loops, factor } = choices(syntax);
  return { degree: loops + (startsAtStart(syntax) ? 0 : 1), factor: factor * sizeOf(syntax) };
}

/** In how many ways a piece can be gone through: at most `factor · n^loops`. */
function choices(syntax: Syntax): { loops: number; factor: number } {
  switch (syntax.kind) {
    case 'empty':
    case 'set':
    case 'assertion':
      return { loops: 0, factor: 1 };
    case 'capture':
      return choices(syntax.body);
    case 'sequence': {
      const all = syntax.items.map(choices);
      return {
        loops: all.reduce((sum, item) => sum + item.loops, 0),
        factor: all.reduce((product, item) => product * item.factor, 1),
      };
    }
    case 'either': {
      const all = syntax.branches.map(choices);
      return {
        loops: Math.max(...all.map((item) => item.loops)),
        factor: all.reduce((sum, item) => sum + item.factor, 0),
      };
    }
    case 'repeat': {
      const inner = choices(syntax.body);
      // What is within an unbounded loop is gone through once more at every turn; only a plain set has no choice of its own.
      if (syntax.max === null) {
        if (inner.loops > 0 || inner.factor > 1 || widthVaries(syntax.body))
          return { loops: Infinity, factor: 1 };
        return { loops: 1, factor: 1 };
      }
      return {
        loops: inner.loops * syntax.max,
        factor: (syntax.max - syntax.min + 1) * inner.factor ** syntax.max,
      };
    }
  }
}

function widthVaries(syntax: Syntax): boolean {
  return widthOf(syntax) === null;
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

/** Whether a group lies within a repetition: there JavaScript forgets what an earlier turn found, and this machine does not. */
export function capturesInLoop(syntax: Syntax, inLoop = false): boolean {
  switch (syntax.kind) {
    case 'empty':
    case 'set':
    case 'assertion':
      return false;
    case 'capture':
      return inLoop || capturesInLoop(syntax.body, inLoop);
    case 'sequence':
      return syntax.items.some((item) => capturesInLoop(item, inLoop));
    case 'either':
      return syntax.branches.some((branch) => capturesInLoop(branch, inLoop));
    case 'repeat':
      return capturesInLoop(syntax.body, inLoop || syntax.max !== 1);
  }
}
