import type { Findings } from '../findings.ts';
import { pattern } from '../findings.ts';
import { interpolate, needsInterpolation, type Variables } from '../interpolate.ts';
import {
  type Entry,
  isBlank,
  isNull,
  type ListNode,
  type MapNode,
  type Node,
  type ScalarNode,
} from '../yaml/tree.ts';
import type { Field, FormsField, ListField, MapField, ObjectField, ScalarField, Written } from './fields.ts';
import { suggest } from './suggest.ts';

/** Names a map may not have as keys, because JavaScript gives them a meaning of their own. */
const FORBIDDEN_KEYS = new Set(['__proto__']);

const CONTROL = /[\0\n\r]/;
/** Maps up to this size are searched for repeated keys without an index. */
const SMALL = 24;

/**
 * Reads nodes by the fields that describe them: checks types, interpolates, reports unknown and repeated keys, and says
 * what is accepted but not acted on. Goes on after every mistake; what could not be read is left out.
 */
export class Reading {
  readonly #findings: Findings;
  readonly #variables: Variables;
  readonly #path: (string | number)[] = [];
  /** Above 0 inside a block that nobody reads yet: it was announced as a whole. */
  #unread = 0;

  constructor(findings: Findings, variables: Variables) {
    this.#findings = findings;
    this.#variables = variables;
  }

  /** The value, or undefined where there is none or it is wrong (then an error was reported). */
  read<F extends Field>(
    field: F,
    node: Node,
    path: readonly (string | number)[] = [],
  ): Written<F> | undefined {
    this.#path.length = 0;
    this.#path.push(...path);
    return this.#read(field, node) as Written<F> | undefined;
  }

