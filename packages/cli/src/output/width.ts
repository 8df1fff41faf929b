// What is plain ASCII needs no table of widths, and its loading takes longer than the rest of a list.
let measure: ((text: string) => number) | null = null;

const PLAIN = /^[\x20-\x7e]*$/;
const COLOURS = /\p{Cc}\[[0-9;]*m/gu;

/** Loads what measures other texts, if one of these needs it. */
export async function prepareWidths(texts: Iterable<string>): Promise<void> {
  if (measure !== null) return;
  for (const text of texts) {
    if (PLAIN.test(text.replace(COLOURS, '').replace(/[–·…]/g, '-'))) continue;
    ({ default: measure } = await import('string-width'));
    return;
  }
}

/** Columns that a text takes on a terminal. */
export function width(text: string): number {
  const bare = text.replace(COLOURS, '');
  return measure === null ? bare.length : measure(bare);
}

/** At most so many columns; what is cut ends with `…`. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = '';
  for (const sign of text) {
    if (width(kept + sign) > columns - 1) break;
    kept += sign;
  }
  return `${kept.trimEnd()}…`;
}
