import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const packages = fileURLToPath(new URL('../../', import.meta.url));
const factor = Number(process.env['HSU_TIME_FACTOR'] ?? 1);

const blocks = readdirSync(packages).flatMap((name) => {
  const text = readFileSync(join(packages, name, 'README.md'), 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```/gms)].map(([, code = ''], index) => ({ name, index, code }));
});

test('every published package shows a program', () => {
  const shown = new Set(blocks.map(({ name }) => name));
  for (const name of [
    'api',
    'cli',
    'config',
    'contract',
    'core',
    'grpc',
    'health',
    'hsu-master',
    'logcollect',
    'native',
    'server-grpc',
    'unit',
    'workers',
  ]) {
    expect(shown).toContain(name);
  }
});

test.for(blocks)(
  'the program in the README of $name runs as printed ($index)',
  { timeout: 30_000 * factor },
  async ({ name, index, code }) => {
    const home = mkdtempSync(join(tmpdir(), 'hsu-readme-'));
    const file = join(packages, name, 'dist', `readme-${index}.mjs`);
    writeFileSync(file, code);
    writeFileSync(join(home, 'config.yaml'), 'workers: [{ id: web, command: sleep 1 }]\n');
    try {
      const env = { ...process.env, HSU_HOME: home };
      await promisify(execFile)(process.execPath, [file], { cwd: home, env, timeout: 20_000 * factor });
    } finally {
      rmSync(file);
      rmSync(home, { recursive: true, force: true });
    }
  },
);
