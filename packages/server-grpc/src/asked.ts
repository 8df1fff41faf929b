import { EVENT_MEANINGS, type EventType, HsuError, type Milliseconds, type WallTime } from '@hsu-master/core';
import type { Duration, Struct, Timestamp, Value } from './messages.ts';

// From messages to core's values. What is wrong with them is E_REQUEST.

const HOUR: Milliseconds = 3_600_000;
const MOST_PATTERNS = 1000;
const LONGEST_PATTERN = 200;
const LONGEST_TEXT = 1000;
const LONGEST_NAME = 64;

function wrong(message: string): HsuError {
  return new HsuError('E_REQUEST', message);
}

/** The id of a worker, whatever is known of it. */
export function id(given: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(given)) throw wrong('id: an id is 1 to 64 characters of A-Z a-z 0-9 _ -');
  return given;
}

/** Patterns of ids, `*` and `?`; before a slash a pattern of the namespace. */
export function patterns(given: readonly string[], name = 'select', most = MOST_PATTERNS): readonly string[] {
  if (given.length > most) throw wrong(`${name}: at most ${most} patterns`);
  for (const one of given) {
    if (one === '' || one.length > LONGEST_PATTERN)
      throw wrong(`${name}: a pattern is 1 to ${LONGEST_PATTERN} characters`);
  }
  return given;
}

export function optional(name: string, given: string | null | undefined, most = LONGEST_TEXT): string | null {
  if (given !== null && given !== undefined && given.length > most)
    throw wrong(`${name}: at most ${most} characters`);
  return given ?? null;
}

export function eventTypes(given: readonly string[]): readonly string[] {
  const known = (type: string): type is EventType => Object.hasOwn(EVENT_MEANINGS, type);
  const unknown = given.find((type) => !known(type));
  if (unknown !== undefined) throw wrong(`types: there is no event ${JSON.stringify(unknown.slice(0, 64))}`);
  return given;
}

/** A whole number within bounds; `otherwise` where none was given. */
export function whole(
  name: string,
  given: number | null | undefined,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  const number = given ?? otherwise;
  if (!Number.isSafeInteger(number) || number < least || number > most)
    throw wrong(`${name}: a whole number from ${least} to ${most}`);
  return number;
}

/** A span of time, no more than an hour; `otherwise` where none was given. */
export function span(name: string, given: Duration | null, otherwise: Milliseconds): Milliseconds {
  return given === null ? otherwise : Math.min(HOUR, milliseconds(name, given));
}

/** A span of time, however long. */
export function milliseconds(name: string, { seconds, nanos }: Duration): Milliseconds {
  const of = seconds * 1000 + nanos / 1e6;
  if (!(of >= 0)) throw wrong(`${name}: a span of time is not negative`);
  return Math.ceil(of);
}

export function moment(name: string, given: Timestamp | null): WallTime | null {
  if (given === null) return null;
  const at = given.seconds * 1000 + Math.floor(given.nanos / 1e6);
  if (!(Math.abs(at) <= 8.64e15)) throw wrong(`${name}: that moment is out of range`);
  return at;
}

/** The word of core for a constant of a message: one of `words`, or what is answered for none. */
export function word<Word extends string, Otherwise extends string | null>(
  name: string,
  given: string | number,
  words: readonly Word[],
  otherwise: Otherwise,
): Word | Otherwise {
  if (typeof given === 'string') {
    const found = words.find((one) => given.endsWith(`_${one.toUpperCase()}`));
    if (found !== undefined) return found;
    if (given.endsWith('_UNSPECIFIED')) return otherwise;
  }
  throw wrong(`${name}: that value is not known`);
}

export function oneOf<Word extends string>(
  name: string,
  given: string | null | undefined,
  words: readonly Word[],
): Word | null {
  return given === null || given === undefined ? null : wordOf(name, given, words);
}

/** The same where it must be there. */
export function wordOf<Word extends string>(name: string, given: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === given);
  if (found === undefined) throw wrong(`${name}: one of ${words.join(', ')}`);
  return found;
}

/** A name that must be there; which names there are others know. */
export function text(name: string, given: string): string {
  if (given === '' || given.length > LONGEST_NAME) throw wrong(`${name}: 1 to ${LONGEST_NAME} characters`);
  return given;
}

export function signal(given: string): string {
  if (!/^SIG[A-Z0-9]{1,12}$/.test(given)) throw wrong('signal: a signal is named SIGHUP, SIGUSR1, …');
  return given;
}

export function ticket(given: string): string {
  if (!/^[a-z0-9-]{1,64}$/.test(given)) throw wrong('id: that is no ticket');
  return given;
}

/** A message that holds JSON as what it holds. */
export function struct(name: string, given: Struct | null): object {
  if (given === null) throw wrong(`${name}: is missing`);
  return plain(given);
}

function plain({ fields }: Struct): object {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plainValue(value)]));
}

function plainValue({ stringValue, numberValue, boolValue, structValue, listValue }: Value): unknown {
  if (stringValue !== undefined) return stringValue;
  if (numberValue !== undefined) return numberValue;
  if (boolValue !== undefined) return boolValue;
  if (structValue) return plain(structValue);
  if (listValue) return listValue.values.map(plainValue);
  return null;
}
