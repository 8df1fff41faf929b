// A parsed document as plain nodes. Scalars keep their text: what it means (a number, a duration, a path) is for the field
// that reads it, so `22:30`, `0o777` and `NO` stay what was written wherever text is wanted.

/** A scalar. `plain` tells an unquoted `8080` from a quoted one. */
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly offset: number;
  /** Decoded text: of `"a\tb"` the three characters; of a plain scalar its source. */
  readonly text: string;
  readonly plain: boolean;
}

export interface ListNode {
  readonly kind: 'list';
  readonly offset: number;
  readonly items: readonly Node[];
}

/** Entries in the order of the document; a key that was written twice is there twice. */
export interface MapNode {
  readonly kind: 'map';
  readonly offset: number;
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: string;
  readonly offset: number;
  readonly value: Node;
}

export type Node = ScalarNode | ListNode | MapNode;

/** A place where the text is not YAML, or not YAML that a configuration may use. */
export interface SyntaxFault {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

export type Parsed =
  | { readonly ok: true; readonly root: Node }
  | { readonly ok: false; readonly faults: readonly SyntaxFault[] };

/** Collections within collections, at most. */
export const MAX_DEPTH = 64;

/** Whether a scalar is YAML’s null: nothing, `~` or `null`, unquoted. */
export function isNull(node: Node): boolean {
  if (node.kind !== 'scalar' || !node.plain) return false;
  const { text } = node;
  return (
    text === '' ||
    text === '~' ||
    (text.length === 4 && (text === 'null' || text === 'Null' || text === 'NULL'))
  );
}

/** Whether nothing at all is written where a value could be. */
export function isBlank(node: Node): boolean {
  return node.kind === 'scalar' && node.plain && node.text === '';
}