  #read(field: Field, node: Node): unknown {
    switch (field.kind) {
      case 'scalar':
        return this.#scalar(field, node);
      case 'list':
        return this.#list(field, node);
      case 'map':
        return this.#map(field, node);
      case 'object':
        return this.#object(field, node);
      case 'forms':
        return this.#forms(field, node);
      case 'any':
        if (field.elsewhere) return undefined;
        return field.values ? this.#values(node) : this.#any(node);
    }
  }

  #scalar(field: ScalarField<unknown>, node: Node): unknown {
    if (node.kind !== 'scalar') return this.#mismatch(node, `${article(field.type)} ${field.type}`);
    const text = this.#text(node);
    if (text === null) return undefined;
    if (CONTROL.test(text)) {
      if (text.includes('\0'))
        return this.#wrong(node, 'contains a NUL character, which no program can be given');
      if (!field.lines && /[\n\r]/.test(text)) return this.#wrong(node, 'contains a line break');
    }
    const read = field.read(text, node.plain);
    if ('value' in read) return read.value;
    return this.#wrong(node, read.wrong, read.hint);
  }

  /** The scalar’s text with its variables replaced, or null where one is missing. */
  #text(node: ScalarNode): string | null {
    if (!needsInterpolation(node.text)) return node.text;
    const result = interpolate(node.text, this.#variables);
    if (result.ok) return result.text;
    // A block that nobody reads needs no values.
    if (this.#unread > 0 && result.unset !== null) return null;
    this.#findings.error(node.offset + (node.plain ? result.at : 0), this.#path, {
      message: result.message,
      hint: result.hint,
    });
    return null;
  }

  #list(field: ListField<unknown>, node: Node): unknown {
    if (isNull(node)) return undefined;
    if (node.kind !== 'list')
      return this.#mismatch(node, 'a list', 'write one item per line as "- item", or [item, item]');
    return this.#items(field.item, node);
  }

  #items(item: Field, node: ListNode): unknown {
    const values: unknown[] = [];
    for (const [index, entry] of node.items.entries()) {
      this.#path.push(index);
      if (item.kind === 'scalar' && isBlank(entry)) {
        this.#wrong(entry, 'is empty', 'write "" for an empty text');
      } else {
        const value = this.#read(item, entry);
        if (value !== undefined) values.push(value);
      }
      this.#path.pop();
    }
    return values;
  }

  #map(field: MapField<unknown>, node: Node): unknown {
    if (isNull(node)) return undefined;
    if (node.kind !== 'map') return this.#mismatch(node, 'a map of names to values', 'write NAME: value');
    const values: Record<string, unknown> = {};
    const repeated = this.#repeated(node);
    for (const entry of node.entries) {
      if (repeated?.has(entry)) continue;
      this.#path.push(entry.key);
      const wrong = FORBIDDEN_KEYS.has(entry.key)
        ? { wrong: 'is no name that can be used' }
        : field.key?.(entry.key);
      if (wrong) this.#wrong(entry, wrong.wrong, wrong.hint);
      else if (field.value.kind === 'scalar' && isBlank(entry.value)) {
        this.#wrong(entry, 'has no value', 'write "" for an empty text');
      } else {
        const value = this.#read(field.value, entry.value);
        if (value !== undefined) values[entry.key] = value;
      }
      this.#path.pop();
    }
    return values;
  }

  #object(field: ObjectField<unknown>, node: Node): unknown {
    if (node.kind === 'scalar' && isNull(node) && field.needed.length === 0) return undefined;
    if (node.kind !== 'map' && !isNull(node)) return this.#mismatch(node, 'a map of keys to values');
    const values: Record<string, unknown> = {};
    const entries = node.kind === 'map' ? node.entries : [];
    const repeated = node.kind === 'map' ? this.#repeated(node) : null;
    let misspelt = false;
    let missing = field.needed.length;
    for (const entry of entries) {
      if (repeated?.has(entry)) continue;
      this.#path.push(entry.key);
      const known = field.keys.get(entry.key);
      if (known !== undefined) {
        if (known.required && !isNull(entry.value)) missing -= 1;
        const value = this.#entry(known, entry);
        if (value !== undefined) values[entry.key] = value;
      } else if (Object.hasOwn(field.ignored, entry.key))
        this.#ignored(entry, field.ignored[entry.key] as string);
      else {
        misspelt = true;
        this.#unknown(field, entry);
      }
      this.#path.pop();
    }
    // An unknown key beside it is most likely the same key misspelt: one mistake, one message.
    if (missing > 0 && !misspelt) {
      for (const key of field.needed) {
        if (!entries.some((entry) => entry.key === key && !isNull(entry.value)))
          this.#missing(field, node, key);
      }
    }
    return values;
  }

  #entry(field: Field, entry: Entry): unknown {
    if (isNull(entry.value) && field.kind !== 'object') return undefined;
    if (field.status.kind === 'acted') return this.#read(field, entry.value);
    const { note, same } = field.status;
    const { value: written } = entry;
    if (this.#unread === 0 && !(written.kind === 'scalar' && same.includes(written.text))) {
      const finding = (details: readonly string[]) => {
        const keys =
          details.length === 0
            ? ''
            : ` (${details.slice(0, 12).join(', ')}${details.length > 12 ? ', …' : ''})`;
        return { message: `accepted, but ${note}${keys}` };
      };
      this.#findings.notice(pattern(this.#path), entry.offset, this.#path, finding, leaves(entry.value));
    }
    this.#unread += 1;
    const value = this.#read(field, entry.value);
    this.#unread -= 1;
    return value;
  }

  #forms(field: FormsField<unknown>, node: Node): unknown {
    const form = node.kind === 'scalar' ? field.scalar : node.kind === 'list' ? field.list : field.map;
    if (form !== null) return this.#read(form, node);
    const expected = [
      field.scalar && `${article(typeName(field.scalar))} ${typeName(field.scalar)}`,
      field.list && 'a list',
      field.map && 'a map',
    ];
    return this.#mismatch(node, expected.filter(Boolean).join(' or '));
  }

  #any(node: Node): unknown {
    if (node.kind === 'list') {
      for (const item of node.items) this.#any(item);
    } else if (node.kind === 'map') {
      this.#repeated(node);
      for (const entry of node.entries) this.#any(entry.value);
    }
    return node;
  }

  #values(node: Node): unknown {
    if (isNull(node)) return undefined;
    if (node.kind === 'scalar') {
      const text = this.#text(node);
      return text === null || !node.plain ? (text ?? undefined) : plainValue(text);
    }
    if (node.kind === 'list') return node.items.map((item) => this.#values(item));
    const values: Record<string, unknown> = {};
    const repeated = this.#repeated(node);
    for (const entry of node.entries) {
      if (repeated?.has(entry)) continue;
      this.#path.push(entry.key);
      if (FORBIDDEN_KEYS.has(entry.key)) this.#wrong(entry, 'is no name that can be used');
      else values[entry.key] = this.#values(entry.value);
      this.#path.pop();
    }
    return values;
  }

  /** Reports keys that are written twice and returns their later entries. */
  #repeated(node: MapNode): Set<Entry> | null {
    const { entries } = node;
    if (entries.length <= SMALL && !hasTwins(entries)) return null;
    let repeated: Set<Entry> | null = null;
    const first = new Map<string, Entry>();
    for (const entry of entries) {
      const earlier = first.get(entry.key);
      if (earlier === undefined) first.set(entry.key, entry);
      else {
        repeated ??= new Set();
        repeated.add(entry);
        this.#findings.error(entry.offset, [...this.#path, entry.key], {
          message: `the key "${entry.key}" is there twice; first in line ${this.#findings.lineOf(earlier.offset)}`,
          hint: 'keep one of the two',
        });
      }
    }
    return repeated;
  }

  #ignored(entry: Entry, instead: string): void {
    if (this.#unread > 0) return;
    this.#findings.notice(pattern(this.#path), entry.offset, this.#path, () => ({
      message: 'ignored, as it always was: this key appears in documents only',
      hint: instead,
    }));
  }

  #unknown(field: ObjectField<unknown>, entry: Entry): void {
    const renamed = Object.hasOwn(field.renamed, entry.key) ? field.renamed[entry.key] : undefined;
    const near = this.#findings.full ? null : suggest(entry.key, field.keys.keys());
    let hint: string | null = null;
    if (renamed !== undefined) hint = renamed;
    else if (near !== null) hint = `did you mean "${near}"?`;
    else if (field.keys.size > 0 && field.keys.size <= 14)
      hint = `known keys: ${[...field.keys.keys()].join(', ')}`;
    this.#findings.error(entry.offset, this.#path, {
      message: `unknown key "${entry.key.slice(0, 80)}"`,
      hint,
    });
  }

  #missing(field: ObjectField<unknown>, node: Node, key: string): void {
    const meaning = field.keys.get(key)?.meaning ?? '';
    this.#findings.error(node.offset, this.#path, {
      message: `"${key}" is missing`,
      hint: meaning === '' ? null : `${key}: ${meaning}`,
    });
  }

  #mismatch(node: Node, expected: string, hint?: string): undefined {
    const found = node.kind === 'scalar' ? scalarName(node) : `a ${node.kind}`;
    return this.#wrong(node, `takes ${expected}, but ${found} is given`, hint);
  }

  #wrong(node: { readonly offset: number }, message: string, hint?: string): undefined {
    this.#findings.error(node.offset, this.#path, { message, hint: hint ?? null });
    return undefined;
  }
}

/** A text without quotes: a number only where it looks the same as a number, so that no digit of a name is lost. */
function plainValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text !== '' && String(number) === text && Number.isFinite(number) ? number : text;
}

function hasTwins(entries: readonly Entry[]): boolean {
  for (let at = 1; at < entries.length; at += 1) {
    const { key } = entries[at] as Entry;
    for (let before = 0; before < at; before += 1) if ((entries[before] as Entry).key === key) return true;
  }
  return false;
}

function scalarName(node: ScalarNode): string {
  return isNull(node) ? 'nothing' : JSON.stringify(node.text.slice(0, 60));
}

function typeName(field: Field): string {
  return field.kind === 'scalar' ? field.type : field.kind;
}

function article(type: string): string {
  return /^[aeiou]/i.test(type) ? 'an' : 'a';
}

/** The paths of the scalars in a block, to say which keys of it were used. */
function* leaves(node: Node, prefix = '', depth = 0): Generator<string> {
  if (node.kind === 'map' && depth < 4) {
    for (const { key, value } of node.entries) {
      yield* leaves(value, prefix === '' ? key : `${prefix}.${key}`, depth + 1);
    }
  } else if (prefix !== '') yield prefix;
}
