/**
 * One escape sequence or control character: CSI, then OSC and the other strings (only with their terminator, so that an
 * unfinished one hides nothing), then short escapes, then what is left of C0 but for the tab, DEL and C1.
 */
const ESC = '\u001b';
const CONTROL = new RegExp(
  [
    `${ESC}\\[[0-?]*[ -\\/]*[@-~]`,
    `${ESC}\\][^\u0007${ESC}]*(?:\u0007|${ESC}\\\\)`,
    `${ESC}[PX^_][^${ESC}]*${ESC}\\\\`,
    `${ESC}[ -\\/]*[0-~]?`,
    '[\\p{Cc}--\\t]',
  ].join('|'),
  'gv',
);
const HAS_CONTROL = new RegExp('[\\p{Cc}--\\t]', 'v');
const COLOUR = new RegExp(`^${ESC}\\[[0-9;:]*m$`);
const RESET = `${ESC}[0m`;

/**
 * Takes out of one line everything that would move the cursor, clear the screen, ring or talk to the terminal; colours stay
 * where `colour` is true and end with the line. Of text that overwrites itself (carriage returns) the last version stays.
 */
export function harmless(line: string, colour: boolean): string {
  if (!HAS_CONTROL.test(line)) return line;
  const shown = line.includes('\r') ? lastVersion(line) : line;
  let coloured = false;
  const clean = shown.replace(CONTROL, (sequence) => {
    if (!colour || !COLOUR.test(sequence)) return '';
    coloured = true;
    return sequence;
  });
  return coloured ? clean + RESET : clean;
}

function lastVersion(line: string): string {
  return line.split('\r').findLast((version) => version !== '') ?? '';
}
