import { parseCommon } from './common.ts';
import { parseFull } from './full.ts';
import { guard, MAX_FILE_BYTES } from './guard.ts';
import type { Parsed } from './tree.ts';

/** Reads one YAML document into nodes, within bounds of size, nesting and aliases. Never throws. */
export function parse(text: string): Parsed {
  const root = text.length > MAX_FILE_BYTES ? null : parseCommon(text);
  if (root !== null) return { ok: true, root };
  const fault = guard(text);
  return fault === null ? parseFull(text) : { ok: false, faults: [fault] };
}
