import { type CharSet, complement, NOT_NEWLINE, rangesOf } from './set.ts';
import type { Syntax } from './syntax.ts';

/** Writes a pattern as a JavaScript expression that means the same without any flag. */
export function sourceOf(syntax: Syntax): string {
  switch (syntax.kind) {
    case 'empty':
      return '(?:)';
    case 'set':
      return setSource(syntax.set);
    case 'assertion':
      return ASSERTION[syntax.what];
    case 'sequence':
      return syntax.items.map((item) => (item.kind === 'either' ? grouped(item) : sourceOf(item))).join('');
    case 'either':
      return syntax.branches.map(sourceOf).join('|');
    case 'capture':
      return `(${sourceOf(syntax.body)})`;
    case 'repeat': {
      const { body, min, max, lazy } = syntax;
      const once = body.kind === 'set' || body.kind === 'capture' ? sourceOf(body) : grouped(body);
      return `${once}${bounds(min, max)}${lazy ? '?' : ''}`;
    }
  }
}

const ASSERTION = {
  start: '^',
  end: '$',
  'line-start': '(?<![^\\n])',
  'line-end': '(?![^\\n])',
  'word-edge': '\\b',
  'no-word-edge': '\\B',
} as const;

function grouped(syntax: Syntax): string {
  return `(?:${sourceOf(syntax)})`;
}

function bounds(min: number, max: number | null): string {
  if (min === 0 && max === null) return '*';
  if (min === 1 && max === null) return '+';
  if (min === 0 && max === 1) return '?';
  return max === min ? `{${min}}` : `{${min},${max ?? ''}}`;
}

function setSource(set: CharSet): string {
  if (set.length === 2 && set[0] === set[1]) return charSource(set[0] as number);
  if (set.length === NOT_NEWLINE.length && set.every((code, at) => code === NOT_NEWLINE[at])) return '[^\\n]';
  if (set.length === 0) return '[]';
  const negated = set[0] === 0 && set.at(-1) === 0xffff;
  const shown = negated ? complement(set) : set;
  const ranges = rangesOf(shown).map(([low, high]) =>
    low === high ? charSource(low) : `${charSource(low)}-${charSource(high)}`,
  );
  return `[${negated ? '^' : ''}${ranges.join('')}]`;
}

function charSource(code: number): string {
  const char = String.fromCharCode(code);
  return /[A-Za-z0-9_ ]/.test(char) ? char : `\\u${code.toString(16).padStart(4, '0')}`;
}
