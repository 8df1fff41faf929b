import { describe, expect, it } from 'vitest';
import { candidates } from '../src/completion/candidates.ts';
import { COMMANDS } from '../src/index.ts';

const WORKERS = [
  { id: 'api-1', namespace: 'shop', doing: 'ready' },
  { id: 'api-2', namespace: 'shop', doing: 'backoff 3s: exit 1' },
  { id: 'db', namespace: null, doing: 'ready' },
];

/** What is offered for a line whose last word is being written. */
async function offered(line: string): Promise<readonly string[] | string> {
  const words = line.split(' ');
  const current = words.pop() ?? '';
  const names = { workers: async () => WORKERS };
  const { values, paths } = await candidates(COMMANDS, words, current, names);
  return paths ?? values.map(({ value }) => value);
}

describe('completion', () => {
  it('offers commands, then what they are about', async () => {
    expect(await offered('res')).toEqual(['restart', 'reset']);
    expect(await offered('stop api')).toEqual(['api-1', 'api-2']);
    expect(await offered('stop db api-1 ')).toEqual(['api-1', 'api-2', 'db']);
    expect(await offered('ls shop/')).toEqual(['shop/api-1', 'shop/api-2']);
    expect(await offered('signal H')).toEqual(['HUP']);
    expect(await offered('signal HUP d')).toEqual(['db']);
    expect(await offered('version ')).toEqual([]);
    expect(await offered('dance ')).toEqual([]);
  });

  it('offers options and their values, behind a blank and behind =', async () => {
    expect(await offered('logs --str')).toEqual(['--stream']);
    expect(await offered('logs --stream ')).toEqual(['stdout', 'stderr']);
    expect(await offered('logs --stream=std')).toEqual(['--stream=stdout', '--stream=stderr']);
    expect(await offered('ls -n s')).toEqual(['shop']);
    expect(await offered('ls -o js')).toEqual(['json', 'jsonl']);
    expect(await offered('ls -f ')).toBe('files');
    expect(await offered('ls --state-dir=')).toBe('directories');
    // -f of logs takes no value, nor does --wait unless it stands behind =.
    expect(await offered('logs -f d')).toEqual(['db']);
    expect(await offered('start --wait d')).toEqual(['db']);
  });

  it('knows options before the command, and leaves other command lines alone', async () => {
    expect(await offered('-n shop sto')).toEqual(['stop']);
    expect(await offered('ls -- ')).toEqual([]);
  });
});
