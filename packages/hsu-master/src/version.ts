import { readFileSync } from 'node:fs';
import { EXIT_CODES } from './exit-codes.ts';

let known: string | null = null;

export function ownVersion(): string {
  known ??= readVersion();
  return known;
}

function readVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Prints the version, as one line or as JSON. */
export function printVersion(output: string | undefined): number {
  const version = ownVersion();
  const { node } = process.versions;
  const text = output === 'json' ? JSON.stringify({ version, node }) : `hsu-master ${version} (Node ${node})`;
  process.stdout.write(`${text}\n`);
  return EXIT_CODES.ok.code;
}
