import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { command } from './background.ts';
import { it, ROOT, type Stage } from './drive.ts';

/** Every command that docs/cli.md and the README of the repository print, without the program's name. */
function documented(): readonly string[] {
  const page = readFileSync(join(ROOT, 'docs', 'cli.md'), 'utf8');
  const blocks = [...page.matchAll(/^Examples:\n((?: {2}hsu-master .*\n)+)/gm)].flatMap(([, block = '']) =>
    block.trimEnd().split('\n'),
  );
  // Behind an example of the overview stands what it does.
  const lines = blocks.map((line) => line.trim().split(/ {2,}/)[0] ?? '');
  return [...new Set(lines)].map((line) => line.replace(/^hsu-master /, ''));
}

const PROBED = { readiness: { type: 'process', interval: '100ms' } };
const sleeper = (id: string, more: object = {}): object => ({ id, command: 'sleep 1000', ...more });

/** Who is named in the examples. */
const WORKERS = [
  { id: 'web', shell: true, command: 'trap : HUP; while :; do echo hello timeout; sleep 0.2; done' },
  sleeper('api-1', { namespace: 'billing' }),
  sleeper('api-2', { namespace: 'billing' }),
  sleeper('db', { probes: PROBED }),
  sleeper('tmp-1'),
  { id: 'mailer', shell: true, command: 'exit 3', enabled: false },
];

/** Those that end only when they are interrupted, and by what they are known to work. */
const ENDLESS: Readonly<Record<string, RegExp>> = {
  'run config.yaml': /^web +\| hello timeout$/,
  'ls --watch': /^\d\d:\d\d:\d\d {2}web {2}running/,
  'logs web -f': /hello timeout$/,
  'events -f': /worker\./,
};

/** Those that may end otherwise, because of what is or is not here, and what they say then. */
const OTHERWISE: Readonly<Record<string, { readonly code: number; readonly says: RegExp }>> = {
  'adopt --match "node server.js" --id web': { code: 1, says: /no such process/ },
  'diff next.yaml': { code: 1, says: /cache +added/ },
  'service status config.yaml': { code: 1, says: /not installed/ },
};

async function follow(stage: Stage, line: string, cwd = stage.folder): Promise<void> {
  // As a shell reads it, with its quotes.
  const words = `exec "$NODE" "$BIN" ${line}`;
  const env = { NODE: process.execPath, BIN: stage.bin };
  const ran = stage.launch(['sh', '-c', words], { env, cwd });
  const known = ENDLESS[line];
  if (known !== undefined) {
    await ran.line(known);
    ran.signal('SIGINT');
  }
  const { code, signal } = await ran.end();
  const said = `${line}: ${ran.stdout}${ran.stderr}`;
  const otherwise = OTHERWISE[line];
  if (otherwise !== undefined && code !== 0) {
    expect(said).toMatch(otherwise.says);
    expect({ line, code, signal }).toEqual({ line, code: otherwise.code, signal: null });
  } else expect({ said, code, signal }).toEqual({ said, code: 0, signal: null });
}

/** In this order: a master is needed, is changed, and is ended by some of them. */
const ORDER: readonly RegExp[] = [
  /^(?:init|explain|validate|config|limits|completion|service|adopt|doctor)\b/,
  /^run\b.*--run-duration/,
  /^run\b/,
  /^up -f/,
  /^(?:ls|ps|status|describe|why|logs|events|graph|wait|top|version|audit|diff|exec)\b/,
  /^(?:token|reload|apply|rollback|scale)\b/,
  /^signal\b/,
  /^(?:start|stop|restart|reset|kill|upgrade)\b/,
  /^delete\b/,
  /^down -f/,
  /^up$/,
  /^down$/,
];
/** Those that change nothing are followed all at once; then it does not take so long. */
const TOGETHER = new Set([0, 4]);

describe('documented commands', () => {
  it('do what they are printed for, against a master with real workers', async ({ stage }) => {
    const document = { workers: WORKERS };
    stage.config(document);
    stage.config(document, 'hsu-master.yaml');
    stage.config({ workers: [...WORKERS, sleeper('cache')] }, 'next.yaml');
    // What is looked for by its port.
    const server = "require('net').createServer().listen(5432, '127.0.0.1', () => console.log('listens'))";
    const database = stage.launch([process.execPath, '-e', server]);
    // Where there is a real one, that one is found.
    await Promise.race([database.line(/^listens$/), database.ended]).catch(() => {});
    const all = documented();
    const left = new Set(all);
    for (const [index, pattern] of ORDER.entries()) {
      const lines = all.filter((line) => left.has(line) && pattern.test(line));
      for (const line of lines) left.delete(line);
      const run = (line: string): Promise<void> => follow(stage, line, cwdOf(stage, line));
      if (TOGETHER.has(index)) await Promise.all(lines.map(run));
      else for (const line of lines) await run(line);
    }
    expect([...left]).toEqual([]);
    expect((await command(stage, ['ls'])).code).toBe(3);
    database.kill();
  });
});

/** Each `init` begins in a folder of its own, without a configuration. */
function cwdOf(stage: Stage, line: string): string {
  if (!line.startsWith('init')) return stage.folder;
  const folder = `new-${line.length}`;
  mkdirSync(stage.path(folder));
  const manifest = { name: 'front', scripts: { start: 'node server.js' } };
  stage.write(`${folder}/package.json`, JSON.stringify(manifest));
  return stage.path(folder);
}
