import { parseDuration, parseSize } from '@hsu-master/core';
import { type JsonSchema, type Read, type ScalarField, scalar, type Wrong } from './fields.ts';
import { suggest } from './suggest.ts';

type Optional<T> = ScalarField<T> & { readonly required: false };

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text);
}

const TEXT: JsonSchema = { type: ['string', 'number', 'boolean'] };

/** Text on one line. Numbers and words like `yes` are taken as they are written. */
export function text(meaning = '', fallback: string | null = null): Optional<string> {
  return scalar('string', TEXT, (value) => ({ value }), meaning, fallback);
}

/** Text that may have several lines. */
export function lines(meaning = ''): Optional<string> {
  return { ...text(meaning), lines: true };
}

/** Text on one line that is not empty. */
export function word(
  type: string,
  meaning = '',
  check: (text: string) => Wrong | null = () => null,
): Optional<string> {
  const read = (value: string): Read<string> => {
    if (value === '') return { wrong: `is empty; it takes a ${type}` };
    return check(value) ?? { value };
  };
  return scalar(type, TEXT, read, meaning);
}

/** The path of a file or directory; `~/` at its start is the home directory. */
export function path(meaning: string, fallback: string | null = null): Optional<string> {
  return { ...word('path', meaning), fallback };
}

export function integer(
  range: { readonly min: number; readonly max?: number },
  meaning: string,
  fallback: string | null = null,
): Optional<number> {
  const { min, max = Number.MAX_SAFE_INTEGER } = range;
  const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const read = (text: string): Read<number> => {
    const bare = text.replace(/(?<=\d)_(?=\d)/g, '');
    const value = /^(?:[-+]?\d+|0x[\da-fA-F]+|0o[0-7]+)$/.test(bare) ? Number(bare) : Number.NaN;
    if (Number.isNaN(value)) return { wrong: `${quote(text)} is not a whole number` };
    if (value < min || value > max) return { wrong: `${text} is not a number ${bounds}` };
    return { value };
  };
  const json = {
    type: 'integer',
    minimum: min,
    ...(max === Number.MAX_SAFE_INTEGER ? {} : { maximum: max }),
  };
  return scalar('integer', json, read, meaning, fallback);
}

export function number(
  range: { readonly min: number; readonly max?: number; readonly above?: boolean },
  meaning: string,
  fallback: string | null = null,
): Optional<number> {
  const { min, max = Number.MAX_VALUE, above = false } = range;
  const read = (text: string): Read<number> => {
    const value = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) return { wrong: `${quote(text)} is not a number` };
    if (above ? value <= min : value < min)
      return { wrong: `${text} is not ${above ? 'more than' : 'at least'} ${min}` };
    if (value > max) return { wrong: `${text} is more than ${max}` };
    return { value };
  };
  const json = {
    type: 'number',
    ...(above ? { exclusiveMinimum: min } : { minimum: min }),
    ...(max === Number.MAX_VALUE ? {} : { maximum: max }),
  };
  return scalar('number', json, read, meaning, fallback);
}

// The original’s YAML reader took the words of YAML 1.1 wherever a boolean was wanted.
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  y: true,
  false: false,
  no: false,
  off: false,
  n: false,
};

export function flag(meaning: string, fallback: string | null = null): Optional<boolean> {
  const read = (text: string): Read<boolean> => {
    const value = Object.hasOwn(BOOLEANS, text.toLowerCase()) ? BOOLEANS[text.toLowerCase()] : undefined;
    if (value === undefined) return { wrong: `${quote(text)} is neither true nor false` };
    return { value };
  };
  return scalar('boolean', { enum: [true, false, 'yes', 'no', 'on', 'off'] }, read, meaning, fallback);
}

/** One of a few words; `known` are words of other programs that mean the same as one of them. */
export function choice<const T extends string>(
  values: readonly T[],
  meaning: string,
  fallback: string | null = null,
  known: Readonly<Record<string, T>> = {},
): Optional<T> {
  const read = (text: string): Read<T> => {
    if ((values as readonly string[]).includes(text)) return { value: text as T };
    const near = Object.hasOwn(known, text) ? known[text] : suggest(text, values);
    const hint = near === null || near === undefined ? {} : { hint: `did you mean "${near}"?` };
    return {
      wrong: `${quote(text)} is none of ${values.filter((value) => value !== '').join(', ')}`,
      ...hint,
    };
  };
  return scalar(
    values.filter((value) => value !== '').join(' | '),
    { enum: values },
    read,
    meaning,
    fallback,
  );
}

/** The longest span that timers and arithmetic are asked to bear. */
const MAX_DURATION = 100 * 365 * 86_400_000;

export function duration(
  meaning: string,
  fallback: string | null = null,
  options: { readonly positive?: boolean } = {},
): Optional<number> {
  const read = (text: string): Read<number> => {
    const value = parseDuration(text.trim());
    if (value === null) {
      if (text.startsWith('-')) return { wrong: `${quote(text)} is negative` };
      if (/^\d+(?:\.\d+)?$/.test(text)) {
        return { wrong: `${text} is a number without a unit`, hint: `write ${text}s, ${text}ms or ${text}m` };
      }
      return { wrong: `${quote(text)} is not a duration`, hint: 'write it like 500ms, 10s, 1h30m or 7d' };
    }
    if (value > MAX_DURATION) return { wrong: `${quote(text)} is longer than 100 years` };
    if (options.positive === true && value === 0) return { wrong: 'must be longer than 0' };
    return { value };
  };
  const json = {
    type: ['string', 'integer'],
    pattern: '^(0|(\\d+(\\.\\d+)?(ns|us|µs|ms|s|m|h|d))+|.*\\$\\{.*)$',
    maximum: 0,
    minimum: 0,
  };
  return scalar('duration', json, read, meaning, fallback);
}

export function size(meaning: string, fallback: string | null = null): Optional<number> {
  const read = (text: string): Read<number> => {
    const value = parseSize(text.replace(/(?<=\d)_(?=\d)/g, ''));
    if (value === null) {
      return { wrong: `${quote(text)} is not a size`, hint: 'write bytes, or a unit: 64KiB, 100MB, 1GiB' };
    }
    return { value };
  };
  return scalar('size', { type: ['integer', 'string'], minimum: 0 }, read, meaning, fallback);
}
