// The words in which the schema is written. One description of each key serves reading, types, JSON Schema and docs.

/** A fragment of JSON Schema draft-07. */
export type JsonSchema = { readonly [key: string]: unknown };

/**
 * acted: this version does what the key says. later: accepted and checked; `note` says what happens instead, and values in
 * `same` ask for just that, so that nothing needs to be said.
 */
export type Status =
  | { readonly kind: 'acted' }
  | { readonly kind: 'later'; readonly note: string; readonly same: readonly string[] };

/** Why a value is not acceptable: what it is, and what to write instead. */
export interface Wrong {
  readonly wrong: string;
  readonly hint?: string;
}
export type Read<T> = { readonly value: T } | Wrong;

/** Carries the type of what a field yields; nothing at run time. */
interface Yields<T> {
  readonly yields?: T;
}
/** What a field yields once read. */
export type Written<F> = F extends Yields<infer T> ? T : never;

interface Described {
  /** What the key means, for docs and editors; empty for items whose list says it. */
  readonly meaning: string;
  /** The default as people write it, or null. */
  readonly fallback: string | null;
  readonly status: Status;
  readonly required: boolean;
}

export interface ScalarField<T> extends Described, Yields<T> {
  readonly kind: 'scalar';
  /** The type in docs and messages: `duration`, `a duration` with its article. */
  readonly type: string;
  readonly json: JsonSchema;
  /** Whether line breaks are part of a good value. */
  readonly lines: boolean;
  read(text: string, plain: boolean): Read<T>;
}
export interface ListField<T> extends Described, Yields<readonly T[]> {
  readonly kind: 'list';
  readonly item: Field;
}
export interface MapField<T> extends Described, Yields<Readonly<Record<string, T>>> {
  readonly kind: 'map';
  readonly value: Field;
  /** Checks a key; null is fine. */
  readonly key: ((key: string) => Wrong | null) | null;
}
export interface ObjectField<T> extends Described, Yields<T> {
  readonly kind: 'object';
  /** Names the object in docs and in the JSON Schema’s definitions; null for those described in place. */
  readonly name: string | null;
  readonly keys: ReadonlyMap<string, Field>;
  readonly needed: readonly string[];
  /** Keys that documents of the original show but its code never read, and what to write instead. */
  readonly ignored: Readonly<Record<string, string>>;
  /** Keys that exist elsewhere under another name, and what they are called here. */
  readonly renamed: Readonly<Record<string, string>>;
}
/** One key, several forms, told apart by the kind of node alone. */
export interface FormsField<T> extends Described, Yields<T> {
  readonly kind: 'forms';
  readonly scalar: Field | null;
  readonly list: Field | null;
  readonly map: Field | null;
}
/** Anything; for blocks that nobody reads yet (looked through for repeated keys), and for what is read elsewhere. */
export interface AnyField extends Described, Yields<unknown> {
  readonly kind: 'any';
  readonly elsewhere: boolean;
  /** Yields plain values with their variables replaced; else the node. */
  readonly values: boolean;
}

export type Field =
  | ScalarField<unknown>
  | ListField<unknown>
  | MapField<unknown>
  | ObjectField<unknown>
  | FormsField<unknown>
  | AnyField;

type RequiredKeys<P> = { [K in keyof P]: P[K] extends { readonly required: true } ? K : never }[keyof P];
/** What an object field yields: required keys are there, the others may be. */
export type WrittenObject<P> = { readonly [K in RequiredKeys<P>]: Written<P[K]> } & {
  readonly [K in Exclude<keyof P, RequiredKeys<P>>]?: Written<P[K]>;
};

const ACTED: Status = { kind: 'acted' };
function described(
  meaning: string,
  fallback: string | null = null,
): Described & { readonly required: false } {
  return { meaning, fallback, status: ACTED, required: false };
}

/** A scalar with its own reading. */
export function scalar<T>(
  type: string,
  json: JsonSchema,
  read: (text: string, plain: boolean) => Read<T>,
  meaning = '',
  fallback: string | null = null,
): ScalarField<T> & { readonly required: false } {
  return { kind: 'scalar', type, json, lines: false, read, ...described(meaning, fallback) };
}

export function list<T>(
  item: Yields<T> & Field,
  meaning: string,
  fallback: string | null = null,
): ListField<T> & { readonly required: false } {
  return { kind: 'list', item, ...described(meaning, fallback) };
}

export function map<T>(
  value: Yields<T> & Field,
  meaning: string,
  key: ((key: string) => Wrong | null) | null = null,
): MapField<T> & { readonly required: false } {
  return { kind: 'map', value, key, ...described(meaning) };
}

export interface ObjectOptions {
  readonly name?: string;
  readonly ignored?: Readonly<Record<string, string>>;
  readonly renamed?: Readonly<Record<string, string>>;
}

export function object<P extends Record<string, Field>>(
  keys: P,
  meaning: string,
  options: ObjectOptions = {},
): ObjectField<WrittenObject<P>> & { readonly required: false } {
  const entries = Object.entries(keys);
  return {
    kind: 'object',
    name: options.name ?? null,
    keys: new Map(entries),
    needed: entries.filter(([, field]) => field.required).map(([key]) => key),
    ignored: options.ignored ?? {},
    renamed: options.renamed ?? {},
    ...described(meaning),
  };
}

type Form = { readonly scalar?: Field; readonly list?: Field; readonly map?: Field };
export function forms<F extends Form>(
  of: F,
  meaning: string,
  fallback: string | null = null,
): FormsField<Written<F[keyof F]>> & { readonly required: false } {
  return {
    kind: 'forms',
    scalar: of.scalar ?? null,
    list: of.list ?? null,
    map: of.map ?? null,
    ...described(meaning, fallback),
  };
}

export function anything(
  meaning: string,
  options = { elsewhere: false },
): AnyField & { readonly required: false } {
  return { kind: 'any', values: false, ...options, ...described(meaning) };
}

/** Whatever is written, as plain values: texts, numbers, booleans, lists and maps. */
export function values(meaning: string): AnyField & { readonly required: false } {
  return { kind: 'any', values: true, elsewhere: false, ...described(meaning) };
}

/** The same field, which must be there. */
export function required<F extends Field>(field: F): Omit<F, 'required'> & { readonly required: true } {
  return { ...field, required: true };
}

/** The same field, accepted and checked but not acted on in this version; `note` tells what happens instead. */
export function later<F extends Field>(
  field: F,
  note = 'not acted on in this version',
  same: readonly string[] = [],
): F {
  return { ...field, status: { kind: 'later', note, same } };
}

/** The same field under another meaning or default. */
export function as<F extends Field>(field: F, meaning: string, fallback: string | null = field.fallback): F {
  return { ...field, meaning, fallback };
}
