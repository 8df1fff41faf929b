import fc from 'fast-check';

/** What some shell, runtime or console is known to treat in a way of its own. */
const awkward = [
  ...' \t"\'\\%^&|<>()!=,;`~*?$#@[]{}+-/:\n\r'.split(''),
  '\\"',
  '\\\\',
  '""',
  '%PATH%',
  '%%',
  '^^',
  '$(x)',
  'ä',
  'ß',
  '€',
  '日本',
  '😀',
  '\u00a0',
  '\u2028',
  '\u007f',
  '\u0001',
];

const ordinary = 'abcXYZ019._'.split('');

/** Arguments that are hard to hand over; `without`: characters that they do not have. */
export function words(without: RegExp = /\0/): fc.Arbitrary<string[]> {
  const pieces = [...awkward, ...ordinary].filter((piece) => !without.test(piece));
  const word = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));
  return fc.array(word, { minLength: 1, maxLength: 6 });
}

/** The same ones in every run: a failure is there again. */
export function samples(arbitrary: fc.Arbitrary<string[]>, count: number): string[][] {
  return fc.sample(arbitrary, { numRuns: count, seed: 20_261_121 });
}
