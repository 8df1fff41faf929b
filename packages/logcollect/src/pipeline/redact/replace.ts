import type { Pattern, PatternMatch } from '@hsu-master/core';
import { MASK } from './presets.ts';

/** Characters searched for one text, at most. */
const MAX_SEARCHED = 2_000_000;

/**
 * The text with every match replaced; `$1` and `${name}` in the replacement stand for groups. Where that is too much to search,
 * the rest of the text is masked: a secret is never let through for lack of time.
 */
export function replaceAll(text: string, pattern: Pattern, replacement: string): string {
  if (!pattern.test(text)) return text;
  let result = '';
  let from = 0;
  let searched = 0;
  for (;;) {
    const found = from > text.length ? null : pattern.exec(text, from);
    if (found === null) return result + text.slice(from);
    result += text.slice(from, found.from) + expand(replacement, pattern, found);
    searched += text.length - from;
    if (searched > MAX_SEARCHED) return result + MASK;
    // An empty match would be found again.
    if (found.to === found.from) {
      result += text.slice(found.to, found.to + 1);
      from = found.to + 1;
    } else from = found.to;
  }
}

function expand(replacement: string, pattern: Pattern, found: PatternMatch): string {
  if (!replacement.includes('$')) return replacement;
  return replacement.replace(/\$(?:(\d)|\{(\w+)\})/g, (whole, digit?: string, name?: string) => {
    const index = digit === undefined ? pattern.names.indexOf(name as string) : Number(digit);
    return index < 0 ? whole : (found.groups[index] ?? '');
  });
}
