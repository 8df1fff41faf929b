import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readConfigFile } from '../src/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'hsu-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}
const why = (path: string) => {
  const read = readConfigFile(path);
  if (read.ok) return null;
  expect(read.failure.code).toBe('E_CONFIG_READ');
  return read.failure.message.replace(path, 'FILE');
};

describe('readConfigFile', () => {
  test('returns the text, without a byte order mark', () => {
    expect(readConfigFile(file('a.yaml', '\uFEFFworkers: [] # é 🚀\n'))).toEqual({
      ok: true,
      text: 'workers: [] # é 🚀\n',
    });
    expect(readConfigFile(file('empty.yaml', ''))).toEqual({ ok: true, text: '' });
  });

  test('says what is wrong with the file', () => {
    expect(why(join(directory, 'none'))).toBe('cannot read the configuration FILE: there is no such file');
    expect(why(directory)).toBe('cannot read the configuration FILE: it is a directory');
    expect(why(file('latin1', new Uint8Array([0x61, 0xe9, 0x62])))).toBe(
      'cannot read the configuration FILE: it is not UTF-8 text',
    );
  });

  test('I6: refuses a file of 50 MB without reading it', () => {
    const path = file('large', '');
    truncateSync(path, 50e6);
    expect(why(path)).toBe('cannot read the configuration FILE: it is larger than 4 MiB');
  });

  test('reads no more than the bound from what has no size', () => {
    expect(why('/dev/zero')).toBe('cannot read the configuration FILE: it is larger than 4 MiB');
  });

  test.skipIf(process.getuid?.() === 0)('says that it may not', () => {
    const path = file('secret', 'x');
    chmodSync(path, 0);
    expect(why(path)).toBe('cannot read the configuration FILE: permission denied');
  });
});
