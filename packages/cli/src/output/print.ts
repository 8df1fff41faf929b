import type { Format } from '../asking.ts';
import type { Out } from '../surroundings.ts';

/** Writes a line, with its end. */
export function say(out: Out, text: string): Promise<void> {
  return out.write(text === '' || text.endsWith('\n') ? text : `${text}\n`);
}

/** Writes values in a form for programs; false where another form is asked for. */
export async function printData(
  out: Out,
  format: Format,
  whole: object,
  items: readonly object[],
): Promise<boolean> {
  switch (format) {
    case 'json':
      await say(out, JSON.stringify(whole, null, 2));
      return true;
    case 'jsonl':
      await say(out, items.map((item) => JSON.stringify(item)).join('\n'));
      return true;
    case 'yaml': {
      const { stringify } = await import('yaml');
      await say(out, stringify(whole));
      return true;
    }
    default:
      return false;
  }
}
