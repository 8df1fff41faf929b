// A reader for the part of YAML that most configurations keep to: block and flow collections, scalars on one line, comments.
// It exists for speed and memory: a file with 1000 workers takes the `yaml` package half a second and 50 MB. Whatever it does
// not know for certain (anchors, tags, block scalars, multi-line text, tabs, any mistake) makes it step back, and the full
// parser decides; a property test holds the two to the same answer.

import { Beyond, doubleQuoted, isBlankChar, singleQuoted, skipBlanks } from './cursor.ts';
import { readFlow } from './flow.ts';
import { type Entry, type ListNode, MAX_DEPTH, type MapNode, type Node, type ScalarNode } from './tree.ts';

/** A longer key is refused by YAML when it stands unquoted before its colon. */
const MAX_KEY = 512;

const UNUSUAL = /[^\n -~\u00A0-\uD7FF\uD800-\uDFFF\uE000-\uFEFE\uFF00-\uFFFD]/;
const PLAIN_KEY = /[A-Za-z0-9_./][A-Za-z0-9_./-]*:(?=[ \n]|$)/y;
// Directives and document markers are for the full parser, but for one `---` at the very beginning.
const LEADING_MARKER = /(?: *(?:#[^\n]*)?\n)*--- *\n/y;
const MARKER = /^(?:%|(?:---|\.\.\.)(?:[ \n]|$))/gm;
const INDICATORS = new Set(Array.from(',[]{}#&*!|>%@`"\'', (char) => char.charCodeAt(0)));

const NEWLINE = 10;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const APOSTROPHE = 39;
const DASH = 45;
const COLON = 58;
const QUESTION = 63;
const BRACKET = 91;
const BRACE = 123;

/** The document’s nodes, or null where only the full parser can tell. */
export function parseCommon(text: string): Node | null {
  // A blank before a line break means nothing here, and keeps all offsets.
  const lines = text.includes('\r') ? text.replaceAll('\r\n', ' \n') : text;
  if (UNUSUAL.test(lines)) return null;
  try {
    return new CommonReader(lines).document();
  } catch (error) {
    if (error instanceof Beyond) return null;
    throw error;
  }
}

class CommonReader {
  readonly text: string;
  /** The first character of the current line’s content; the text’s length at the end. */
  at = 0;
  /** Its column; -1 at the end. */
  indent = -1;
  #depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): Node {
    const { text } = this;
    LEADING_MARKER.lastIndex = 0;
    const start = LEADING_MARKER.test(text) ? LEADING_MARKER.lastIndex : 0;
    MARKER.lastIndex = start;
    if (MARKER.test(text)) throw new Beyond();
    this.#toContent(start);
    if (this.indent === -1) return blank(0);
    const root = this.#block(-1);
    if (this.indent !== -1) throw new Beyond();
    return root;
  }

  /** Goes on to the next line that holds more than blanks and a comment. `from` stands in the current line. */
  #nextLine(from: number): void {
    const end = this.text.indexOf('\n', from);
    this.#toContent(end === -1 ? this.text.length : end + 1);
  }

  #toContent(lineStart: number): void {
    const { text } = this;
    let start = lineStart;
    while (start < text.length) {
      const at = skipBlanks(text, start);
      if (at < text.length && text.charCodeAt(at) !== NEWLINE && text.charCodeAt(at) !== HASH) {
        this.at = at;
        this.indent = at - start;
        return;
      }
      const end = text.indexOf('\n', at);
      start = end === -1 ? text.length : end + 1;
    }
    this.at = text.length;
    this.indent = -1;
  }

  /** What begins at the current line, deeper than `parentIndent`. */
  #block(parentIndent: number): Node {
    if (this.#isDash(this.at)) return this.#list(this.indent);
    if (this.#keyEnd(this.at) !== -1) return this.#map(this.indent);
    return this.#inline(parentIndent);
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new Beyond();
  }

  #map(indent: number): MapNode {
    this.#enter();
    const offset = this.at;
    const entries: Entry[] = [];
    while (this.indent === indent && !this.#isDash(this.at)) {
      const keyAt = this.at;
      const colon = this.#keyEnd(keyAt);
      if (colon === -1) throw new Beyond();
      const key = this.#key(keyAt, colon);
      const valueAt = skipBlanks(this.text, colon + 1);
      if (!this.#endsHere(valueAt)) {
        this.at = valueAt;
        entries.push({ key, offset: keyAt, value: this.#inline(indent) });
        continue;
      }
      this.#nextLine(valueAt);
      if (this.indent > indent || (this.indent === indent && this.#isDash(this.at))) {
        entries.push({ key, offset: keyAt, value: this.#block(indent) });
      } else entries.push({ key, offset: keyAt, value: blank(colon + 1) });
    }
    if (this.indent > indent) throw new Beyond();
    this.#depth -= 1;
    return { kind: 'map', offset, entries };
  }

  #list(indent: number): ListNode {
    this.#enter();
    const offset = this.at;
    const items: Node[] = [];
    while (this.indent === indent && this.#isDash(this.at)) {
      const dash = this.at;
      const at = skipBlanks(this.text, dash + 1);
      if (this.#endsHere(at)) {
        this.#nextLine(at);
        items.push(this.indent > indent ? this.#block(indent) : blank(dash + 1));
        continue;
      }
      this.at = at;
      if (this.#isDash(at) || this.#keyEnd(at) !== -1) {
        this.indent = indent + (at - dash);
        items.push(this.#block(indent));
      } else items.push(this.#inline(indent));
    }
    if (this.indent > indent) throw new Beyond();
    this.#depth -= 1;
    return { kind: 'list', offset, items };
  }

  /** A value on the current line (a flow collection may go on below); leaves the reader at the next line. */
  #inline(parentIndent: number): Node {
    const { text } = this;
    const offset = this.at;
    const char = text.charCodeAt(offset);
    let node: Node;
    let end: number;
    if (char === QUOTE) ({ node, end } = doubleQuoted(text, offset));
    else if (char === APOSTROPHE) ({ node, end } = singleQuoted(text, offset));
    else if (char === BRACKET || char === BRACE)
      ({ node, end } = readFlow(text, offset, parentIndent, this.#depth));
    else ({ node, end } = this.#plain(offset, char));
    const rest = skipBlanks(text, end);
    if (!this.#endsHere(rest) || (rest === end && text.charCodeAt(rest) === HASH)) throw new Beyond();
    this.#nextLine(rest);
    // Deeper text would continue this scalar, or is a mistake.
    if (this.indent > parentIndent && this.indent !== -1 && parentIndent !== -1) throw new Beyond();
    return node;
  }

  #plain(offset: number, first: number): { node: ScalarNode; end: number } {
    const { text } = this;
    if (INDICATORS.has(first)) throw new Beyond();
    const next = text.charCodeAt(offset + 1);
    if ((first === DASH || first === QUESTION || first === COLON) && isBlankChar(next)) throw new Beyond();
    let end = offset;
    let last = offset;
    for (; end < text.length; end += 1) {
      const char = text.charCodeAt(end);
      if (char === NEWLINE) break;
      if (char === HASH && text.charCodeAt(end - 1) === SPACE) break;
      if (char === COLON && isBlankChar(text.charCodeAt(end + 1))) throw new Beyond();
      if (char !== SPACE) last = end;
    }
    return {
      node: { kind: 'scalar', offset, text: text.slice(offset, last + 1), plain: true },
      end: last + 1,
    };
  }

  /** Whether nothing but a comment follows. */
  #endsHere(at: number): boolean {
    if (at >= this.text.length) return true;
    const char = this.text.charCodeAt(at);
    return char === NEWLINE || (char === HASH && this.text.charCodeAt(at - 1) === SPACE);
  }

  #isDash(at: number): boolean {
    return this.text.charCodeAt(at) === DASH && isBlankChar(this.text.charCodeAt(at + 1));
  }

  /** The colon after the key that begins at `at`, or -1 where no key begins. */
  #keyEnd(at: number): number {
    const { text } = this;
    const char = text.charCodeAt(at);
    if (char === QUOTE || char === APOSTROPHE) {
      const { end } = char === QUOTE ? doubleQuoted(text, at) : singleQuoted(text, at);
      return text.charCodeAt(end) === COLON && isBlankChar(text.charCodeAt(end + 1)) && end - at < MAX_KEY
        ? end
        : -1;
    }
    PLAIN_KEY.lastIndex = at;
    if (!PLAIN_KEY.test(text) || PLAIN_KEY.lastIndex - at > MAX_KEY) return -1;
    return PLAIN_KEY.lastIndex - 1;
  }

  #key(at: number, colon: number): string {
    const char = this.text.charCodeAt(at);
    if (char === QUOTE) return doubleQuoted(this.text, at).node.text;
    if (char === APOSTROPHE) return singleQuoted(this.text, at).node.text;
    return this.text.slice(at, colon);
  }
}

function blank(offset: number): ScalarNode {
  return { kind: 'scalar', offset, text: '', plain: true };
}
