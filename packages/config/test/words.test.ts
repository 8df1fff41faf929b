import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteWords, splitWords } from '../src/words.ts';

const words = (line: string) => {
  const result = splitWords(line);
  return result.ok ? result.words : result.message;
};

describe('splitWords', () => {
  test.each<[string, readonly string[]]>([
    ['node server.js', ['node', 'server.js']],
    ['  a \t b  ', ['a', 'b']],
    [`a 'b c' "d e" f\\ g`, ['a', 'b c', 'd e', 'f g']],
    [`--x='1 2'"3"4`, ['--x=1 234']],
    [`a "" ''`, ['a', '', '']],
    [`"a\\"b\\$c\\d" '\\n'`, ['a"b$c\\d', '\\n']],
    ['a "|&;<>()*?[~#"', ['a', '|&;<>()*?[~#']],
    ['a b~c d#e x=1', ['a', 'b~c', 'd#e', 'x=1']],
    ["grep 'a$' b$ c$/d", ['grep', 'a$', 'b$', 'c$/d']],
    ['a \\\n b', ['a', 'b']],
    ['', []],
  ])('%j', (line, expected) => {
    expect(words(line)).toEqual(expected);
  });

  test.each([
    ['a | b', 'contains |, which only a shell understands'],
    ['a && b', 'contains &&, which only a shell understands'],
    ['a > b', 'contains >, which only a shell understands'],
    ['a; b', 'contains ;, which only a shell understands'],
    ['(a)', 'contains (, which only a shell understands'],
    ['a\nb', 'contains a line break, which only a shell understands'],
    ['echo $HOME', 'contains $HOME, which only a shell expands'],
    ['echo "$HOME"', 'contains $HOME, which only a shell expands'],
    ['echo $(date)', 'contains $(, which only a shell expands'],
    ['echo `date`', 'contains a `command substitution`, which only a shell understands'],
    ['ls *.js', 'contains the pattern character *, which only a shell expands'],
    ['ls ~/x', 'contains ~, which only a shell expands'],
    ['PORT=1 node', 'sets a variable before the program, as only a shell does'],
    ['a # b', 'contains a # comment'],
    ["a 'b", "a ' is never closed"],
    ['a "b', 'a " is never closed'],
    ['a \\', 'ends in a backslash'],
  ])('refuses %j', (line, message) => {
    expect(words(line)).toBe(message);
  });

  const word = fc.string({
    unit: fc.constantFrom(...Array.from(`ab é '"\\\\$*?[]|&;<>()~#=\`!{}-/\t\n`)),
    maxLength: 8,
  });

  test('reads back what quoteWords wrote', () => {
    fc.assert(
      fc.property(fc.array(word), (list) => {
        expect(words(quoteWords(list))).toEqual(list);
      }),
    );
  });

  test('splits as /bin/sh does, where it splits at all', () => {
    const lines = fc
      .array(fc.constantFrom(...Array.from(`a b"'\\$-/=.é\t`)), { maxLength: 14 })
      .map((chars) => chars.join(''));
    const accepted: { line: string; words: readonly string[] }[] = [];
    for (const line of fc.sample(lines, { numRuns: 400, seed: 7 })) {
      const result = splitWords(`x ${line}`);
      if (result.ok) accepted.push({ line: `x ${line}`, words: result.words });
    }
    expect(accepted.length).toBeGreaterThan(50);
    const script = accepted.map(({ line }) => `printf '%s\\037' ${line}\nprintf '\\036'`).join('\n');
    const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
    const fromShell = output.split('\u001E').slice(0, -1);
    expect(fromShell.map((text) => text.split('\u001F').slice(0, -1))).toEqual(
      accepted.map((entry) => entry.words),
    );
  });
});
