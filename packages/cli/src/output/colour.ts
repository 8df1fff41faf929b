import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours a text whatever its stream is: who asks has decided that. */
export function painted(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

/** Colours by state, which is always said in words as well. */
export function stateStyle(phase: string, isGood: boolean): Style {
  if (phase === 'failed' || phase === 'backoff') return 'red';
  if (phase === 'running') return isGood ? 'green' : 'yellow';
  return phase === 'stopped' ? 'dim' : 'yellow';
}
