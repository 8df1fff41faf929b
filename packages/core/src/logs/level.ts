/** Syslog’s severities by their usual names, the least first. */
export const LOG_LEVELS = [
  'trace',
  'debug',
  'info',
  'notice',
  'warn',
  'error',
  'critical',
  'alert',
  'emergency',
] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What else these levels are called, in lower case. */
const NAMES: ReadonlyMap<string, LogLevel> = new Map<string, LogLevel>([
  ...LOG_LEVELS.map((level) => [level, level] as const),
  ['trc', 'trace'],
  ['verbose', 'trace'],
  ['silly', 'trace'],
  ['finest', 'trace'],
  ['finer', 'trace'],
  ['dbg', 'debug'],
  ['fine', 'debug'],
  ['inf', 'info'],
  ['information', 'info'],
  ['informational', 'info'],
  ['log', 'info'],
  ['warning', 'warn'],
  ['wrn', 'warn'],
  ['err', 'error'],
  ['severe', 'error'],
  ['crit', 'critical'],
  ['fatal', 'critical'],
  ['dpanic', 'critical'],
  ['panic', 'alert'],
  ['emerg', 'emergency'],
]);

/** The level that a word names, in any case; null where it names none. */
export function levelNamed(word: string): LogLevel | null {
  return NAMES.get(word) ?? NAMES.get(word.toLowerCase()) ?? null;
}

const RANKS: ReadonlyMap<LogLevel, number> = new Map(LOG_LEVELS.map((level, rank) => [level, rank]));

/** 0 for the least severe. */
export function rankOf(level: LogLevel): number {
  return RANKS.get(level) as number;
}
