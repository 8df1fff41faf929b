import type { LogValue, RedactionSpec } from '@hsu-master/core';
import type { LogRecord } from '../../record.ts';
import { type Change, patternOf } from '../stage.ts';
import {
  hasInnerSecrets,
  isSecretName,
  keyValue,
  MASK,
  PRESETS,
  type Redact,
  SECRET_WORDS,
} from './presets.ts';
import { replaceAll } from './replace.ts';

/** Deeper values of fields are masked as a whole. */
const DEPTH = 20;
const BEGIN_KEY = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/;
const END_KEY = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----/;
/** A private key that never ends makes no more lines than these unreadable. */
const MAX_KEY_LINES = 200;
const MAX_NAMES = 1000;

/** Makes secrets unreadable in text, message and fields. */
export function redaction(spec: RedactionSpec): Change {
  const redacts: Redact[] = [];
  if (spec.keys.length > 0) redacts.push(keyValue(spec.keys.map(literally).join('|')));
  for (const preset of spec.presets) redacts.push(PRESETS[preset]());
  for (const { pattern, replacement } of spec.patterns) {
    const compiled = patternOf(pattern);
    redacts.push((text) => replaceAll(text, compiled, replacement));
  }
  const further = new Set(spec.keys.map((key) => key.toLowerCase()));
  const usual = spec.presets.includes('key_value');
  const names = new Map<string, boolean>();
  const isSecret = (name: string): boolean => {
    let known = names.get(name);
    if (known === undefined) {
      known = further.has(name.toLowerCase()) || (usual && isSecretName(name));
      // Names come from workers: no more of them are remembered than a program has.
      if (names.size < MAX_NAMES) names.set(name, known);
    }
    return known;
  };
  const clean: Redact = (text) => {
    let result = text;
    for (const redact of redacts) result = redact(result);
    return result;
  };
  const cleanValue = (value: LogValue, depth: number): LogValue => {
    if (typeof value === 'string') return clean(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= DEPTH) return MASK;
    if (Array.isArray(value))
      return (value as readonly LogValue[]).map((item) => cleanValue(item, depth + 1));
    return cleanFields(value as LogRecord['fields'], depth + 1);
  };
  const cleanFields = (fields: LogRecord['fields'], depth: number): LogRecord['fields'] => {
    let changed: Record<string, LogValue> | null = null;
    for (const key in fields) {
      const value = fields[key] as LogValue;
      const result = isSecret(key) ? hidden(value, depth) : cleanValue(value, depth);
      if (result === value) continue;
      changed ??= { ...fields };
      changed[key] = result;
    }
    return changed ?? fields;
  };
  const innerSecrets = [
    ...(spec.keys.length > 0 ? [hasInnerSecrets(spec.keys.map(literally).join('|'))] : []),
    ...(usual ? [hasInnerSecrets(SECRET_WORDS)] : []),
  ];
  /** JSON with lists or objects in the place of secrets is written anew; all else keeps its form. */
  const cleanText: Redact = (text) => {
    if (!innerSecrets.some((has) => has(text))) return clean(text);
    try {
      const value = JSON.parse(text) as LogValue;
      return JSON.stringify(cleanValue(value, 0));
    } catch {
      return clean(text);
    }
  };
  const hideKey = spec.presets.includes('private_key') ? keyHider() : null;
  return (record) => {
    if (hideKey?.(record) === true) return { ...record, text: MASK, message: MASK };
    const text = cleanText(record.text);
    const message = record.message === record.text ? text : cleanText(record.message);
    const fields = cleanFields(record.fields, 0);
    if (text === record.text && message === record.message && fields === record.fields) return record;
    return { ...record, text, message, fields };
  };
}

/** The value of a secret: all that is in it but for what tells nothing. */
function hidden(value: LogValue, depth: number): LogValue {
  if (value === '' || value === null || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || depth >= DEPTH) return MASK;
  if (Array.isArray(value)) return (value as readonly LogValue[]).map((item) => hidden(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hidden(item, depth + 1)]));
}

function literally(key: string): string {
  return key.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Whether a line lies within a private key that an earlier line of the stream began. */
function keyHider(): (record: LogRecord) => boolean {
  const inside = new Map<string, number>();
  return ({ stream, text }) => {
    const lines = inside.get(stream);
    if (lines !== undefined) {
      if (lines >= MAX_KEY_LINES || END_KEY.test(text)) inside.delete(stream);
      else inside.set(stream, lines + 1);
      return true;
    }
    if (text.includes('-----BEGIN') && BEGIN_KEY.test(text) && !END_KEY.test(text)) inside.set(stream, 1);
    return false;
  };
}
