import { width } from './width.ts';

/** The least that is left for a text beside what is before it. */
const LEAST = 16;

/**
 * A text in lines of so many columns, broken between words; a longer word stays whole. What follows the first line begins with `indent`
 * blanks, which the first one has room for as well.
 */
export function wrapped(text: string, columns: number, indent = 0): readonly string[] {
  const room = Math.max(LEAST, columns - indent);
  if (width(text) <= room) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  const blank = ' '.repeat(indent);
  return lines.map((one, index) => (index === 0 ? one : blank + one));
}

/** A line with what stands before its text; what the text is broken into goes on below itself. */
export function hanging(before: string, text: string, columns: number): string {
  return `${before}${wrapped(text, columns, width(before)).join('\n')}`;
}
