import { describe, expect, it } from 'vitest';
import { batchCommandLine, commandLine, splitCommandLine } from '../src/index.ts';
import { samples, words } from '../test-wine/words.ts';
import { openBench, outputOf } from './harness.ts';

describe('500 lists of arguments', () => {
  it('arrive byte for byte on Linux', async () => {
    const bench = openBench();
    for (const list of samples(words(), 500)) {
      const argv = ['printf', '%s\\0', ...list];
      const arrived = await outputOf(bench, { file: '/usr/bin/printf', argv });
      expect(arrived.split('\0').slice(0, -1)).toEqual(list);
    }
  });

  it('are taken apart again from the command line that Windows gets', () => {
    for (const list of samples(words(), 500)) {
      const argv = ['C:\\Program Files\\it.exe', ...list] as const;
      const line = commandLine(argv);
      if (!line.ok) return expect.unreachable(line.reason);
      expect(splitCommandLine(line.line)).toEqual(argv);
    }
  });
});

describe('a command line for Windows', () => {
  const lineOf = (...argv: [string, ...string[]]) => {
    const line = commandLine(argv);
    return line.ok ? line.line : line.reason;
  };

  it('leaves plain words as they are', () => {
    expect(lineOf('node', '--flag', 'a\\b', 'c:\\dir\\')).toBe('node --flag a\\b c:\\dir\\');
  });

  it('quotes blanks, and doubles backslashes before quotes only', () => {
    expect(lineOf('a b', '', 'c d\\', 'e"f', 'g\\"h')).toBe('"a b" "" "c d\\\\" "e\\"f" "g\\\\\\"h"');
  });

  it('refuses what cannot be handed over', () => {
    expect(commandLine(['a"b'])).toMatchObject({ ok: false, isTooLong: false });
    expect(commandLine(['a', 'b\0c'])).toMatchObject({ ok: false, isTooLong: false });
    expect(commandLine(['a', 'x'.repeat(40_000)])).toMatchObject({ ok: false, isTooLong: true });
    const batch = (file: string, ...list: string[]) => batchCommandLine('cmd.exe', file, list);
    expect(batch('a.cmd', 'b\nc')).toMatchObject({ ok: false });
    expect(batch('a%PATH%.cmd')).toMatchObject({ ok: false });
    expect(batch('a.cmd', 'x'.repeat(9000))).toMatchObject({ ok: false, isTooLong: true });
  });

  it('keeps every word of a batch file in quotes, and no two percent signs around a name', () => {
    const line = batchCommandLine('C:\\cmd.exe', 'C:\\a b.cmd', ['x', '&calc', '%PATH%', 'a"b', 'c\\']);
    expect(line).toEqual({
      ok: true,
      line: '"C:\\cmd.exe" /d /e:on /v:off /s /c ""C:\\a b.cmd" "x" "&calc" "%%cd:~,%PATH%%cd:~,%" "a""b" "c\\\\""',
    });
  });
});
