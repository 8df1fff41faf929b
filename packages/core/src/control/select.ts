import { HsuError } from '../errors.ts';

/** What workers are chosen by. */
export interface Selectable {
  readonly id: string;
  readonly namespace: string | null;
}

/** `patterns` empty: all. `namespace` null: any; a glob too. */
export interface Selection {
  readonly patterns: readonly string[];
  readonly namespace: string | null;
}

/** Whether a text fits a pattern of `*` (any characters, none too) and `?` (one); case counts. Linear in the text's length for each `*`. */
export function fitsGlob(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let retry = 0;
  while (at < text.length) {
    const sign = pattern[from];
    if (sign === '*') {
      star = from;
      retry = at;
      from += 1;
    } else if (sign === '?' || (sign !== undefined && sign === text[at])) {
      from += 1;
      at += 1;
    } else if (star >= 0) {
      retry += 1;
      at = retry;
      from = star + 1;
    } else return false;
  }
  while (pattern[from] === '*') from += 1;
  return from === pattern.length;
}

/** Whether a pattern can fit more than one text. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** `billing/*`: a glob for the namespace before the slash, one for the id behind it. */
export function fitsPattern(pattern: string, { id, namespace }: Selectable): boolean {
  const slash = pattern.indexOf('/');
  if (slash < 0) return fitsGlob(pattern, id);
  return fitsGlob(pattern.slice(0, slash), namespace ?? '') && fitsGlob(pattern.slice(slash + 1), id);
}

/**
 * Those that are chosen, in their own order, each once.
 * @throws HsuError E_UNKNOWN_WORKER for a pattern that fits none, with the names that are nearest to it
 */
export function select<T extends Selectable>(
  all: readonly T[],
  { patterns, namespace }: Selection,
): readonly T[] {
  const within =
    namespace === null ? all : all.filter((worker) => fitsGlob(namespace, worker.namespace ?? ''));
  if (patterns.length === 0) {
    if (within.length === 0 && namespace !== null) throw noneIn(namespace);
    return within;
  }
  for (const pattern of patterns) {
    if (!within.some((worker) => fitsPattern(pattern, worker))) throw unknown(pattern, within, namespace);
  }
  return within.filter((worker) => patterns.some((pattern) => fitsPattern(pattern, worker)));
}

function noneIn(namespace: string): HsuError {
  return new HsuError('E_UNKNOWN_WORKER', `there is no worker in the namespace "${namespace}"`, {
    namespace,
  });
}

function unknown(pattern: string, all: readonly Selectable[], namespace: string | null): HsuError {
  const ids = all.map(({ id }) => id);
  const near = isGlob(pattern) ? [] : nearest(pattern.slice(pattern.indexOf('/') + 1), ids);
  const hint = near.length === 0 ? '' : `; did you mean ${near.map((id) => `"${id}"`).join(' or ')}?`;
  const what = isGlob(pattern) ? `no worker fits "${pattern}"` : `there is no worker "${pattern}"`;
  const where = namespace === null ? '' : ` in the namespace "${namespace}"`;
  return new HsuError('E_UNKNOWN_WORKER', `${what}${where}${hint}`, { id: pattern, near });
}

/** The same without the names of workers that may have been meant: for who may not see all of them. */
export function withoutNames(error: HsuError): HsuError {
  const { near, ...detail } = error.detail;
  if (near === undefined) return error;
  return new HsuError(error.code, error.message.replace(/; did you mean .*\?$/, ''), detail);
}

/** Of more than this many names none is compared: a typing error is not worth the time. */
const MOST_COMPARED = 2000;

/** Up to three ids that differ in so few characters that they may be meant. */
export function nearest(id: string, ids: readonly string[]): readonly string[] {
  if (ids.length > MOST_COMPARED || id.length > 64) return [];
  const allowed = Math.max(1, Math.floor(id.length / 3));
  return ids
    .map((known) => ({ known, distance: distance(id.toLowerCase(), known.toLowerCase()) }))
    .filter((one) => one.distance <= allowed)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ known }) => known);
}

/** Insertions, deletions and replacements from one text to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
