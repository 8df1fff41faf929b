/** Severities of lines, as a master knows them, the least first. */
export const LEVELS: readonly string[] = [
  'trace',
  'debug',
  'info',
  'notice',
  'warn',
  'error',
  'critical',
  'alert',
  'emergency',
];
