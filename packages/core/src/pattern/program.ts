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

/** The time for a text is at most its length times these. */
const MAX_STEPS = 1000;

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
