import { type LogLevel, levelNamed } from '@hsu-master/core';

/** How far into a line a level is looked for. */
const REACH = 120;
const LONGEST = 13;
const GLOG: Readonly<Record<string, LogLevel>> = { I: 'info', W: 'warn', E: 'error', F: 'critical' };

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** A letter, a digit or `_`: what a level’s name does not touch. */
function isWord(code: number): boolean {
  return isLetter(code) || isDigit(code) || code === 0x5f;
}

/**
 * The level that a plain line names at its beginning: `ERROR`, `[warn]`, `<info>`, `level=debug`, `error: …`, `E1121 12:00:00`;
 * null where it names none. Words in running text do not count.
 */
export function levelInText(text: string): LogLevel | null {
  if (isGlog(text)) return GLOG[text[0] as string] ?? null;
  const reach = Math.min(text.length, REACH);
  let words = 0;
  for (let at = 0; at < reach; at += 1) {
    if (!isLetter(text.charCodeAt(at))) continue;
    const from = at;
    let upper = true;
    for (let code = text.charCodeAt(at); isWord(code); code = text.charCodeAt(at)) {
      if (code < 0x41 || code > 0x5a) upper = false;
      at += 1;
    }
    const length = at - from;
    if (length >= 3 && length <= LONGEST && !(from > 0 && isWord(text.charCodeAt(from - 1)))) {
      if (upper || isMarked(text, from, at, words)) {
        const level = levelNamed(text.slice(from, at));
        if (level !== null) return level;
      }
    }
    if (length > 1) words += 1;
  }
  return null;
}

/** `E1121 12:00:00.000 …`, as glog and klog write. */
function isGlog(text: string): boolean {
  if (text.length < 6 || text.charCodeAt(5) !== 0x20) return false;
  return (
    isDigit(text.charCodeAt(1)) &&
    isDigit(text.charCodeAt(2)) &&
    isDigit(text.charCodeAt(3)) &&
    isDigit(text.charCodeAt(4))
  );
}

const CLOSING: ReadonlyMap<string, string> = new Map([
  ['[', ']'],
  ['<', '>'],
  ['(', ')'],
]);

/** Whether a word stands where a level does: in brackets, behind `level=`, or first and before a colon. */
function isMarked(text: string, from: number, to: number, words: number): boolean {
  const before = text[from - 1];
  const after = text[to];
  if (before !== undefined && after !== undefined && CLOSING.get(before) === after) return true;
  if (words === 0 && after === ':') return true;
  if (before !== '=' && before !== '"') return false;
  return /(?:level|lvl|severity)["']?[=:] ?"?$/i.test(text.slice(Math.max(0, from - 14), from));
}

// Numbers of pino and bunyan, and of syslog below 8.
const SYSLOG: readonly LogLevel[] = [
  'emergency',
  'alert',
  'critical',
  'error',
  'warn',
  'notice',
  'info',
  'debug',
];
const TENS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];

/** The level that a value of a field says: a name, a number of syslog (0 to 7), of pino or bunyan (10 to 60); else null. */
export function levelOfValue(value: unknown): LogLevel | null {
  if (typeof value === 'string') {
    const level = levelNamed(value);
    if (level !== null || !/^\d{1,2}$/.test(value)) return level;
    return levelOfValue(Number(value));
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return null;
  if (value < 8) return SYSLOG[value] ?? null;
  if (value < 10 || value >= 70) return null;
  return TENS[Math.floor(value / 10) - 1] ?? null;
}
