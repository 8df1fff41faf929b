import type { Field } from './schema/fields.ts';
import { root } from './schema/root.ts';
import { suggest } from './schema/suggest.ts';
import { longForm, shortForm } from './schema/worker.ts';

/** What is known of one key. */
export interface ExplainedKey {
  /** From the top of a document; `[]` for items of a list, `*` for names of one's own. */
  readonly path: string;
  readonly type: string;
  /** As people write it; null: none. */
  readonly usual: string | null;
  readonly required: boolean;
  readonly meaning: string;
  /** What this version does instead; null where it does what the key says. */
  readonly later: string | null;
  /** What can stand below it. */
  readonly keys: readonly Omit<ExplainedKey, 'keys'>[];
}

export type KeyAnswer =
  | { readonly ok: true; readonly places: readonly ExplainedKey[] }
  /** `near`: a path that may have been meant. */
  | { readonly ok: false; readonly near: string | null };

/**
 * Explains a key by its path from the top (`workers.restart.delay`), from a worker (`restart.delay`), or by its bare name, wherever that
 * stands. Numbers and brackets of items are passed over. An empty path: the document.
 */
export function explainKey(path: string): KeyAnswer {
  const words = path
    .replace(/\[\d*\]/g, '')
    .split('.')
    .filter((word) => word !== '' && !/^\d+$/.test(word));
  if (words.length === 0) return { ok: true, places: [explained({ path: '', field: root })] };
  const found = distinct([
    ...walk({ path: '', field: root }, words),
    ...[shortForm, longForm].flatMap((form) => walk({ path: 'workers[]', field: form }, words)),
  ]);
  if (found.length > 0) return { ok: true, places: found.map(explained) };
  const all = everywhere();
  const [only] = words;
  const named = words.length > 1 ? [] : all.filter((place) => lastOf(place.path) === only);
  if (named.length > 0) return { ok: true, places: distinct(named).map(explained) };
  const names = new Set(all.map((place) => plain(place.path)));
  return { ok: false, near: suggest(words.join('.'), names) ?? nearWord(words, all) };
}

interface Place {
  readonly path: string;
  readonly field: Field;
}

function walk(from: Place, words: readonly string[]): readonly Place[] {
  const [word = '', ...rest] = words;
  return objectsOf(from).flatMap(({ path, field }) => {
    if (field.kind === 'map') {
      const place = { path: `${path}.*`, field: field.value };
      return rest.length === 0 ? [place] : walk(place, rest);
    }
    if (field.kind !== 'object') return [];
    const key = field.keys.get(word);
    if (key === undefined) return [];
    const place = { path: joined(path, word), field: key };
    return rest.length === 0 ? [place] : walk(place, rest);
  });
}

/** The objects and maps that a value may be, through lists and forms. */
function objectsOf({ path, field }: Place): readonly Place[] {
  switch (field.kind) {
    case 'object':
    case 'map':
      return [{ path, field }];
    case 'list':
      return objectsOf({ path: `${path}[]`, field: field.item });
    case 'forms':
      return [field.map, field.list].flatMap((form) =>
        form === null ? [] : objectsOf({ path, field: form }),
      );
    case 'any':
      return field.elsewhere ? [shortForm, longForm].map((form) => ({ path: `${path}[]`, field: form })) : [];
    case 'scalar':
      return [];
  }
}

function everywhere(): readonly Place[] {
  const places: Place[] = [];
  const left: Place[] = [{ path: '', field: root }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    for (const { path, field } of objectsOf(next)) {
      const below =
        field.kind === 'object'
          ? [...field.keys].map(([key, inner]) => ({ path: joined(path, key), field: inner }))
          : field.kind === 'map'
            ? [{ path: `${path}.*`, field: field.value }]
            : [];
      // Fields that hold themselves have no end.
      for (const one of below) if (one.path.split('.').length < 12) left.push(one);
      places.push(...below);
    }
  }
  return places;
}

/** The same field in both forms of a worker is one answer. */
function distinct(places: readonly Place[]): readonly Place[] {
  const seen = new Set<string>();
  return places.filter(({ path, field }) => {
    const key = `${path} ${field.meaning} ${typeOf(field)}`;
    return seen.has(key) ? false : seen.add(key);
  });
}

function explained(place: Place): ExplainedKey {
  const keys = objectsOf(place).flatMap(({ path, field }) => {
    if (field.kind === 'map') return [bare({ path: `${path}.*`, field: field.value })];
    if (field.kind !== 'object') return [];
    return [...field.keys].map(([key, inner]) => bare({ path: joined(path, key), field: inner }));
  });
  return { ...bare(place), keys };
}

function bare({ path, field }: Place): Omit<ExplainedKey, 'keys'> {
  const { meaning, fallback, required, status } = field;
  return {
    path,
    type: typeOf(field),
    usual: fallback,
    required,
    meaning,
    later: status.kind === 'later' ? status.note : null,
  };
}

function typeOf(field: Field): string {
  switch (field.kind) {
    case 'scalar':
      return field.type;
    case 'list':
      return `list of ${typeOf(field.item)}`;
    case 'map':
      return `map of ${typeOf(field.value)}`;
    case 'object':
      return field.name ?? 'map';
    case 'forms':
      return [field.scalar, field.list, field.map]
        .flatMap((form) => (form === null ? [] : [typeOf(form)]))
        .join(', or ');
    case 'any':
      return field.elsewhere ? 'list of workers' : 'anything';
  }
}

function joined(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function plain(path: string): string {
  return path.replaceAll('[]', '');
}

/** Where the path is right but for its last word, or that word is written so elsewhere. */
function nearWord(words: readonly string[], all: readonly Place[]): string | null {
  const near = suggest(words.at(-1) ?? '', new Set(all.map(({ path }) => lastOf(path))));
  const place = all.find(({ path }) => lastOf(path) === near);
  return place === undefined ? null : plain(place.path);
}
