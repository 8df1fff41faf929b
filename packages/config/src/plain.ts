// How texts and sizes are shown in one line.
import { formatLimit, formatSize, LIMITS, type LimitName } from '@hsu-master/core';

/** Control characters, line breaks among them, as escapes. */
export function onOneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
}

/** A size as it was most likely written. */
export function size(bytes: number): string {
  if (bytes === 0 || bytes % 1e6 !== 0) return formatSize(bytes);
  return bytes % 1e9 === 0 ? `${bytes / 1e9}GB` : `${bytes / 1e6}MB`;
}

/** A limit as it was most likely written, without its key. */
export function plainLimit(limit: LimitName, value: number): string {
  if (limit === 'cpu.max_cores') return String(value);
  if (LIMITS[limit].unit === 'bytes') return size(value);
  return LIMITS[limit].unit === 'bytes-per-second' ? `${size(value)}/s` : formatLimit(limit, value);
}
