import { expect, test } from 'vitest';
import { judge, noVerdict, type Thresholds } from '../src/health/verdict.ts';
import { fc } from './properties.ts';

/** Verdicts after each answer: `+` good, `-` bad, `?` none yet; in capitals where it changed. */
function verdicts(answers: string, thresholds: Thresholds): string {
  let state = noVerdict;
  return [...answers]
    .map((answer) => {
      const judged = judge(state, answer === '+', thresholds);
      state = judged.state;
      const letter = state.healthy === null ? '?' : state.healthy ? 'g' : 'b';
      return judged.changed ? letter.toUpperCase() : letter;
    })
    .join('');
}

test.each([
  ['+', 1, 1, 'G'],
  ['-', 1, 1, 'B'],
  ['+-+', 1, 1, 'GBG'],
  ['---+++', 3, 2, '??BbGg'],
  ['--+--+---', 3, 1, '??GgggggB'],
  ['++-+++', 1, 3, '??BbbG'],
  ['-+-+-+', 2, 2, '??????'],
  ['+++---+', 3, 1, 'GggggBG'],
])('%s with %d failures and %d successes is %s', (answers, failureThreshold, successThreshold, expected) => {
  expect(verdicts(answers, { failureThreshold, successThreshold })).toBe(expected);
});

test('counters stop at their thresholds, and one is always nought', () => {
  const thresholds = { failureThreshold: 3, successThreshold: 2 };
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 50 }), (answers) => {
      let state = noVerdict;
      for (const passed of answers) {
        ({ state } = judge(state, passed, thresholds));
        expect(state.failures).toBeLessThanOrEqual(3);
        expect(state.successes).toBeLessThanOrEqual(2);
        expect(Math.min(state.failures, state.successes)).toBe(0);
      }
    }),
  );
});
