import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bench, multilineSpec } from './pipelines.ts';

const joined = (presets: ('java' | 'python' | 'node' | 'go')[], text: string) =>
  new Bench({ multiline: multilineSpec({ presets }) }).lines(text.split('\n')).end().texts;

const JAVA = `2025-08-02 17:38:32 ERROR c.e.App - failed
java.lang.IllegalStateException: no
\tat com.example.App.main(App.java:7)
\tat java.base/java.lang.Thread.run(Thread.java:833)
Caused by: java.io.IOException: disk
\tat com.example.Disk.write(Disk.java:1)
\t... 12 more
\tSuppressed: java.lang.Exception: x`;
const PYTHON = `Traceback (most recent call last):
  File "a.py", line 1, in <module>
    f()
  File "a.py", line 2, in f
    1/0
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 5, in <module>
ValueError: x`;
const NODE = `Error: no such file
    at Object.open (node:fs:1:2)
    at main (/srv/app.js:7:9) {
  errno: -2,
  detail: {
    a: 1
  },
  code: 'ENOENT'
}`;
const GO = `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.(*T).f(...)
\t/srv/main.go:12
main.main()
\t/srv/main.go:20 +0x1d
created by main.g in goroutine 1
exit status 2`;

describe('stack traces', () => {
  test.each([
    ['java', JAVA],
    ['python', PYTHON],
    ['node', NODE],
    ['go', GO],
  ] as const)('of %s are one record, and what is around them is not', (preset, trace) => {
    expect(joined([preset], `before\n${trace}\nafter\nlast`)).toEqual(['before', trace, 'after', 'last']);
  });

  test('two after each other are two', () => {
    expect(joined(['python'], `${PYTHON}\n${PYTHON}`)).toEqual([PYTHON, PYTHON]);
    expect(joined(['java', 'python', 'node', 'go'], `${NODE}\n${PYTHON}\n${JAVA}\n${GO}`)).toEqual([
      NODE,
      PYTHON,
      JAVA,
      GO,
    ]);
  });
});

describe('patterns of one’s own', () => {
  test('first_line: everything else continues', () => {
    const bench = new Bench({ multiline: multilineSpec({ firstLine: '^\\d{4}-' }) });
    bench.lines(['lost', '2025-a', 'b', '', '2025-c']).end();
    expect(bench.texts).toEqual(['lost', '2025-a\nb\n', '2025-c']);
  });

  test('continues: everything else begins', () => {
    const bench = new Bench({ multiline: multilineSpec({ continues: '^\\s|^\\}' }) });
    expect(bench.lines(['a {', '  b', '}', 'c']).end().texts).toEqual(['a {\n  b\n}', 'c']);
  });
});

describe('bounds', () => {
  const multiline = multilineSpec({ continues: '^ ', maxLines: 3, maxBytes: 20, timeout: 500 });

  test('of lines and of bytes', () => {
    expect(new Bench({ multiline }).lines(['a', ' b', ' c', ' d', 'e']).end().texts).toEqual([
      'a\n b\n c',
      ' d',
      'e',
    ]);
    expect(new Bench({ multiline }).lines(['a', ' äääääääää', ' b']).end().texts).toEqual([
      'a',
      ' äääääääää',
      ' b',
    ]);
  });

  test('of time: what nothing is added to is handed on', () => {
    const bench = new Bench({ multiline }).lines(['a']);
    bench.clock.advance(400);
    bench.lines([' b']);
    bench.clock.advance(499);
    expect(bench.texts).toEqual([]);
    bench.clock.advance(1);
    expect(bench.texts).toEqual(['a\n b']);
    expect(bench.lines([' c']).end().texts).toEqual(['a\n b', ' c']);
  });

  test('nothing is held and no timer is set after the end', () => {
    const bench = new Bench({ multiline }).lines(['a']).end();
    expect(bench.texts).toEqual(['a']);
    expect(bench.clock.pending).toBe(0);
  });
});

test('streams and runs are not joined with each other', () => {
  const bench = new Bench({ multiline: multilineSpec({ continues: '^ ' }) });
  bench
    .lines(['a'], { stream: 'stdout' })
    .lines([' x', ' y'], { stream: 'stderr' })
    .lines([' b'], { stream: 'stdout' });
  bench.lines([' new'], { run: 2 }).end();
  expect([...bench.texts].toSorted()).toEqual([' new', ' x\n y', 'a\n b']);
});

test('pieces of long lines are joined to nothing and keep their order', () => {
  const bench = new Bench({ multiline: multilineSpec({ continues: '^ ' }) }).lines(['a', ' b']);
  bench.lines([' h'], { piece: 'head' }).lines([' t'], { piece: 'tail' }).lines([' c']).end();
  expect(bench.texts).toEqual(['a\n b', ' h', ' t', ' c']);
});

test('a joined record is damaged if one of its lines is, and is the first line’s otherwise', () => {
  const bench = new Bench({ multiline: multilineSpec({ continues: '^ ' }) });
  bench.lines(['a']).lines([' b'], { damaged: true, at: 9 }).end();
  expect(bench.out).toEqual([
    expect.objectContaining({ text: 'a\n b', message: 'a\n b', damaged: true, seq: 1 }),
  ]);
  expect(bench.out[0]?.at).not.toBe(9);
});

test('whatever the lines, each comes out once and in order', () => {
  const line = fc.constantFrom(
    'a',
    ' b',
    '\tat x',
    'panic: x',
    'goroutine 1 [running]:',
    '',
    '}',
    'Traceback (most recent call last):',
    'E: x',
    '    at f {',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), fc.nat(5), (lines, cut) => {
      const bench = new Bench({
        multiline: multilineSpec({ presets: ['java', 'python', 'node', 'go'], maxLines: 4 }),
      });
      bench.lines(lines.slice(0, cut));
      bench.clock.advance(1000);
      bench.lines(lines.slice(cut)).end();
      expect(bench.texts.join('\n')).toBe(lines.join('\n'));
    }),
    { numRuns: 500 },
  );
});
