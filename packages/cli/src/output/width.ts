// What is plain ASCII needs no table of widths, and its loading takes longer than the rest of a list.
let measure: ((text: string) => number) | null = null;

const PLAIN = /^[\x20-\x7e–·…│├└─]*$/;
const COLOURS = /\p{Cc}\[[0-9;]*m/gu;

/** Whether a text has no more than one column for each of its characters, and nothing that moves the cursor. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** Loads what measures other texts, if one of these needs it. */
export async function prepareWidths(texts: Iterable<string>): Promise<void> {
  if (measure !== null) return;
  for (const text of texts) {
    if (isPlain(text) || isPlain(text.replace(COLOURS, ''))) continue;
    ({ default: measure } = await import('string-width'));
    return;
  }
}

/** Columns that a text takes on a terminal. */
export function width(text: string): number {
  if (isPlain(text)) return text.length;
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
