import type { OutputStream } from '@hsu-master/core';
import { describe, expect, test } from 'vitest';
import { type TerminalOptions, terminalView } from '../../src/index.ts';

class Screen {
  text = '';
  writes = 0;
  full = false;
  readonly view;

  constructor(options: Partial<TerminalOptions> = {}) {
    this.view = terminalView({
      write: (text) => {
        this.text += text;
        this.writes += 1;
        return !this.full;
      },
      colour: false,
      columns: () => 0,
      prefixWidth: 3,
      fileOf: (id) => `/log/${id}.log`,
      ...options,
    });
  }

  run(id = 'web') {
    const run = this.view.open(id, 1);
    return {
      say: (text: string | Uint8Array, stream: OutputStream = 'stdout') => {
        void run.chunk(stream, typeof text === 'string' ? Buffer.from(text) : text);
      },
      end: (stream: OutputStream = 'stdout') => run.end(stream),
    };
  }

  get lines(): readonly string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

describe('lines', () => {
  test('stand behind the name of their worker, streams told apart without colour', () => {
    const screen = new Screen({ prefixWidth: 5 });
    screen.run('web').say('one\ntwo\r\n');
    screen.run('cache').say('oops\n', 'stderr');
    expect(screen.text).toBe('web   | one\nweb   | two\ncache ! oops\n');
  });

  test('are held until they end; the streams of a run do not mix', () => {
    const screen = new Screen();
    const run = screen.run();
    run.say('he');
    run.say('err\n', 'stderr');
    run.say('llo\n\n');
    expect(screen.lines).toEqual(['web ! err', 'web | hello', 'web | ']);
  });

  test('F3: the last line without a newline is shown when its stream ends', () => {
    const screen = new Screen();
    const run = screen.run();
    run.say('panic: no memory', 'stderr');
    expect(screen.text).toBe('');
    run.end('stdout');
    run.end('stderr');
    run.end('stderr');
    expect(screen.lines).toEqual(['web ! panic: no memory']);
  });

  test('F1: of 10 MB without a newline at most 64 KiB are held; pieces are marked', () => {
    const screen = new Screen();
    const run = screen.run();
    for (let index = 0; index < 160; index += 1) run.say(Buffer.alloc(65_536, 'x'));
    run.say('\n');
    const pieces = screen.lines.map((line) => line.slice('web | '.length));
    expect(pieces.slice(0, -1).every((piece) => piece.endsWith('…') && piece.length === 65_537)).toBe(true);
    expect(pieces.join('').replaceAll('…', '')).toBe('x'.repeat(160 * 65_536));
  });

  test('F2: bytes that are no UTF-8 are replaced, characters in two chunks are not', () => {
    const screen = new Screen();
    const run = screen.run();
    const euro = Buffer.from('€\n');
    run.say(euro.subarray(0, 1));
    run.say(euro.subarray(1));
    run.say(Uint8Array.of(0x41, 0xff, 0x42, 0x0a));
    run.say(Uint8Array.of(0xe2, 0x82));
    run.end();
    expect(screen.lines).toEqual(['web | €', 'web | A\ufffdB', 'web | \ufffd']);
  });
});

describe('colour', () => {
  test('is the same for the same name and never in plain output', () => {
    const screen = new Screen({ colour: true });
    screen.run().say('a\n');
    screen.run().say('b\n');
    const [first, second] = screen.lines;
    expect(first?.replaceAll('\u001b', '^')).toMatch(/^\^\[\d+mweb\^\[0m \^\[2m\|\^\[0m a$/);
    expect(second).toBe(first?.replace(/a$/, 'b'));
    const plain = new Screen();
    plain.run().say('\u001b[1;31mred\u001b[0m\n');
    plain.view.note('web: started');
    expect(plain.text).toBe('web | red\nweb: started\n');
  });

  test('of a program stays where colours are wanted, and ends with its line', () => {
    const screen = new Screen({ colour: true });
    screen.run().say('\u001b[31mred\n');
    expect(screen.text.endsWith('\u001b[31mred\u001b[0m\n')).toBe(true);
  });
});

describe('F11: what would touch the terminal', () => {
  const nasty: readonly (readonly [string, string, string])[] = [
    ['cursor and screen', 'a\u001b[2J\u001b[1;1Hb\u001b[?25lc', 'abc'],
    ['title and clipboard', 'a\u001b]0;evil\u0007b\u001b]52;c;AA==\u001b\\c', 'abc'],
    ['a title that never ends', 'a\u001b]0;shown anyway', 'a0;shown anyway'],
    ['device strings', 'a\u001bP+q\u001b\\b\u001b_x\u001b\\c', 'abc'],
    ['charsets and reset', 'a\u001b(0b\u001bcc', 'abc'],
    ['C1, bell, backspace, NUL, DEL', 'a\u009b2J\u0007\b\u0000\u007fb', 'a2Jb'],
    ['a lone escape at the end', 'ab\u001b', 'ab'],
    ['a progress bar', ' 10%\r 20%\r100%\r', '100%'],
    ['tabs stay', 'a\tb', 'a\tb'],
  ];
  test.each(nasty)('%s', (_what, line, shown) => {
    for (const colour of [false, true]) {
      const screen = new Screen({ colour });
      screen.run().say(`${line}\n`);
      const rest = screen.text.slice(screen.text.lastIndexOf(colour ? '\u001b[0m ' : '| '));
      expect(rest).toBe(`${colour ? '\u001b[0m ' : '| '}${shown}\n`);
    }
  });

  test('a worker cannot write lines that look like the master’s', () => {
    const screen = new Screen();
    screen.view.note('web: \u001b[2Jexit 1\nweb: stopped');
    expect(screen.lines).toEqual(['web: exit 1web: stopped']);
  });
});

describe('M2: narrow terminals', () => {
  test('get shortened names, at most a quarter of the width', () => {
    let columns = 40;
    const screen = new Screen({ columns: () => columns, prefixWidth: 30 });
    const run = screen.run('a-rather-long-worker-name');
    run.say('x\n');
    columns = 200;
    run.say('y\n');
    expect(screen.lines).toEqual(['a-rather-… | x', `${'a-rather-long-worker-name'.padEnd(30)} | y`]);
  });
});

describe('F4: a terminal that is behind', () => {
  test('costs lines, which are counted and named when it has caught up', () => {
    const screen = new Screen();
    const run = screen.run();
    screen.full = true;
    run.say('shown\nhalf');
    const before = screen.text;
    run.say(' a line\n');
    for (let index = 0; index < 1000; index += 1) run.say('lost\nlost too\n');
    run.say('torn');
    expect(screen.text).toBe(before);
    screen.full = false;
    screen.view.drained();
    expect(screen.lines.at(-1)).toBe('web | … 2002 lines not shown, all are in /log/web.log');
    run.say(' rest\nwhole\n');
    expect(screen.lines.at(-1)).toBe('web | whole');
    screen.view.drained();
    expect(screen.lines.at(-1)).toBe('web | whole');
  });

  test('counts a last line that ended while nobody could see it', () => {
    const screen = new Screen();
    const run = screen.run();
    run.say('unfinished');
    screen.full = true;
    screen.run('db').say('x\n');
    run.end();
    screen.full = false;
    screen.view.drained();
    expect(screen.lines.at(-1)).toBe('web | … 1 line not shown, all are in /log/web.log');
  });

  test('keeps the master’s own lines, up to a bound', () => {
    const screen = new Screen();
    screen.full = true;
    screen.run().say('x\n');
    for (let index = 0; index < 300; index += 1) screen.view.note(`event ${index}`);
    expect(screen.lines).toHaveLength(1);
    screen.full = false;
    screen.view.drained();
    expect(screen.lines).toHaveLength(1 + 256 + 1);
    expect(screen.lines.at(-1)).toBe('… 44 messages of the master not shown');
  });

  test('writes each chunk at once', () => {
    const screen = new Screen();
    screen.run().say('line\n'.repeat(5000));
    expect(screen.writes).toBe(1);
  });
});

test('M1: after the end nothing is written', () => {
  const screen = new Screen();
  const run = screen.run();
  run.say('held');
  screen.view.end();
  run.say(' on\n');
  run.end();
  screen.view.note('web: started');
  screen.view.drained();
  expect(screen.text).toBe('');
});
