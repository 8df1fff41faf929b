import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who asks a master to give its process to another program. */
export interface UpgradeRequest {
  readonly id: string;
  /** The Node that runs it. */
  readonly node: string;
  /** Path of the launcher’s script. */
  readonly script: string;
}

/** What became of a request. */
export type UpgradeAnswer =
  | { readonly id: string; readonly ok: true; readonly version: string; readonly workers: number }
  | { readonly id: string; readonly ok: false; readonly reason: string };

const REQUEST = 'upgrade-request.json';
const ANSWER = 'upgrade-answer.json';

export function writeRequest(runDirectory: string, request: UpgradeRequest): void {
  replace(join(runDirectory, REQUEST), request);
}

/** The latest request; null: there is none that can be read. */
export function readRequest(runDirectory: string): UpgradeRequest | null {
  const { id, node, script } = read(join(runDirectory, REQUEST)) as Partial<UpgradeRequest>;
  return typeof id === 'string' && typeof node === 'string' && typeof script === 'string'
    ? { id, node, script }
    : null;
}

/** An answer that cannot be written is missed by who waits for it, and by nobody else. */
export function writeAnswer(runDirectory: string, answer: UpgradeAnswer): void {
  try {
    replace(join(runDirectory, ANSWER), answer);
  } catch {
    // Its disk is full, or its directory gone.
  }
}

/** The answer to that request, once it is there. */
export function readAnswer(runDirectory: string, id: string): UpgradeAnswer | null {
  const answer = read(join(runDirectory, ANSWER)) as UpgradeAnswer;
  return answer.id === id ? answer : null;
}

function read(file: string): object {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as object | null) ?? {};
  } catch {
    return {};
  }
}

function replace(file: string, value: object): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
