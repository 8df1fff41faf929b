import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadResult, loadConfig, type Surroundings } from '../src/index.ts';

export const CORPUS = [
  'managed',
  'kinds',
  'logging-full',
  'documented',
  'short',
  'anchors',
  'limits',
] as const;

export function corpus(name: (typeof CORPUS)[number]): string {
  return readFileSync(join(import.meta.dirname, 'corpus', `${name}.yaml`), 'utf8');
}

export const SURROUNDINGS: Surroundings = {
  env: { HOME: '/home/me', ELASTICSEARCH_PASSWORD: 'hidden' },
  cwd: '/work',
  logDirectory: '/log',
  exists: () => true,
};

/** Loads text as if it stood in /etc/hsu/config.yaml on a machine where every file exists. */
export function load(text: string, surroundings: Partial<Surroundings> = {}): LoadResult {
  return loadConfig({ file: '/etc/hsu/config.yaml', text }, { ...SURROUNDINGS, ...surroundings });
}

/** What was accepted; fails with all issues where it was not. */
export function accept(text: string, surroundings: Partial<Surroundings> = {}) {
  const result = load(text, surroundings);
  if (result.ok) return result.config;
  throw new Error(
    result.issues.map((issue) => `${issue.line}:${issue.column} ${issue.path}: ${issue.message}`).join('\n'),
  );
}

/** The errors of a text as `line:column path: message (hint)`. */
export function refusals(text: string, surroundings: Partial<Surroundings> = {}): string[] {
  const result = load(text, surroundings);
  if (result.ok) return [];
  return result.issues.filter((issue) => issue.severity === 'error').map(show);
}

export function warnings(text: string, surroundings: Partial<Surroundings> = {}): string[] {
  return accept(text, surroundings).warnings.map(show);
}

function show(issue: {
  line: number;
  column: number;
  path: string;
  message: string;
  hint: string | null;
}): string {
  return `${issue.line}:${issue.column} ${issue.path}: ${issue.message}${issue.hint === null ? '' : ` (${issue.hint})`}`;
}
