import { formatDuration, formatSize, formatSizeBeside } from '../units.ts';
import { LIMITS, type LimitName, type LimitUnit } from './names.ts';

const UNITS: Readonly<Record<LimitUnit, (value: number) => string>> = {
  bytes: formatSize,
  'bytes-per-second': (value) => `${formatSize(value)}/s`,
  'operations-per-second': (value) => `${rounded(value)}/s`,
  'percent-of-core': (value) => `${rounded(value)}%`,
  cores: (value) => `${rounded(value)} ${value === 1 ? 'core' : 'cores'}`,
  milliseconds: formatDuration,
  count: rounded,
  weight: rounded,
  level: rounded,
  flag: (value) => (value === 0 ? 'no' : 'yes'),
};

/** A value of that limit in the unit of a human: `512MiB`, `20%`, `4MiB/s`, `1m30s`. */
export function formatLimit(limit: LimitName, value: number): string {
  return UNITS[LIMITS[limit].unit](value);
}

/** A measured value in units that can be compared with those of the limit that it stands beside. */
export function formatBeside(limit: LimitName, value: number, allowed: number): string {
  const { unit } = LIMITS[limit];
  if (unit === 'bytes') return formatSizeBeside(value, allowed);
  if (unit === 'bytes-per-second') return `${formatSizeBeside(value, allowed)}/s`;
  return formatLimit(limit, value);
}

/** A quarter of a core is no third of one. */
function rounded(value: number): string {
  const size = Math.abs(value);
  const scale = size >= 10 ? 10 : size >= 0.1 ? 100 : 1000;
  return String(Math.round(value * scale) / scale);
}
