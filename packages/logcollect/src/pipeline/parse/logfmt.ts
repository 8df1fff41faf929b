import type { LogValue } from '@hsu-master/core';

const SPACE = 0x20;
const TAB = 0x09;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** More pairs than these make no line. */
const MAX_PAIRS = 1000;

/**
 * `level=info msg="it is up" port=80 tls` as fields: numbers and booleans as such, a bare word as true. null where the line does
 * not begin with a pair or is not made of pairs throughout.
 */
export function parseLogfmt(text: string): Record<string, LogValue> | null {
  const first = text.indexOf('=');
  if (first <= 0) return null;
  const fields: Record<string, LogValue> = {};
  let pairs = 0;
  let at = 0;
  const { length } = text;
  while (at < length) {
    const code = text.charCodeAt(at);
    if (code === SPACE || code === TAB) {
      at += 1;
      continue;
    }
    const from = at;
    while (at < length && isKey(text.charCodeAt(at))) at += 1;
    if (at === from || pairs >= MAX_PAIRS) return null;
    const key = text.slice(from, at);
    if (at >= length || text.charCodeAt(at) !== EQUALS) {
      // A line of plain words is no logfmt.
      if (pairs === 0 || (at < length && !isBlank(text.charCodeAt(at)))) return null;
      if (key !== '__proto__') fields[key] ??= true;
      continue;
    }
    at += 1;
    pairs += 1;
    let value: LogValue;
    if (text.charCodeAt(at) === QUOTE) {
      const end = closing(text, at + 1);
      if (end === -1 || (end + 1 < length && !isBlank(text.charCodeAt(end + 1)))) return null;
      value = unquoted(text.slice(at, end + 1));
      at = end + 1;
    } else {
      const begin = at;
      while (at < length && !isBlank(text.charCodeAt(at))) at += 1;
      value = scalar(text.slice(begin, at));
    }
    if (key !== '__proto__') fields[key] = value;
  }
  return pairs > 0 ? fields : null;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Keys are words without blanks, quotes and brackets. */
function isKey(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x40 && code <= 0x5a) ||
    (code >= 0x2d && code <= 0x39 && code !== 0x2f) ||
    code === 0x5f ||
    code > 0x7f
  );
}

function closing(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return -1;
}

function unquoted(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1).replace(/\\(.)/g, '$1');
  }
}

function scalar(text: string): LogValue {
  if (text === 'true') return true;
  if (text === 'false') return false;
  // No number that would be written otherwise: leading zeros and long digits are part of an id.
  if (text.length <= 15 && /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text)) return Number(text);
  return text;
}
