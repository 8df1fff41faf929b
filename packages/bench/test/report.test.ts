import { describe, expect, it } from 'vitest';
import { collect, format, judge, reportedFigures, type Values } from '../src/report.ts';

type Reported = 'startFromCommand' | 'stop' | 'ussN' | 'status100';

function reported(
  floor: readonly number[],
  ours: readonly number[],
  figure: Reported,
  busy: readonly number[] = [],
) {
  const values: Values = new Map();
  for (const value of floor) collect(values, 'floor', [{ figure, value }], true);
  for (const value of ours) collect(values, 'ours', [{ figure, value }], true);
  for (const value of busy) collect(values, 'ours', [{ figure, value }], false);
  const [first] = reportedFigures(values, 1000);
  if (!first) throw new Error('nothing reported');
  return first;
}

describe('a report', () => {
  it('gives medians, spread and the ratio to the floor, and names N', () => {
    const figure = reported([10, 12, 11], [33, 22, 20], 'startFromCommand');
    expect(figure.title).toBe('start of 1000: command line to last worker runs');
    expect(figure.peers[1]).toMatchObject({ peer: 'ours', median: 22, min: 20, max: 33, timesFloor: 2 });
  });

  it.each([
    ['times the floor', 'startFromCommand', [10], [20], true],
    ['times the floor', 'startFromCommand', [10], [21], false],
    ['above the floor', 'stop', [6], [56], true],
    ['above the floor', 'stop', [6], [57], false],
    ['at most', 'ussN', [1], [40], true],
    ['at most', 'ussN', [1], [41], false],
  ] as const)('judges a target of the kind "%s" (%s: %j against %j)', (_kind, figure, floor, ours, met) => {
    expect(judge(reported(floor, ours, figure))?.met).toBe(met);
  });

  it('does not judge by a floor that was not measured', () => {
    expect(judge(reported([], [20], 'startFromCommand'))).toBeUndefined();
  });

  it('leaves out times taken on a busy machine where there are others, and keeps other figures', () => {
    expect(reported([10], [20, 22], 'startFromCommand', [90]).peers[1]).toMatchObject({
      median: 21,
      count: 2,
    });
    expect(reported([10], [20, 22], 'ussN', [90]).peers[1]).toMatchObject({ median: 22, count: 3 });
  });

  it('does not judge by times that were all taken on a busy machine', () => {
    const figure = reported([10], [], 'startFromCommand', [15]);
    expect(figure.peers[1]).toMatchObject({ median: 15, busy: true });
    expect(judge(figure)?.met).toBeNull();
  });

  it.each([
    [0.4, true],
    [0.6, null],
  ])('judges %d ms of at most 0.5, taken on a busy machine, as %s', (taken, met) => {
    expect(judge(reported([], [], 'status100', [taken]))?.met).toBe(met);
  });

  it.each([
    [0.98443, '0.984'],
    [23.84, '23.8'],
    [2312.4, '2312'],
    [0, '0'],
    [40, '40'],
  ])('writes %d as %s', (value, text) => {
    expect(format(value)).toBe(text);
  });
});
