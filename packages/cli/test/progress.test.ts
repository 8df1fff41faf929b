import { describe, expect, it } from 'vitest';
import type { Asking } from '../src/asking.ts';
import { awaitEach } from '../src/commands/patience.ts';
import {
  type Awaited,
  type ProgressStyle,
  progress,
  type Told,
  tellProgress,
} from '../src/output/progress.ts';
import { worker } from './canned.ts';

const state = (...left: readonly [string, string][]): Awaited => ({
  what: 'stopping',
  of: 3,
  left: left.map(([id, doing]) => ({ id, doing })),
});
const SLOW = state(['db', 'stopping'], ['web', 'ready']);
const LAST = state(['db', 'stopping']);

/** What is said in so many seconds, each second where it is looked at. */
function said(style: ProgressStyle, seconds: number, at: (second: number) => Awaited): readonly string[] {
  const lines: string[] = [];
  let last: Told | null = null;
  for (let second = 0; second <= seconds; second += 1) {
    const now = progress(at(second), second * 1000, style, last);
    if (now === null) continue;
    lines.push(now.text);
    last = now.told;
  }
  return lines;
}

describe('progress', () => {
  it('is a line at a terminal that is drawn anew each second, after the first', () => {
    expect(said('redrawn', 3, (second) => (second < 3 ? SLOW : LAST))).toEqual([
      'stopping, 1s: 2 of 3 left: db (stopping), web (ready)',
      'stopping, 2s: 2 of 3 left: db (stopping), web (ready)',
      'stopping, 3s: 1 of 3 left: db (stopping)',
    ]);
  });

  it('is a line in a file every twenty seconds where something is otherwise, else every minute', () => {
    expect(said('lines', 19, () => SLOW)).toEqual([]);
    expect(said('lines', 160, (second) => (second < 25 ? SLOW : LAST))).toEqual([
      'stopping, 20s: 2 of 3 left: db (stopping), web (ready)',
      'stopping, 40s: 1 of 3 left: db (stopping)',
      'stopping, 100s: 1 of 3 left: db (stopping)',
      'stopping, 160s: 1 of 3 left: db (stopping)',
    ]);
  });

  it('counts only where there are several, and names what it does where nobody is known', () => {
    expect(progress({ ...LAST, of: 1 }, 1000, 'redrawn', null)?.text).toBe('stopping, 1s: db (stopping)');
    const searching = { what: 'searching the logs', of: 0, left: [] };
    expect(progress(searching, 4900, 'redrawn', null)?.text).toBe('searching the logs, 4s');
  });

  it('fits into the terminal, and leaves nothing behind', async () => {
    let text = '';
    let drawn = (): void => {};
    const shown = new Promise<void>((resolve) => {
      drawn = resolve;
    });
    const out = {
      cursor: true,
      columns: () => 30,
      write: async (part: string | Uint8Array) => {
        text += part as string;
        drawn();
      },
    };
    // A clock that is ahead by a second whenever it is looked at.
    let time = 0;
    const now = (): number => {
      time += 1000;
      return time;
    };
    const end = tellProgress(out, now, LAST, () => Promise.reject(new Error('the master is busy')));
    await shown;
    await end();
    expect(text).toBe('\r\x1b[2Kstopping, 1s: 1 of 3 left: d…\r\x1b[2K');
  });

  it('says nothing where it does not take long', async () => {
    let text = '';
    const write = async (part: string | Uint8Array): Promise<void> => {
      text += part as string;
    };
    await tellProgress(
      { cursor: true, columns: () => 80, write },
      () => 0,
      LAST,
      () => LAST,
    )();
    expect(text).toBe('');
  });
});

describe('waiting for many', () => {
  it('keeps some connections for others, and tells what came of each in their order', async () => {
    const workers = Array.from({ length: 40 }, (_, index) => worker(`w${index}`));
    let open = 0;
    let most = 0;
    const quiet = { format: 'name' } as Asking;
    const results = await awaitEach(quiet, 'stopping', { patterns: [], workers }, async (id) => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return id;
    });
    expect(results).toEqual(workers.map(({ id }) => id));
    expect(most).toBe(12);
  });
});
