import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { HsuError, type WallTime } from '@hsu-master/core';
import { makeDirectory, replaceSynced } from '@hsu-master/workers';

/** What was accepted last, where that is more than what the configuration file says. */
export interface KeptConfiguration {
  readonly revision: number;
  readonly acceptedAt: WallTime;
  /** Of the configuration file as it was then: another one since counts instead. */
  readonly fileSum: string;
  /** null: the file’s own text. */
  readonly applied: { readonly text: string; readonly file: string } | null;
  /** Workers as items of `workers`, JSON on one line each, and those of the text that count as not there. */
  readonly written: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
}

const FORM = 1;

export function fileOfKept(stateDirectory: string): string {
  return join(stateDirectory, 'configuration.json');
}

/** By which a text is known again. */
export function sumOf(text: string): string {
  return `${text.length.toString(16)}-${crc32(text).toString(16)}`;
}

/**
 * What an earlier master has kept; null: nothing. What is damaged is set aside and counts as nothing; `refused` is where it is then.
 * @throws HsuError E_STATE where it was written by a newer version
 */
export function readKept(stateDirectory: string): {
  readonly kept: KeptConfiguration | null;
  readonly refused: string | null;
} {
  const file = fileOfKept(stateDirectory);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return { kept: null, refused: null };
  }
  const found = parse(text);
  if (found !== null && found.form > FORM)
    throw new HsuError('E_STATE', `${file} was written by a newer version`, { file });
  if (found !== null && found.sum === sumOf(JSON.stringify(found.kept)))
    return { kept: found.kept, refused: null };
  const refused = `${file}.refused`;
  copyFileSync(file, refused);
  return { kept: null, refused };
}

interface Content {
  readonly form: number;
  readonly sum: string;
  readonly kept: KeptConfiguration;
}

function parse(text: string): Content | null {
  try {
    const found = JSON.parse(text) as Partial<Content> | null;
    return typeof found?.form === 'number' && found.kept !== undefined ? (found as Content) : null;
  } catch {
    return null;
  }
}

/**
 * On return it outlives a power cut, and until then the former does.
 * @throws HsuError E_STATE
 */
export async function keep(stateDirectory: string, kept: KeptConfiguration): Promise<void> {
  const file = fileOfKept(stateDirectory);
  try {
    makeDirectory(stateDirectory, 0o700);
    await replaceSynced(file, `${JSON.stringify({ form: FORM, sum: sumOf(JSON.stringify(kept)), kept })}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HsuError('E_STATE', `the configuration cannot be kept: ${reason}`, { file }, error);
  }
}
