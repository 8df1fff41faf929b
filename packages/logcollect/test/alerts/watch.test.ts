import { FakeClock } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import type { AlertRule, LogAlert } from '../../src/alerts/rule.ts';
import { AlertWatch } from '../../src/alerts/watch.ts';
import type { LogRecord } from '../../src/record.ts';
import { record } from '../support/records.ts';

const RULE: AlertRule = {
  name: 'refused',
  workers: [],
  pattern: 'refused|timed? out',
  minLevel: null,
  stream: null,
  count: 3,
  within: 10_000,
  every: null,
  exec: null,
  webhook: null,
  timeout: 5000,
};

function stage(...rules: readonly Partial<AlertRule>[]) {
  const clock = new FakeClock();
  const told: LogAlert[] = [];
  const watch = new AlertWatch(
    rules.map((rule) => ({ ...RULE, ...rule })),
    clock,
    (alert) => told.push(alert),
  );
  const see = (text = 'connection refused', over: Partial<LogRecord> = {}) =>
    watch.see(record({ text, ...over }));
  return { clock, told, watch, see, kinds: () => told.map(({ kind }) => kind) };
}

describe('a rule', () => {
  test('holds when so many lines of one worker come within its time, and is cleared when they are past', () => {
    const { clock, told, see, kinds } = stage({});
    for (const wait of [6000, 6000, 3000]) {
      see();
      see('all is well');
      see('refused', { workerId: 'db' });
      clock.advance(wait);
    }
    expect(kinds()).toEqual([]);
    see('it timed out', { run: 4 });
    expect(told).toEqual([
      {
        kind: 'raised',
        rule: RULE,
        workerId: 'web',
        run: 4,
        lines: 3,
        line: 'it timed out',
        message: 'refused: 3 such lines of "web", 3 within 10s',
      },
    ]);
    clock.advance(500);
    see();
    clock.advance(6499);
    expect(kinds()).toEqual(['raised']);
    clock.advance(1);
    expect(kinds()).toEqual(['raised', 'cleared']);
    expect(told[1]).toMatchObject({
      lines: 4,
      message: 'refused: fewer than 3 such lines of "web" in the last 10s; 4 in all',
    });
    expect(clock.pending).toBe(0);
  });

  test('that lasts is told again no more often than it says', () => {
    const { clock, see, kinds } = stage({ every: 30_000 });
    for (let second = 0; second < 70; second += 1) {
      see();
      clock.advance(1000);
    }
    expect(kinds()).toEqual(['raised', 'again', 'again']);
  });

  test('of one line is raised by each first one, and cleared after its time', () => {
    const { clock, see, kinds } = stage({ count: 1, within: 1000 });
    see();
    clock.advance(999);
    see();
    clock.advance(999);
    expect(kinds()).toEqual(['raised']);
    clock.advance(1);
    expect(kinds()).toEqual(['raised', 'cleared']);
    see();
    expect(kinds()).toEqual(['raised', 'cleared', 'raised']);
  });

  test('counts lines of its workers, stream and level only, and of a long line its beginning', () => {
    const { see, told } = stage(
      { name: 'workers', workers: ['db'], count: 1 },
      { name: 'stream', stream: 'stderr', count: 1 },
      { name: 'level', pattern: null, minLevel: 'error', count: 1 },
      { name: 'pieces', pattern: 'tail end', count: 1 },
    );
    const names = () => told.map(({ rule }) => rule.name);
    see('refused');
    see('refused', { level: 'warn' });
    see('tail end', { piece: 'tail' });
    expect(names()).toEqual([]);
    see('refused', { workerId: 'db' });
    expect(names()).toEqual(['workers']);
    see('refused', { stream: 'stderr' });
    expect(names()).toEqual(['workers', 'stream']);
    see('whatever', { level: 'critical' });
    expect(names()).toEqual(['workers', 'stream', 'level']);
  });

  test('says nothing more of a worker that is gone', () => {
    const { clock, watch, see, kinds } = stage({ count: 1 });
    see();
    watch.forget('web');
    clock.advance(100_000);
    expect(kinds()).toEqual(['raised']);
    expect(clock.pending).toBe(0);
    see();
    watch.close();
    expect(clock.pending).toBe(0);
  });

  test('with a pattern that is none is a mistake of the caller', () => {
    expect(() => stage({ pattern: '(' })).toThrow(TypeError);
  });
});
