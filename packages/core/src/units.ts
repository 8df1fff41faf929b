/** A span of time in milliseconds; never negative, may be fractional. */
export type Milliseconds = number;
/** A point on the monotonic clock of one boot of the machine, in milliseconds, the same for all masters; only differences mean anything. */
export type MonotonicTime = number;
/** A point in time in milliseconds since 1970-01-01T00:00:00Z; for people and records, never for timers. */
export type WallTime = number;
/** A size in bytes; a non-negative integer. */
export type Bytes = number;

const DURATION_UNITS: Readonly<Record<string, Milliseconds>> = {
  ns: 1e-6,
  us: 1e-3,
  // The micro sign and the Greek letter, as Go takes both.
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration as people and Go write it: `500ms`, `10s`, `1h30m`, `1.5h`, `7d`, and the bare `0`.
 * Returns null for anything else, a bare number included, since its unit would be a guess.
 */
export function parseDuration(text: string): Milliseconds | null {
  if (text === '0') return 0;
  let total = 0;
  let rest = text;
  while (rest !== '') {
    const part = /^(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h|d)/.exec(rest);
    if (part === null) return null;
    total += Number(part[1]) * (DURATION_UNITS[part[2] as string] as number);
    rest = rest.slice(part[0].length);
  }
  return text === '' || !Number.isFinite(total) ? null : total;
}

/** Writes a duration the way `parseDuration` reads it, with at most two units: `850ms`, `12s`, `1h30m`, `7d`. */
export function formatDuration(span: Milliseconds): string {
  if (Math.round(span) < 1000) return `${Math.round(span)}ms`;
  if (span < 10_000 && span % 1000 !== 0) return `${Math.round(span / 100) / 10}s`;
  const seconds = Math.round(span / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
}

const SIZE_UNITS: Readonly<Record<string, Bytes>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/**
 * Reads a size: an integer of bytes, or a number with a unit: `64KiB` (1024), `100MB` (10^6), `1GiB`; a lone `K`, `M` or `G`
 * means the power of two, as in `ulimit` and systemd. Returns null for anything else, and for sizes past 2^53 bytes.
 */
export function parseSize(text: string): Bytes | null {
  const part = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]*)$/.exec(text.trim());
  if (part === null) return null;
  const unit = part[2] === '' ? 1 : SIZE_UNITS[(part[2] as string).toUpperCase()];
  if (unit === undefined || (unit === 1 && (part[1] as string).includes('.'))) return null;
  const bytes = Math.round(Number(part[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/**
 * Writes a size as people write it: whole millions that are no whole number of MiB are decimal, `100MB`; all else has a power-of-two unit
 * and at most one decimal, `512B`, `64KiB`, `1.5GiB`.
 */
export function formatSize(bytes: Bytes): string {
  if (isDecimal(bytes)) return bytes % 1e9 === 0 ? `${bytes / 1e9}GB` : `${bytes / 1e6}MB`;
  return formatBinary(bytes);
}

/** The same in units that can be compared with those of another size: 10.1MB beside 10MB, where 9.6MiB would seem less. */
export function formatSizeBeside(bytes: Bytes, other: Bytes): string {
  return isDecimal(other) ? inUnits(bytes, 1000, ['B', 'KB', 'MB', 'GB', 'TB']) : formatBinary(bytes);
}

function isDecimal(bytes: Bytes): boolean {
  return bytes > 0 && bytes % 1e6 === 0 && bytes % 2 ** 20 !== 0;
}

function formatBinary(bytes: Bytes): string {
  return inUnits(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

function inUnits(bytes: Bytes, step: number, units: readonly string[]): string {
  let value = bytes;
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  return `${Math.round(value * 10) / 10}${units[unit]}`;
}
