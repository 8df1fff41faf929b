import { Beyond, doubleQuoted, isBlankChar, singleQuoted, skipBlanks, type Taken } from './cursor.ts';
import { type Entry, type ListNode, MAX_DEPTH, type MapNode, type Node, type ScalarNode } from './tree.ts';

const NEWLINE = 10;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const APOSTROPHE = 39;
const COMMA = 44;
const COLON = 58;
const BRACKET = 91;
const CLOSE_BRACKET = 93;
const BRACE = 123;
const CLOSE_BRACE = 125;

const PLAIN_START = /[A-Za-z0-9_./~$+=(^<\u00A0-\uFFFF]|-[A-Za-z0-9_./-]/y;

/** The flow collection that begins at `offset`; lines below it must be indented deeper than `parentIndent`. */
export function readFlow(text: string, offset: number, parentIndent: number, depth: number): Taken<Node> {
  return new FlowReader(text, offset, parentIndent, depth).read();
}

class FlowReader {
  readonly #text: string;
  readonly #parentIndent: number;
  #at: number;
  #depth: number;

  constructor(text: string, offset: number, parentIndent: number, depth: number) {
    this.#text = text;
    this.#at = offset;
    this.#parentIndent = parentIndent;
    this.#depth = depth;
  }

  read(): Taken<Node> {
    const node = this.#char() === BRACKET ? this.#list() : this.#map();
    return { node, end: this.#at };
  }

  #char(): number {
    return this.#text.charCodeAt(this.#at);
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new Beyond();
  }

  #list(): ListNode {
    this.#enter();
    const offset = this.#at;
    const items: Node[] = [];
    this.#at += 1;
    for (;;) {
      this.#skip();
      if (this.#char() === CLOSE_BRACKET) break;
      items.push(this.#node());
      this.#skip();
      if (this.#char() === COMMA) this.#at += 1;
      else if (this.#char() !== CLOSE_BRACKET) throw new Beyond();
    }
    this.#at += 1;
    this.#depth -= 1;
    return { kind: 'list', offset, items };
  }

  #map(): MapNode {
    this.#enter();
    const offset = this.#at;
    const entries: Entry[] = [];
    this.#at += 1;
    for (;;) {
      this.#skip();
      if (this.#char() === CLOSE_BRACE) break;
      entries.push(this.#entry());
      this.#skip();
      if (this.#char() === COMMA) this.#at += 1;
      else if (this.#char() !== CLOSE_BRACE) throw new Beyond();
    }
    this.#at += 1;
    this.#depth -= 1;
    return { kind: 'map', offset, entries };
  }

  #entry(): Entry {
    const key = this.#scalar();
    // A key and its colon stand on one line; only a quoted key may have its value right behind the colon.
    if (this.#char() !== COLON || key.text === '<<' || this.#at - key.offset > 512) throw new Beyond();
    this.#at += 1;
    if (key.plain && !isBlankChar(this.#char())) throw new Beyond();
    this.#skip();
    return { key: key.text, offset: key.offset, value: this.#node() };
  }

  #node(): Node {
    const char = this.#char();
    if (char === BRACKET) return this.#list();
    if (char === BRACE) return this.#map();
    return this.#scalar();
  }

  #scalar(): ScalarNode {
    const char = this.#char();
    if (char === QUOTE || char === APOSTROPHE) {
      const { node, end } = (char === QUOTE ? doubleQuoted : singleQuoted)(this.#text, this.#at);
      this.#at = end;
      return node;
    }
    return this.#plain();
  }

  /** A plain scalar on one line, to the comma, bracket, colon or comment behind it. */
  #plain(): ScalarNode {
    const offset = this.#at;
    const text = this.#text;
    PLAIN_START.lastIndex = offset;
    if (!PLAIN_START.test(text)) throw new Beyond();
    let last = offset;
    let at = offset;
    for (; ; at += 1) {
      const char = text.charCodeAt(at);
      if (char === COMMA || char === CLOSE_BRACKET || char === CLOSE_BRACE) break;
      if (char === COLON && (isBlankChar(text.charCodeAt(at + 1)) || /[,[\]{}]/.test(text[at + 1] ?? '')))
        break;
      if (char === NEWLINE || (char === HASH && text.charCodeAt(at - 1) === SPACE)) break;
      if (char === BRACKET || char === BRACE || Number.isNaN(char)) throw new Beyond();
      if (char !== SPACE) last = at;
    }
    if (text.charCodeAt(at) === COLON && last !== at - 1) throw new Beyond();
    this.#at = last + 1;
    return { kind: 'scalar', offset, text: text.slice(offset, last + 1), plain: true };
  }

  /** Blanks, line breaks and comments between tokens. */
  #skip(): void {
    const text = this.#text;
    for (;;) {
      const at = skipBlanks(text, this.#at);
      const char = text.charCodeAt(at);
      if (char === HASH) {
        if (at === this.#at && text.charCodeAt(at - 1) !== NEWLINE) throw new Beyond();
        const end = text.indexOf('\n', at);
        if (end === -1) throw new Beyond();
        this.#at = end;
      } else if (char === NEWLINE) {
        this.#at = at + 1;
        this.#checkIndent();
      } else {
        this.#at = at;
        return;
      }
    }
  }

  #checkIndent(): void {
    const at = skipBlanks(this.#text, this.#at);
    const char = this.#text.charCodeAt(at);
    if (char === NEWLINE || char === HASH || Number.isNaN(char)) return;
    const indent = at - this.#at;
    if (
      indent <= this.#parentIndent ||
      (indent === 0 && /^(?:---|\.\.\.)/.test(this.#text.slice(at, at + 3)))
    )
      throw new Beyond();
  }
}
