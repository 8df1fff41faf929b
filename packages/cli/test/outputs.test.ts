import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { width } from '../src/output/width.ts';
import { canned, told } from './canned.ts';

let master: Awaited<ReturnType<typeof canned>>;
beforeAll(async () => {
  process.env['TZ'] = 'UTC';
  master = await canned();
});
afterAll(() => master.close());

const locate = async () => ({ socket: master.socket });

const LINES = [
  'ls',
  'ls -o wide',
  'ps',
  'status',
  'status api',
  'describe api',
  'why mailer',
  'graph',
  'graph mailer',
  'top --sort memory',
  'events',
  'events -o wide',
  'logs',
];

describe.each([40, 80, 200])('M2: on %i columns', (columns) => {
  it.each(LINES)('%s', async (line) => {
    const { code, out, err } = await told(line, columns, { locate });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatchSnapshot();
    if (line === 'events -o wide') return;
    // What a worker wrote and what is to be copied stays as it is.
    const fits = out.split('\n').filter((row) => !/ECONN|hsu-master |^command/.test(row));
    for (const row of fits) expect(width(row)).toBeLessThanOrEqual(columns);
  });
});

describe('for programs', () => {
  it.each(['ls', 'ps', 'status', 'describe api', 'why mailer', 'graph', 'events', 'logs', 'version'])(
    '%s is JSON, JSON lines, YAML and names',
    async (line) => {
      const read = async (format: string): Promise<string> => {
        const answer = await told(`${line} -o ${format}`, 40, { locate });
        expect(answer).toMatchObject({ code: 0, err: '' });
        return answer.out;
      };
      const json = await read('json');
      for (const one of (line === 'logs' ? json : await read('jsonl')).trim().split('\n')) JSON.parse(one);
      expect(await read('yaml')).toMatch(/^[a-z-]/);
      expect(await read('name')).not.toMatch(/[{}]|\p{Cc}\[/u);
    },
  );

  it('graph is drawn for Graphviz and Mermaid', async () => {
    const draw = async (format: string): Promise<string> =>
      (await told(`graph mailer -o ${format}`, 80, { locate })).out;
    expect(await draw('dot')).toMatchSnapshot();
    expect(await draw('mermaid')).toMatchSnapshot();
  });

  it('colours come and go with --color', async () => {
    const plain = await told('ls', 200, { locate });
    expect((await told('ls --color never', 200, { locate })).out).toBe(plain.out);
    expect((await told('ls --color sometimes', 200, { locate })).code).toBe(2);
  });
});

/** A signal that is aborted when something was said that fits, and what hears all that is said. */
function until(pattern: RegExp): { readonly signal: AbortSignal; hear(text: string): void } {
  const over = new AbortController();
  return { signal: over.signal, hear: (text) => pattern.test(text) && over.abort() };
}

describe('ls --watch', () => {
  it('shows the list anew at a terminal, and leaves the last one there', async () => {
    const { signal, hear } = until(/übersetzer.*\n?/);
    const { code, out } = await told('ls --watch', 80, { locate, rows: 24, interrupted: () => signal, hear });
    expect(code).toBe(0);
    const [seen = '', left = ''] = out.split('\x1b[?25h\x1b[?1049l');
    expect(seen.startsWith('\x1b[?1049h\x1b[?25l\x1b[HNAME ')).toBe(true);
    expect(left).toBe((await told('ls', 80, { locate })).out);
  });

  it('tells workers in lines off a terminal, status refuses', async () => {
    const { signal, hear } = until(/off {2}disabled/);
    const { code, out } = await told('ls --watch', 80, { locate, interrupted: () => signal, hear });
    expect(code).toBe(0);
    expect(out).toMatchSnapshot();
    expect(await told('status --watch', 80, { locate })).toMatchObject({ code: 2, out: '' });
  });

  it('tells off a terminal that a worker is no more, and that it is there again', async () => {
    let gone = false;
    const shop = await canned((id) => id !== 'db' || !gone);
    const over = new AbortController();
    const hear = (said: string): void => {
      gone = !said.includes('db  removed');
      if (said.lastIndexOf('db  running') > said.indexOf('db  removed') && !gone) over.abort();
    };
    const parts = { locate: async () => ({ socket: shop.socket }), interrupted: () => over.signal, hear };
    const { out } = await told('ls --watch', 80, parts).finally(() => shop.close());
    const ofDb = out.split('\n').filter((line) => line.includes('  db  '));
    expect(ofDb.map((line) => line.split('  ')[2])).toEqual(['running', 'removed', 'running']);
  });
});

describe('down', () => {
  it.each(['n', '\r', '\x03'])('asks at a terminal, and does nothing where the answer is %j', async (key) => {
    const keys = {
      listen(listener: (pressed: string) => void): () => void {
        setImmediate(() => listener(key));
        return () => {};
      },
    };
    expect(await told('down', 80, { locate, rows: 24, keys })).toEqual({
      code: 1,
      out: '',
      err: 'stop api, db, übersetzer and the master (/srv/shop/config.yaml)? [y/N] no\nnothing was stopped\n',
    });
  });
});

describe('top at a terminal', () => {
  it('sorts, scrolls and ends by keys, and leaves the screen as it was', async () => {
    // Each key is pressed when what the one before it asks for is seen.
    const script: [seen: string, key: string][] = [
      ['sorted by cpu', 'm'],
      ['sorted by memory', 'n'],
      ['sorted by name', 'j'],
      ['2–4 of 6', 'r'],
      ['sorted by restarts', 'q'],
    ];
    let press = (_key: string): void => {};
    const keys = {
      listen(listener: (key: string) => void): () => void {
        press = listener;
        return () => {};
      },
    };
    const hear = (said: string): void => {
      const [next] = script;
      if (next === undefined || !said.includes(next[0])) return;
      script.shift();
      setImmediate(() => press(next[1]));
    };
    const { code, out } = await told('top', 80, { locate, rows: 8, keys, hear, now: () => Date.now() });
    expect(code).toBe(0);
    expect(out.startsWith('\x1b[?1049h')).toBe(true);
    expect(out.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    expect(script).toEqual([]);
    expect(out).toContain('1–3 of 6');
  });
});
