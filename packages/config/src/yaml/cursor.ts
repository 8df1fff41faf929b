import type { ScalarNode } from './tree.ts';

/** Thrown where the common reader meets what only the full parser knows. */
export class Beyond extends Error {
  constructor() {
    super('beyond the common part of YAML');
  }
}

/** A node that was read, and the place behind it. */
export interface Taken<N> {
  readonly node: N;
  readonly end: number;
}

const NEWLINE = 10;
const SPACE = 32;
const BACKSLASH = 92;

/** A space, a line break or the end. */
export function isBlankChar(char: number): boolean {
  return char === SPACE || char === NEWLINE || Number.isNaN(char);
}

export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at += 1;
  return at;
}

/** A double-quoted scalar that ends on its line and has no escapes but those of JSON. */
export function doubleQuoted(text: string, offset: number): Taken<ScalarNode> {
  let escaped = false;
  for (let at = offset + 1; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 34) {
      const node = (decoded: string): ScalarNode => ({ kind: 'scalar', offset, text: decoded, plain: false });
      if (!escaped) return { node: node(text.slice(offset + 1, at)), end: at + 1 };
      return { node: node(unescape(text.slice(offset, at + 1))), end: at + 1 };
    }
    if (char === NEWLINE) break;
    if (char === BACKSLASH) {
      escaped = true;
      at += 1;
      if (text.charCodeAt(at) === NEWLINE) break;
    }
  }
  throw new Beyond();
}

function unescape(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw new Beyond();
  }
}

/** A single-quoted scalar that ends on its line. */
export function singleQuoted(text: string, offset: number): Taken<ScalarNode> {
  let doubled = false;
  for (let at = offset + 1; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === NEWLINE) break;
    if (char !== 39) continue;
    if (text.charCodeAt(at + 1) === 39) {
      doubled = true;
      at += 1;
      continue;
    }
    const inner = text.slice(offset + 1, at);
    const node: ScalarNode = {
      kind: 'scalar',
      offset,
      text: doubled ? inner.replaceAll("''", "'") : inner,
      plain: false,
    };
    return { node, end: at + 1 };
  }
  throw new Beyond();
}
