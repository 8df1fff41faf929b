import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, parse, sep } from 'node:path';
import type { Pattern } from '@hsu-master/core';
import { patternOf } from '../pipeline/stage.ts';

/** Directories below each other that `**` looks into. */
const DEEPEST = 16;
const MAGIC = /[*?[]/;

/** Whether a path names several files. */
export function isGlob(path: string): boolean {
  return MAGIC.test(path);
}

/**
 * The files that match an absolute path with `*`, `?`, `[abc]` and `**`, without those that were rotated from another file
 * (`app.log.1`) and compressed ones. Directories that cannot be read match nothing; `**` does not follow links to directories. Names that begin with a dot
 * are matched by a step that does.
 */
export async function expand(path: string): Promise<string[]> {
  const { root } = parse(path);
  const steps = path.slice(root.length).split(sep === '\\' ? /[\\/]/ : sep);
  const found = new Set<string>();
  await walk(root, steps, found, 0);
  return [...found].sort();
}

async function walk(
  folder: string,
  steps: readonly string[],
  found: Set<string>,
  depth: number,
): Promise<void> {
  const [step, ...rest] = steps;
  if (step === undefined || depth > DEEPEST) return;
  if (rest.length > 0 && step !== '**' && !isGlob(step)) {
    await walk(join(folder, step), rest, found, depth);
    return;
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  if (step === '**') {
    await walk(folder, rest.length === 0 ? ['*'] : rest, found, depth + 1);
    for (const entry of entries) {
      if (entry.isDirectory() && !isHidden(entry))
        await walk(join(folder, entry.name), steps, found, depth + 1);
    }
    return;
  }
  const pattern = patternOf(patternSource(step));
  const matching = entries.filter((entry) => matches(entry, step, pattern));
  if (rest.length > 0) {
    for (const { name } of matching) await walk(join(folder, name), rest, found, depth + 1);
    return;
  }
  const names = new Set(entries.map(({ name }) => name));
  for (const entry of matching) {
    const isFile = entry.isFile() || entry.isSymbolicLink();
    if (isFile && !isRotated(entry.name, (base) => names.has(base) || pattern.test(base)))
      found.add(join(folder, entry.name));
  }
}

function isHidden({ name }: Dirent): boolean {
  return name.startsWith('.');
}

function matches(entry: Dirent, step: string, pattern: Pattern): boolean {
  return isHidden(entry) === step.startsWith('.') && pattern.test(entry.name);
}

function isRotated(name: string, isLog: (base: string) => boolean): boolean {
  if (/\.(?:gz|zst|bz2|xz)$/.test(name)) return true;
  const found = /^(.+)\.\d{1,6}$/.exec(name);
  return found !== null && isLog(found[1] as string);
}

/** An expression for one name. */
function patternSource(step: string): string {
  let source = '';
  for (let at = 0; at < step.length; at += 1) {
    const char = step[at] as string;
    const end = char === '[' ? step.indexOf(']', at + 2) : -1;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (end !== -1) {
      const inside = step
        .slice(at + 1, end)
        .replaceAll('\\', '\\\\')
        .replaceAll('[', '\\[');
      source += `[${inside.replace(/^!/, '^')}]`;
      at = end;
    } else source += /[\w\u0080-\uffff]/.test(char) ? char : `\\${char}`;
  }
  return `^${source}$`;
}
