/** Foreground colours that are readable on light and on dark grounds; red is left for what went wrong. */
const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94] as const;

const RESET = '\u001b[0m';

/** The same colour for the same id, in every run of the master. */
export function colourOf(id: string): number {
  let hash = 0;
  for (let index = 0; index < id.length; index += 1) hash = (hash * 31 + id.charCodeAt(index)) >>> 0;
  return COLOURS[hash % COLOURS.length] as number;
}

/** Text in an SGR style, such as 36 (cyan) or 2 (dim). */
export function styled(text: string, style: number): string {
  return `\u001b[${style}m${text}${RESET}`;
}
