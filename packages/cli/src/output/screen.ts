import type { Surroundings } from '../surroundings.ts';

const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** A screen of its own, and back to the former, where everything is as it was. */
export const OWN_SCREEN = '\x1b[?1049h\x1b[?25l';
export const FORMER_SCREEN = '\x1b[?25h\x1b[?1049l';

/** These lines from the upper left on, and nothing else. */
export function screenOf(lines: readonly string[]): string {
  return `${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`;
}

/** So many milliseconds, or until `early` is called or nobody reads any more. */
export function rest(
  span: number,
  to: Surroundings,
  early: ((finish: () => void) => void) | null,
): Promise<void> {
  const signal = early === null ? to.out.gone : AbortSignal.any([to.interrupted(), to.out.gone]);
  return new Promise((resolve) => {
    const timer = setTimeout(finish, Math.max(0, span));
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    }
    signal.addEventListener('abort', finish);
    early?.(finish);
    if (signal.aborted) finish();
  });
}
