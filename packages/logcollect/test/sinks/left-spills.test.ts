import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leftSpills } from '../../src/index.ts';
import { spillFolderName } from '../../src/sinks/left-spills.ts';
import { folder } from '../support/place.ts';

function spill(at: string, target: string, files: Readonly<Record<string, string>>): string {
  const path = join(at, spillFolderName(target));
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

test('lines that wait for targets that are gone are told of and stay; empty folders go', async () => {
  const at = folder();
  spill(at, 'loki:logs.example.org#00000001', { '0000000001.spill': 'xx', position: '0 1 0 1' });
  const left = spill(at, 'syslog:old#00000002', { '0000000003.spill': 'xxx', '0000000004.spill': 'x' });
  spill(at, 'syslog:done#00000003', { position: '0 9 0 1', 'position.new': '' });
  spill(at, 'syslog:new#00000004', {});
  mkdirSync(join(at, 'of-somebody-else'));
  writeFileSync(join(at, 'of-somebody-else', 'thesis.txt'), 'x');
  writeFileSync(join(at, 'note.txt'), 'x');
  const found = await leftSpills(at, new Set(['loki:logs.example.org#00000001']));
  expect(found).toEqual([{ folder: left, target: 'syslog:old#00000002', bytes: 4 }]);
  const names = ['loki:logs.example.org#00000001', 'syslog:old#00000002'].map(spillFolderName);
  expect(readdirSync(at).sort()).toEqual(['note.txt', 'of-somebody-else', ...names].sort());
});

test('where there is no folder there is nothing to tell', async () => {
  expect(await leftSpills(join(folder(), 'none'), new Set())).toEqual([]);
});

test('names of folders are short enough for any file system, and differ by what tells targets apart', () => {
  const long = `file:/${'long/'.repeat(500)}log`;
  const names = [spillFolderName(`${long}#00000001`), spillFolderName(`${long}#00000002`)];
  expect(new Set(names).size).toBe(2);
  for (const name of names) expect(name.length).toBeLessThanOrEqual(200);
});
