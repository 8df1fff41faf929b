import type { CheckAnswer, RunContext } from '@hsu-master/core';

export type Answer = CheckAnswer;

/** Ends a check at once: sockets destroyed, timers cleared, processes killed. Nothing is answered afterwards. */
export type Cancel = () => void;

/** What a check may use. */
export type CheckContext = Pick<
  RunContext,
  'spec' | 'run' | 'process' | 'port' | 'host' | 'clock' | 'isHeldBack'
>;

export function failed(reason: string): Answer {
  return { passed: false, reason };
}

export function passed(reason: string): Answer {
  return { passed: true, reason };
}

/** One line without control characters, at most `limit` characters long. */
export function oneLine(text: string, limit = 200): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
}

/** A network error in words: `connect ECONNREFUSED 127.0.0.1:8080`. Of several addresses tried, the first one’s. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0]);
  if (!(error instanceof Error)) return oneLine(String(error));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const told = code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`;
  return oneLine(told);
}
