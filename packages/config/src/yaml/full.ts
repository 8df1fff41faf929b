import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { type Entry, MAX_DEPTH, type Node, type Parsed, type SyntaxFault } from './tree.ts';

/** Nodes that aliases may add to a document, all expansions counted. */
const MAX_ALIASED_NODES = 100_000;
const MAX_FAULTS = 20;
const TOO_DEEP = `collections are nested deeper than ${MAX_DEPTH} levels`;

/** Reads any YAML 1.2 document, with anchors, merge keys and block scalars, through the `yaml` package. */
export function parseFull(text: string): Parsed {
  // Loaded on first use: most files never need it (see common.ts), and it costs 30 ms and several MB.
  const yaml = createRequire(import.meta.url)('yaml') as typeof Yaml;
  let document: Yaml.Document.Parsed;
  try {
    document = yaml.parseDocument(text, {
      schema: 'failsafe',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
    });
  } catch (error) {
    if (error instanceof RangeError) return fault(0, TOO_DEEP);
    throw error;
  }
  if (document.errors.length > 0) {
    return { ok: false, faults: faultsOf(document.errors, text) };
  }
  return new Conversion(yaml).document(document);
}

function fault(offset: number, message: string): Parsed {
  return { ok: false, faults: [{ offset, message }] };
}

/** One fault per line: what follows on the same line is mostly a consequence of the first. */
function faultsOf(errors: readonly Yaml.YAMLParseError[], text: string): SyntaxFault[] {
  const faults: SyntaxFault[] = [];
  let line = -1;
  for (const error of errors) {
    const lineStart = text.lastIndexOf('\n', error.pos[0] - 1);
    if (lineStart === line && faults.length > 0) continue;
    line = lineStart;
    faults.push(translate(error, text));
    if (faults.length === MAX_FAULTS) break;
  }
  return faults;
}

