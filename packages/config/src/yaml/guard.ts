import { MAX_DEPTH, type SyntaxFault } from './tree.ts';

/** A larger file is no configuration, but a mistake or an attack. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** More brackets open at once than this are refused without looking whether some stand in quotes or comments. */
const MAX_OPEN_BRACKETS = 1000;

/**
 * Refuses what would cost a parser much time or memory, by one cheap pass: too much text, brackets or dashes without end.
 * It counts roughly; the exact limit of nesting is held by the parsers.
 */
export function guard(text: string): SyntaxFault | null {
  if (text.length > MAX_FILE_BYTES) {
    return { offset: 0, message: `the text is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB` };
  }
  const tooDeep = `collections are nested deeper than ${MAX_DEPTH} levels`;
  const dashes = /(?:^|[\n\r])[ \t]*(?:[-?:][ \t]+){65}/.exec(text);
  if (dashes !== null) return { offset: dashes.index, message: tooDeep };
  let open = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) {
      open += 1;
      if (open > MAX_OPEN_BRACKETS) return { offset: at, message: tooDeep };
    } else if ((code === 0x5d || code === 0x7d) && open > 0) open -= 1;
  }
  return null;
}
