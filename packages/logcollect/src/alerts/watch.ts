import {
  type Clock,
  compilePattern,
  formatDuration,
  type MonotonicTime,
  type Pattern,
  rankOf,
  type WorkerId,
} from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import type { AlertRule, LogAlert } from './rule.ts';

/** UTF-16 units of a line that an alert repeats. */
const LINE_LIMIT = 500;

interface Compiled {
  readonly rule: AlertRule;
  readonly workers: ReadonlySet<WorkerId> | null;
  readonly pattern: Pattern | null;
  readonly minRank: number;
}

/**
 * Counts the lines that rules are about. Alerts are told from within `see` and from timers. What it remembers of a worker is bounded by
 * the counts of its rules.
 */
export class AlertWatch {
  readonly #rules: readonly Compiled[];
  readonly #clock: Clock;
  readonly #tell: (alert: LogAlert) => void;
  readonly #tallies = new Map<WorkerId, Map<AlertRule, Tally>>();

  /** Throws where a pattern is none: specs are checked before. */
  constructor(rules: readonly AlertRule[], clock: Clock, tell: (alert: LogAlert) => void) {
    this.#rules = rules.map(compiled);
    this.#clock = clock;
    this.#tell = tell;
  }

  see(record: LogRecord): void {
    for (const compiled of this.#rules) {
      if (!counts(compiled, record)) continue;
      let tallies = this.#tallies.get(record.workerId);
      if (tallies === undefined) {
        tallies = new Map();
        this.#tallies.set(record.workerId, tallies);
      }
      let tally = tallies.get(compiled.rule);
      if (tally === undefined) {
        tally = new Tally(compiled.rule, record.workerId, this.#clock, this.#tell);
        tallies.set(compiled.rule, tally);
      }
      tally.add(record);
    }
  }

  /** The worker is no longer there: its alerts end without a word. */
  forget(workerId: WorkerId): void {
    for (const tally of this.#tallies.get(workerId)?.values() ?? []) tally.end();
    this.#tallies.delete(workerId);
  }

  close(): void {
    for (const workerId of this.#tallies.keys()) this.forget(workerId);
  }
}

/** The lines of one worker that one rule is about. */
class Tally {
  readonly #rule: AlertRule;
  readonly #workerId: WorkerId;
  readonly #clock: Clock;
  readonly #tell: (alert: LogAlert) => void;
  /** When the last `count` lines came, as a ring. */
  readonly #times: Float64Array;
  #next = 0;
  #last: { run: number; line: string } = { run: 0, line: '' };
  #raised: { lines: number; told: MonotonicTime } | null = null;
  #cancel: () => void = () => undefined;

  constructor(rule: AlertRule, workerId: WorkerId, clock: Clock, tell: (alert: LogAlert) => void) {
    this.#rule = rule;
    this.#workerId = workerId;
    this.#clock = clock;
    this.#tell = tell;
    this.#times = new Float64Array(rule.count).fill(-Infinity);
  }

  add({ run, text }: LogRecord): void {
    const now = this.#clock.now();
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.#times.length;
    this.#last = { run, line: text.slice(0, LINE_LIMIT) };
    if (this.#raised !== null) {
      this.#raised.lines += 1;
      this.#repeat(now);
    } else if (this.#oldest > now - this.#rule.within) {
      this.#raised = { lines: this.#rule.count, told: now };
      this.#say('raised');
      this.#lookAt(this.#oldest + this.#rule.within);
    }
  }

  end(): void {
    this.#cancel();
  }

  /** Of the last `count` lines the first; the slot that is overwritten next. */
  get #oldest(): MonotonicTime {
    return this.#times[this.#next] as number;
  }

  #repeat(now: MonotonicTime): void {
    const { every, within } = this.#rule;
    if (this.#raised === null || every === null || now - this.#raised.told < every) return;
    if (this.#oldest <= now - within) return;
    this.#raised.told = now;
    this.#say('again');
  }

  #lookAt(time: MonotonicTime): void {
    this.#cancel = this.#clock.after(Math.max(0, time - this.#clock.now()), () => {
      const ends = this.#oldest + this.#rule.within;
      if (ends > this.#clock.now()) {
        this.#lookAt(ends);
        return;
      }
      this.#say('cleared');
      this.#raised = null;
    });
  }

  #say(kind: LogAlert['kind']): void {
    const { name, count, within } = this.#rule;
    const lines = this.#raised?.lines ?? 0;
    const span = formatDuration(within);
    const message =
      kind === 'cleared'
        ? `${name}: fewer than ${count} such lines of "${this.#workerId}" in the last ${span}; ${lines} in all`
        : `${name}: ${lines} such ${lines === 1 ? 'line' : 'lines'} of "${this.#workerId}", ${count} within ${span}`;
    this.#tell({ kind, rule: this.#rule, workerId: this.#workerId, ...this.#last, lines, message });
  }
}

function compiled(rule: AlertRule): Compiled {
  const result = rule.pattern === null ? null : compilePattern(rule.pattern);
  if (result !== null && !result.ok)
    throw new TypeError(`the pattern ${JSON.stringify(rule.pattern)} ${result.reason}`);
  return {
    rule,
    workers: rule.workers.length === 0 ? null : new Set(rule.workers),
    pattern: result?.pattern ?? null,
    minRank: rule.minLevel === null ? -1 : rankOf(rule.minLevel),
  };
}

function counts({ rule, workers, pattern, minRank }: Compiled, record: LogRecord): boolean {
  if (workers !== null && !workers.has(record.workerId)) return false;
  if (rule.stream !== null && rule.stream !== record.stream) return false;
  // Of a long line one piece counts: the one with its beginning.
  if (record.piece === 'part' || record.piece === 'tail') return false;
  if (minRank >= 0 && (record.level === null || rankOf(record.level) < minRank)) return false;
  return pattern === null || pattern.test(record.text);
}
