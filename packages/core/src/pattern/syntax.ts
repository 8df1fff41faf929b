import type { CharSet } from './set.ts';

/** What must hold between two characters. */
export type Assertion = 'start' | 'end' | 'line-start' | 'line-end' | 'word-edge' | 'no-word-edge';

/** A pattern as it was understood. */
export type Syntax =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'assertion'; readonly what: Assertion }
  | { readonly kind: 'sequence'; readonly items: readonly Syntax[] }
  | { readonly kind: 'either'; readonly branches: readonly Syntax[] }
  | { readonly kind: 'capture'; readonly index: number; readonly body: Syntax }
  | {
      readonly kind: 'repeat';
      readonly body: Syntax;
      readonly min: number;
      /** null: without bound. */
      readonly max: number | null;
      readonly lazy: boolean;
    };

/** Thrown inside this folder; `Pattern` turns it into a value. */
export class PatternFault extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}
