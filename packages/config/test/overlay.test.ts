import { describe, expect, test } from 'vitest';
import { loadConfig, type Overlay, writtenIds } from '../src/index.ts';

const TEXT = `workers:
  - id: db
    command: db
  - id: web
    command: web
    depends_on: [db]
`;

function load(overlay: Partial<Overlay>, text = TEXT) {
  const whole = { written: new Map(), removed: new Set<string>(), ...overlay };
  return loadConfig(
    { file: '/etc/x.yaml', text, overlay: whole },
    { env: {}, cwd: '/', logDirectory: '/log', exists: () => true },
  );
}

function workers(overlay: Partial<Overlay>, text = TEXT) {
  const result = load(overlay, text);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.config.workers.map(({ id, command }) => `${id}: ${command.argv.join(' ')}`);
}

const written = (...workers: readonly { readonly id: string }[]) => ({
  written: new Map(workers.map((worker) => [worker.id, JSON.stringify(worker)])),
});

describe('what is laid over a configuration', () => {
  test('adds workers after those of the text, takes the places of some, and leaves others out', () => {
    expect(workers(written({ id: 'new', command: ['new', '22:30'] } as never))).toEqual([
      'db: db',
      'web: web',
      'new: new 22:30',
    ]);
    expect(workers(written({ id: 'db', command: 'other db' } as never))).toEqual([
      'db: other db',
      'web: web',
    ]);
    expect(workers({ removed: new Set(['web']) })).toEqual(['db: db']);
  });

  test('is all that there is where the text has no workers', () => {
    for (const text of ['', 'workers:\n', 'workers: []', 'master: {}\n'])
      expect(workers(written({ id: 'new', command: 'new' } as never), text)).toEqual(['new: new']);
  });

  test('is told by what is wrong with it, and the text by its lines', () => {
    const wrong = load(written({ id: 'new', comand: 'x', depends_on: ['nobody'] } as never));
    expect(wrong.ok ? [] : wrong.issues).toMatchObject([
      { file: 'worker "new"', line: 1, path: 'comand' },
      { file: 'worker "new"', line: 1, path: 'depends_on[0]' },
    ]);
    const needed = load({ removed: new Set(['db']) });
    expect(needed.ok ? [] : needed.issues).toMatchObject([
      { file: '/etc/x.yaml', line: 6, message: '"web" depends on "db", which is not defined' },
    ]);
  });

  test('I7: has no keys that mean something to the language', () => {
    const text = '{"id":"x","command":"x","__proto__":{"enabled":false}}';
    const result = load({ written: new Map([['x', text]]) });
    expect(result.ok).toBe(false);
  });

  test('the ids of a text are known without reading all of it', () => {
    expect([...writtenIds(TEXT)]).toEqual(['db', 'web']);
    expect([...writtenIds('workers: 3'), ...writtenIds('a: [')]).toEqual([]);
  });
});
