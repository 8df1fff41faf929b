import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpolate } from '../src/interpolate.ts';
import './properties.ts';

const variables = { A: 'one', EMPTY: '', TRICKY: 'x: # ${A} "quoted"' };

describe('interpolate', () => {
  test.each([
    ['${A}', 'one'],
    ['x${A}y${A}', 'xoneyone'],
    ['${UNSET:-two}', 'two'],
    ['${EMPTY:-two}', 'two'],
    ['${EMPTY}', ''],
    ['${UNSET:-}', ''],
    ['${UNSET:-${A}-${NONE:-x}}', 'one-x'],
    ['${UNSET:-a$$b}', 'a$b'],
    ['$${A}', '${A}'],
    ['$$', '$'],
    ['$$$${A}', '$${A}'],
    ['$A $1 a$', '$A $1 a$'],
    ['${TRICKY}', 'x: # ${A} "quoted"'],
  ])('%j becomes %j', (text, expected) => {
    expect(interpolate(text, variables)).toEqual({ ok: true, text: expected });
  });

  test.each([
    ['ab ${UNSET}', 3, 'the environment variable UNSET is not set'],
    ['${X:-${UNSET}}', 5, 'the environment variable UNSET is not set'],
    ['${constructor}', 0, 'the environment variable constructor is not set'],
    ['a ${A', 2, 'a ${ is never closed'],
    ['${}', 0, '${} is not a variable'],
    ['${A:?message}', 0, '${A:?message} is not a variable'],
    ['${1}', 0, '${1} is not a variable'],
  ])('refuses %j', (text, at, message) => {
    expect(interpolate(text, variables)).toMatchObject({ ok: false, at, message });
  });

  test('any text survives when every $ is doubled', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', ' ') }), (text) => {
        expect(interpolate(text.replaceAll('$', '$$$$'), variables)).toEqual({ ok: true, text });
      }),
    );
  });

  test('deep defaults are refused, not followed', () => {
    expect(interpolate(`${'${X:-'.repeat(500)}a${'}'.repeat(500)}`, {}).ok).toBe(false);
  });
});
