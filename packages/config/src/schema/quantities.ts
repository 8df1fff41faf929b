// Numbers of limits, with the units that people write.
import { parseSize } from '@hsu-master/core';
import { type JsonSchema, type Read, type ScalarField, scalar } from './fields.ts';

type Optional<T> = ScalarField<T> & { readonly required: false };

const NUMBER = /^(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/;
const MAX_CPU = 8191;

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text);
}

/** A number, or text that matches. */
function numberOr(pattern: string, minimum = 0): JsonSchema {
  return { type: ['number', 'string'], minimum, pattern: `^(?:${pattern})$|\\$\\{` };
}

function negative(text: string): Read<never> | null {
  return text.startsWith('-') ? { wrong: `${quote(text)} is negative` } : null;
}

/** `50%`, or 50. */
export function percent(
  meaning: string,
  fallback: string | null = null,
  range: { readonly above?: number; readonly max?: number } = {},
): Optional<number> {
  const { above = -1, max = Number.MAX_SAFE_INTEGER } = range;
  const read = (text: string): Read<number> => {
    const bare = text.replace(/\s*%$/, '');
    if (!NUMBER.test(bare))
      return negative(text) ?? { wrong: `${quote(text)} is not a percentage`, hint: 'write it like 50%' };
    const value = Number(bare);
    if (value <= above) return { wrong: `${quote(text)} is not more than ${above} %` };
    if (value > max) return { wrong: `${quote(text)} is more than ${max} %` };
    return { value };
  };
  return scalar('percent', numberOr('\\d+(\\.\\d*)?\\s*%?'), read, meaning, fallback);
}

function readCores(text: string): Read<number> {
  const thousandths = /^(\d+)m$/.exec(text)?.[1];
  if (thousandths !== undefined)
    return { wrong: `${quote(text)} is not a number of cores`, hint: `write ${Number(thousandths) / 1000}` };
  if (NUMBER.test(text) && Number.isFinite(Number(text))) return { value: Number(text) };
  const hint = text.endsWith('%') ? 'write max_percent for percent' : 'write it like 0.5 or 2';
  return negative(text) ?? { wrong: `${quote(text)} is not a number of cores`, hint };
}

const CORES = '\\d+(\\.\\d*)?';

/** `1.5`. */
export function cores(meaning: string): Optional<number> {
  return scalar('cores', numberOr(CORES), readCores, meaning);
}

/** How much CPU: percent of one core with a sign, else cores. */
type CpuAmount = { readonly max_percent: number } | { readonly max_cores: number };

/** `50%` of one core, or `1.5` cores. */
export function cpuAmount(meaning: string): Optional<CpuAmount> {
  const read = (text: string): Read<CpuAmount> => {
    const share = /^(.*?)\s*%$/.exec(text)?.[1];
    if (share === undefined) {
      const amount = readCores(text);
      return 'value' in amount ? { value: { max_cores: amount.value } } : amount;
    }
    if (NUMBER.test(share)) return { value: { max_percent: Number(share) } };
    return negative(text) ?? { wrong: `${quote(text)} is not a percentage`, hint: 'write it like 50%' };
  };
  return scalar('percent of one core, or cores', numberOr(`${CORES}\\s*%?`), read, meaning);
}

/** `20MB/s`, `20MB`, or bytes. */
export function rate(meaning: string): Optional<number> {
  const read = (text: string): Read<number> => {
    const value = parseSize(text.replace(/\s*\/\s*s(?:ec)?$/, '').replace(/(?<=\d)_(?=\d)/g, ''));
    if (value !== null) return { value };
    const hint = /bits?(?:\/|p|$)/i.test(text)
      ? 'write bytes: 1Mbit/s is 125KB/s'
      : 'write it like 20MB/s, or bytes per second';
    return negative(text) ?? { wrong: `${quote(text)} is not a number of bytes per second`, hint };
  };
  return scalar('size per second', { type: ['integer', 'string'], minimum: 0 }, read, meaning);
}

/** `200`, or `200/s`. */
export function operations(meaning: string): Optional<number> {
  const read = (text: string): Read<number> => {
    const bare = text.replace(/\s*\/\s*s(?:ec)?$/, '').replace(/(?<=\d)_(?=\d)/g, '');
    const value = /^\d+$/.test(bare) ? Number(bare) : Number.NaN;
    if (Number.isSafeInteger(value)) return { value };
    const hint = 'write it like 200, or 200/s';
    return negative(text) ?? { wrong: `${quote(text)} is not a number of operations per second`, hint };
  };
  return scalar('number per second', numberOr('[\\d_]+(\\s*/\\s*s(ec)?)?'), read, meaning);
}

/** A whole number in a range that has to be explained. */
export function level(min: number, max: number, why: string, meaning: string): Optional<number> {
  const read = (text: string): Read<number> => {
    const value = /^[-+]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value)) return { wrong: `${quote(text)} is not a whole number`, hint: why };
    if (value < min || value > max)
      return { wrong: `${quote(text)} is not a number from ${min} to ${max}`, hint: why };
    return { value };
  };
  return scalar('integer', { type: 'integer', minimum: min, maximum: max }, read, meaning);
}

/** The first and the last CPU of a row. */
export type CpuRange = readonly [from: number, to: number];

/** CPU numbers: `3`, `0-3,5`. */
export function cpus(meaning: string): Optional<readonly CpuRange[]> {
  const read = (text: string): Read<readonly CpuRange[]> => {
    const ranges: CpuRange[] = [];
    for (const part of text.split(',')) {
      const [, first, last = first] = /^\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*$/.exec(part) ?? [];
      if (first === undefined)
        return { wrong: `${quote(text)} is not a set of CPUs`, hint: 'write it like 0-3,5' };
      const [from, to] = [Number(first), Number(last)];
      if (from > to) return { wrong: `${quote(part.trim())} runs backwards`, hint: `write ${to}-${from}` };
      if (to > MAX_CPU) return { wrong: `there is no CPU ${to}`, hint: `CPUs count from 0 to ${MAX_CPU}` };
      ranges.push([from, to]);
    }
    return { value: ranges };
  };
  return scalar('CPUs', numberOr('\\d[\\d,\\s-]*'), read, meaning);
}
