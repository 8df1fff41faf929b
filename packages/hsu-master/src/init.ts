import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EXIT_CODES } from './exit-codes.ts';
import type { Flags } from './flags.ts';
import { type Plain, yamlOf } from './yaml-text.ts';

const NAME = 'hsu-master.yaml';

interface Proposed {
  readonly id: string;
  readonly command: string;
  /** Where it was found. */
  readonly from: string;
}

/** `hsu-master init`: writes a configuration for what is in the folder. Nothing that is there is overwritten unless that is asked for. */
export async function init(flags: Flags): Promise<number> {
  const file = resolve(flags.file ?? flags.config ?? NAME);
  if (existsSync(file) && flags.force !== true)
    return refuse(`${file} is there already`, `Look at it: hsu-master validate ${basename(file)}`);
  if (flags.id !== undefined && !isId(flags.id)) return refuse(`"${flags.id}" is no id`, ID_RULE);
  const workers = await choose(flags, process.cwd());
  if (workers === null)
    return refuse(
      'nothing here says what to run',
      "Say it: hsu-master init --id web --command 'node server.js'",
    );
  writeFileSync(file, textOf(workers, dirname(file)), flags.force === true ? {} : { flag: 'wx' });
  const names = workers.map(({ id }) => id).join(', ');
  process.stdout.write(`${file}: ${names}\nNext: hsu-master validate ${shown(file)}, then hsu-master up\n`);
  return EXIT_CODES.ok.code;
}

const ID_RULE = 'An id is 1 to 64 characters of A-Z a-z 0-9 _ -';

function refuse(problem: string, next: string): number {
  process.stderr.write(`hsu-master: ${problem}\n${next}\n`);
  return EXIT_CODES.usage.code;
}

function shown(file: string): string {
  return file === resolve(NAME) ? NAME : file;
}

function isId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** What is to be run: as it was given, as it was found, or as a person at a terminal wants it. null: nothing is known. */
async function choose(flags: Flags, folder: string): Promise<readonly Proposed[] | null> {
  const { id = 'web', command, yes } = flags;
  if (command !== undefined) return [{ id, command, from: 'the command line' }];
  const found = lookAround(folder);
  if (yes === true || !process.stdin.isTTY || !process.stdout.isTTY) return found.length === 0 ? null : found;
  return ask(found, id);
}

async function ask(found: readonly Proposed[], id: string): Promise<readonly Proposed[] | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Not by `question`: that drops what was typed before it was asked.
  const lines = terminal[Symbol.asyncIterator]();
  const question = async (text: string): Promise<string> => {
    process.stdout.write(text);
    const { value, done } = await lines.next();
    return done === true ? '' : value.trim();
  };
  try {
    const kept: Proposed[] = [];
    for (const one of found) {
      const answer = await question(`Run "${one.command}" (${one.from}) as ${one.id}? [Y/n] `);
      if (!/^n/i.test(answer)) kept.push(one);
    }
    if (kept.length > 0) return kept;
    const command = await question('Command to run: ');
    if (command === '') return null;
    const name = (await question(`Its id [${id}]: `)) || id;
    return [{ id: idOf(name), command, from: 'you' }];
  } finally {
    terminal.close();
  }
}

/** What the folder says about what is run in it: a Procfile says it best, then the start script of a package. */
function lookAround(folder: string): readonly Proposed[] {
  const procfile = read(join(folder, 'Procfile'));
  if (procfile !== null) {
    const lines = [...procfile.matchAll(/^([A-Za-z0-9_-]{1,64}):[ \t]*(\S.*)$/gm)];
    return lines.map(([, id = '', command = '']) => ({ id, command: command.trim(), from: 'Procfile' }));
  }
  const manifest = read(join(folder, 'package.json'));
  return manifest === null ? [] : ofPackage(manifest, folder);
}

function ofPackage(text: string, folder: string): readonly Proposed[] {
  let parsed: { name?: unknown; main?: unknown; scripts?: { start?: unknown } };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    return [];
  }
  const { name, main, scripts } = parsed ?? {};
  const id = idOf(typeof name === 'string' ? name : basename(folder));
  // What npm would start in a shell in a shell is better a child of its own; a script that needs more than one program gets its shell.
  if (typeof scripts?.start === 'string') return [{ id, command: scripts.start, from: 'package.json' }];
  const server = typeof main === 'string' ? main : 'server.js';
  return existsSync(join(folder, server)) ? [{ id, command: `node ${server}`, from: 'package.json' }] : [];
}

function idOf(name: string): string {
  const text = name
    .replace(/^@[^/]*\//, '')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .slice(0, 64);
  return text === '' ? 'web' : text;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Words that only a shell understands. */
const SHELL = /[|&;<>()$`*?[\]#~{}]|^\w+=/;

/** Where an editor finds what a configuration may say: a relative path within a project, so that it holds for whoever clones it. */
function schemaFor(folder: string): string {
  const file = fileURLToPath(import.meta.resolve('@hsu-master/config/config.schema.json'));
  const path = relative(folder, file);
  return path.startsWith('..') ? file : path;
}

function textOf(workers: readonly Proposed[], folder: string): string {
  const list: Plain = {
    workers: workers.map(({ id, command }) => ({
      id,
      command,
      ...(SHELL.test(command) ? { shell: true } : {}),
    })),
  };
  return [
    `# yaml-language-server: $schema=${schemaFor(folder)}`,
    '# What each key means: hsu-master explain workers',
    yamlOf(list),
  ].join('\n');
}
