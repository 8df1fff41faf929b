import type { Out } from '../surroundings.ts';
import { cut, prepareWidths } from './width.ts';

/** What is waited for, as it was last heard of. */
export interface Awaited {
  /** What is done, as in `stopping`; a number of workers stands behind it. */
  readonly what: string;
  /** How many there were in the beginning; 0: they are not counted. */
  readonly of: number;
  /** Who is still awaited, and how each is. */
  readonly left: readonly { readonly id: string; readonly doing: string }[];
}

/** `redrawn`: one line that is written over, for a terminal. `lines`: now and then a line, for a file or a log. */
export type ProgressStyle = 'redrawn' | 'lines';

/** What was told last, and how long after the beginning. */
export interface Told {
  readonly after: number;
  readonly awaited: string;
}

/** Milliseconds before the first word, and between two. */
export const PACE: Readonly<Record<ProgressStyle, number>> = { redrawn: 1000, lines: 20_000 };

/** Nothing new is a word now and then, too: whoever waits wants to know that it goes on. */
const SAME = 60_000;

/**
 * What is to be said so many milliseconds after the beginning; null: nothing. A line in a file is not cut, and comes only where something
 * is otherwise than before.
 */
export function progress(
  awaited: Awaited,
  after: number,
  style: ProgressStyle,
  last: Told | null,
): { readonly text: string; readonly told: Told } | null {
  if (after < PACE[style]) return null;
  const names = namesOf(awaited);
  if (style === 'lines' && last !== null) {
    const since = after - last.after;
    if (since < (names === last.awaited ? SAME : PACE.lines)) return null;
  }
  return { text: textOf(awaited, names, Math.floor(after / 1000)), told: { after, awaited: names } };
}

function namesOf({ left }: Awaited): string {
  return left.map(({ id, doing }) => (doing === '' ? id : `${id} (${doing})`)).join(', ');
}

/** The time before the names: they are what may be cut. */
function textOf({ what, of, left }: Awaited, names: string, seconds: number): string {
  if (left.length === 0) return `${what}, ${seconds}s`;
  return `${what}, ${seconds}s: ${of > 1 ? `${left.length} of ${of} left: ` : ''}${names}`;
}

/** How long before a word it is asked for who is awaited. */
const LOOK = 400;

const BEGIN_OF_LINE = '\r\x1b[2K';

/**
 * Says what takes so long while it does, until the returned function is called; that leaves no trace of it on a terminal. `look` tells how
 * it is now; where it does not answer, what was known before is told on.
 */
export function tellProgress(
  out: Pick<Out, 'write' | 'cursor' | 'columns'>,
  now: () => number,
  begin: Awaited,
  look: () => Awaited | Promise<Awaited>,
): () => Promise<void> {
  const style: ProgressStyle = out.cursor ? 'redrawn' : 'lines';
  const begun = now();
  let known = begin;
  let last: Told | null = null;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const keep = (seen: Awaited): void => {
    known = seen;
  };
  const turn = (): void => {
    void Promise.resolve(look()).then(keep, () => {});
    timer = setTimeout(() => void show(), LOOK);
  };
  const show = async (): Promise<void> => {
    // Timers come a little early or late.
    const after = Math.round((now() - begun) / 100) * 100;
    const said = progress(known, after, style, last);
    if (said !== null) await prepareWidths([said.text]);
    if (isOver) return;
    timer = setTimeout(turn, PACE[style] - LOOK);
    if (said === null) return;
    last = said.told;
    const line = cut(said.text, out.columns() - 1);
    await out.write(style === 'redrawn' ? `${BEGIN_OF_LINE}${line}` : `${said.text}\n`);
  };
  timer = setTimeout(turn, PACE[style] - LOOK);
  return async () => {
    isOver = true;
    clearTimeout(timer);
    if (style === 'redrawn' && last !== null) await out.write(BEGIN_OF_LINE);
  };
}
