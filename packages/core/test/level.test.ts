import { expect, test } from 'vitest';
import { LOG_LEVELS, levelNamed, rankOf } from '../src/logs/level.ts';

test.each([
  ['info', 'info'],
  ['WARNING', 'warn'],
  ['Err', 'error'],
  ['FATAL', 'critical'],
  ['panic', 'alert'],
  ['emerg', 'emergency'],
  ['loud', null],
  ['', null],
])('%j names the level %j', (word, level) => {
  expect(levelNamed(word)).toBe(level);
});

test('levels are ranked from trace to emergency', () => {
  expect(LOG_LEVELS.map(rankOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});
