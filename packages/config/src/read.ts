import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Failure } from '@hsu-master/core';
import { MAX_FILE_BYTES } from './yaml/guard.ts';

export type FileRead =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly failure: Failure };

/**
 * Reads a configuration file as UTF-8 text, at most 4 MiB of it. A file that is larger, is no file, is not UTF-8 or cannot be
 * read is a failure with code E_CONFIG_READ; nothing is thrown.
 */
export function readConfigFile(path: string): FileRead {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    return failed(path, reason(error));
  }
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) return failed(path, 'it is a directory');
    if (stat.size > MAX_FILE_BYTES) return tooLarge(path);
    const bytes = readUpTo(descriptor, MAX_FILE_BYTES + 1);
    if (bytes.length > MAX_FILE_BYTES) return tooLarge(path);
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return failed(path, error instanceof TypeError ? 'it is not UTF-8 text' : reason(error));
  } finally {
    closeSync(descriptor);
  }
}

function readUpTo(descriptor: number, limit: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  while (total < limit) {
    const chunk = new Uint8Array(Math.min(64 * 1024, limit - total));
    const count = readSync(descriptor, chunk, 0, chunk.length, null);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    total += count;
  }
  return Buffer.concat(chunks);
}

function tooLarge(path: string): FileRead {
  return failed(path, `it is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB`);
}

function failed(path: string, why: string): FileRead {
  return {
    ok: false,
    failure: { code: 'E_CONFIG_READ', message: `cannot read the configuration ${path}: ${why}` },
  };
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return error instanceof Error ? error.message : String(error);
}
