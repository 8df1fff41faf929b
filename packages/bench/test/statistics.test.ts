import { describe, expect, it } from 'vitest';
import { median, percentile, ratio, summarise } from '../src/statistics.ts';

describe('median', () => {
  it('is the middle value of an odd number, whatever their order', () => {
    expect(median([9, 1, 100])).toBe(9);
  });

  it('is the mean of the two middle values of an even number', () => {
    expect(median([4, 1, 3, 100])).toBe(3.5);
  });

  it('leaves its argument as it was', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('is undefined without values', () => {
    expect(median([])).toBeUndefined();
  });
});

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  it.each([
    [99, 99],
    [50, 50],
    [100, 100],
    [1, 1],
    [0, 1],
  ])('takes the nearest rank: %i %% of 1 to 100 is %i', (percent, value) => {
    expect(percentile(hundred, percent)).toBe(value);
  });

  it('sorts by number, not by digits', () => {
    expect(percentile([10, 9, 100], 100)).toBe(100);
  });
});

describe('summarise', () => {
  it('tells the median with its spread', () => {
    expect(summarise([5, 1, 3])).toEqual({ count: 3, median: 3, min: 1, max: 5, p99: 5 });
  });

  it('has nothing to tell of no values', () => {
    expect(summarise([])).toBeUndefined();
  });
});

describe('ratio', () => {
  it('says how many times the base', () => {
    expect(ratio(3, 2)).toBe(1.5);
  });

  it('says nothing against a base of zero or none', () => {
    expect(ratio(3, 0)).toBeUndefined();
    expect(ratio(3, undefined)).toBeUndefined();
    expect(ratio(undefined, 2)).toBeUndefined();
  });
});
