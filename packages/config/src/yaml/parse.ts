import { parseFull } from './full.ts';
import { guard } from './guard.ts';
import type { Parsed } from './tree.ts';

/** Reads one YAML document into nodes, within bounds of size, nesting and aliases. Never throws. */
export function parse(text: string): Parsed {
  const fault = guard(text);
  if (fault !== null) return { ok: false, faults: [fault] };
  return parseFull(text);
}