function translate(error: Yaml.YAMLParseError, text: string): SyntaxFault {
  const offset = error.pos[0];
  const lineEnd = text.indexOf('\n', offset);
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, lineEnd === -1 ? text.length : lineEnd);
  if (error.message.startsWith('Maximum call stack')) return { offset, message: TOO_DEEP };
  if (error.code === 'MULTIPLE_DOCS') {
    return { offset, message: 'a second YAML document begins here; a configuration is one document' };
  }
  if (error.code === 'TAB_AS_INDENT') {
    return { offset, message: 'a tab is used for indentation', hint: 'indent with spaces' };
  }
  const message = `not valid YAML: ${error.message.replace(/\.$/, '')}`;
  if (/[[{,:]\s*\$\{/.test(line) && /[[{]/.test(line.replace(/\$\{/g, ''))) {
    return { offset, message, hint: 'inside [ ] and { } quote values with ${…}: "${NAME}"' };
  }
  if (error.message.startsWith('Missing closing')) {
    return { offset, message: 'not valid YAML: a quote that was opened above is never closed' };
  }
  if (/: .*: /.test(line)) return { offset, message, hint: 'a value that contains ": " must be quoted' };
  return { offset, message };
}

/** A node with the number of nodes it stands for once its aliases are expanded. */
interface Sized {
  readonly node: Node;
  readonly size: number;
}

class Conversion {
  readonly #yaml: typeof Yaml;
  readonly #anchors = new Map<string, Sized>();
  #aliased = 0;

  constructor(yaml: typeof Yaml) {
    this.#yaml = yaml;
  }

  document(document: Yaml.Document.Parsed): Parsed {
    try {
      const { contents } = document;
      if (contents === null) return { ok: true, root: { kind: 'scalar', offset: 0, text: '', plain: true } };
      return { ok: true, root: this.#node(contents, 0).node };
    } catch (error) {
      if (error instanceof Refusal) return { ok: false, faults: [error.fault] };
      throw error;
    }
  }

  #node(node: Yaml.ParsedNode | null, depth: number): Sized {
    if (node === null) return { node: { kind: 'scalar', offset: 0, text: '', plain: true }, size: 1 };
    const offset = node.range[0];
    if (depth > MAX_DEPTH) throw new Refusal(offset, TOO_DEEP);
    if (this.#yaml.isAlias(node)) return this.#alias(node.source, offset);
    const { tag } = node;
    if (tag !== undefined && !/^tag:yaml\.org,2002:(?:str|map|seq)$/.test(tag)) {
      throw new Refusal(offset, `the YAML tag ${tag} means nothing in a configuration`, 'remove the tag');
    }
    let sized: Sized;
    if (this.#yaml.isMap(node)) sized = this.#map(node, depth);
    else if (this.#yaml.isSeq(node)) sized = this.#list(node, depth);
    else sized = { node: this.#scalar(node), size: 1 };
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, sized);
    return sized;
  }

  #alias(name: string, offset: number): Sized {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      throw new Refusal(offset, `the alias *${name} has no anchor &${name} before it`);
    }
    this.#aliased += target.size;
    if (this.#aliased > MAX_ALIASED_NODES) {
      throw new Refusal(offset, `aliases expand to more than ${MAX_ALIASED_NODES} values`);
    }
    return target;
  }

  #scalar(node: Yaml.Scalar.Parsed): Node {
    const text = asText(node.value);
    const plain = node.type === 'PLAIN' && node.tag === undefined;
    return { kind: 'scalar', offset: node.range[0], text, plain };
  }

  #list(node: Yaml.YAMLSeq.Parsed, depth: number): Sized {
    const items: Node[] = [];
    let size = 1;
    for (const item of node.items) {
      const sized = this.#node(item, depth + 1);
      items.push(sized.node);
      size += sized.size;
    }
    return { node: { kind: 'list', offset: node.range[0], items }, size };
  }

  #map(node: Yaml.YAMLMap.Parsed, depth: number): Sized {
    const entries: Entry[] = [];
    const merged: Entry[] = [];
    let size = 1;
    for (const pair of node.items) {
      const key: unknown = pair.key;
      if (!this.#yaml.isScalar(key)) {
        const at = this.#yaml.isNode(key) ? (key.range?.[0] ?? node.range[0]) : node.range[0];
        throw new Refusal(at, 'a key must be a single word or a quoted string');
      }
      const name = asText(key.value);
      const offset = key.range?.[0] ?? node.range[0];
      if (key.anchor !== undefined) throw new Refusal(offset, 'a key cannot carry an anchor');
      const value =
        pair.value === null
          ? {
              node: { kind: 'scalar', offset: offset + name.length, text: '', plain: true } as const,
              size: 1,
            }
          : this.#node(pair.value, depth + 1);
      size += value.size;
      if (name === '<<' && key.type === 'PLAIN') merged.push(...mergeEntries(value.node, offset));
      else entries.push({ key: name, offset, value: value.node });
    }
    // What is written in the map itself wins over what is merged in, and the first merged one over later ones.
    if (merged.length > 0) {
      const known = new Set(entries.map((entry) => entry.key));
      for (const entry of merged) {
        if (!known.has(entry.key)) entries.push(entry);
        known.add(entry.key);
      }
    }
    return { node: { kind: 'map', offset: node.range[0], entries }, size };
  }
}

/** The failsafe schema makes every scalar a string; one that is not written at all is null. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function mergeEntries(node: Node, offset: number): readonly Entry[] {
  if (node.kind === 'map') return node.entries;
  if (node.kind === 'list' && node.items.every((item) => item.kind === 'map')) {
    return node.items.flatMap((item) => mergeEntries(item, offset));
  }
  throw new Refusal(offset, 'a merge key (<<) takes a map or a list of maps', 'write <<: *name');
}

class Refusal extends Error {
  readonly fault: SyntaxFault;

  constructor(offset: number, message: string, hint?: string) {
    super(message);
    this.fault = hint === undefined ? { offset, message } : { offset, message, hint };
  }
}
