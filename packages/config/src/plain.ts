// How texts and limits are shown in one line.
import { formatLimit, type LimitName } from '@hsu-master/core';

/** Control characters, line breaks among them, as escapes. */
export function onOneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
}

/** A limit as it was most likely written, without its key. */
export function plainLimit(limit: LimitName, value: number): string {
  if (limit === 'cpu.max_cores') return String(value);
  return formatLimit(limit, value);
}
