import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { configDocs, configSchemaText, jsonSchema } from '../src/docs.ts';
import { longForm, shortForm } from '../src/schema/worker.ts';
import { CORPUS, corpus, load } from './corpus.ts';

const { parse } = createRequire(import.meta.resolve('../src/yaml/full.ts'))('yaml') as typeof import('yaml');
const schema = jsonSchema();
const valid = (text: string) => matches(schema, parse(text, { merge: true }) as unknown);

type Schema = Readonly<Record<string, unknown>>;

/** As much of JSON Schema draft-07 as the schema uses; an unknown word fails. */
const WORDS: Readonly<Record<string, (word: never, value: unknown, schema: Schema) => boolean>> = {
  type: (types: string | string[], value) =>
    [types].flat().some((type) => type === typeOf(value) || (type === 'number' && typeof value === 'number')),
  enum: (values: unknown[], value) => values.includes(value),
  pattern: (pattern: string, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  minimum: (bound: number, value) => typeof value !== 'number' || value >= bound,
  exclusiveMinimum: (bound: number, value) => typeof value !== 'number' || value > bound,
  maximum: (bound: number, value) => typeof value !== 'number' || value <= bound,
  items: (item: Schema, value) => !Array.isArray(value) || value.every((inner) => matches(item, inner)),
  required: (keys: string[], value) =>
    typeOf(value) !== 'object' || keys.every((key) => Object.hasOwn(value as object, key)),
  properties: (keys: Record<string, Schema>, value) =>
    typeOf(value) !== 'object' ||
    Object.entries(value as object).every(
      ([key, inner]) => keys[key] === undefined || matches(keys[key], inner),
    ),
  additionalProperties: (other: Schema | false, value, { properties = {} }) =>
    typeOf(value) !== 'object' ||
    Object.entries(value as object).every(
      ([key, inner]) =>
        Object.hasOwn(properties as object, key) || (other !== false && matches(other, inner)),
    ),
  anyOf: (schemas: Schema[], value) => schemas.some((inner) => matches(inner, value)),
  allOf: (schemas: Schema[], value) => schemas.every((inner) => matches(inner, value)),
  $ref: (reference: string, value) =>
    matches(
      (schema['definitions'] as Record<string, Schema>)[reference.replace('#/definitions/', '')] as Schema,
      value,
    ),
};
const NOTES = new Set(['$schema', 'title', 'description', 'definitions', 'deprecated']);

function matches(rules: Schema, value: unknown): boolean {
  return Object.entries(rules).every(
    ([word, rule]) => NOTES.has(word) || (WORDS[word] as (typeof WORDS)[string])(rule as never, value, rules),
  );
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

test.each(CORPUS)('the JSON Schema accepts what loads: %s', (name) => {
  expect(valid(corpus(name))).toBe(true);
});

test.each([
  'workers: [{id: a, comand: x}]',
  'workers: [{command: x}]',
  'workres: []',
  'workers: [{id: a, command: x, enabled: 5}]',
  'workers: [{id: a, command: x, restart: sometimes}]',
  'workers: [{id: a, command: x, stop_timeout: 5}]',
  'workers: [{id: a, command: x, stop_timeout: 5x}]',
  'workers: [{id: a, command: x, type: managed}]',
])('the JSON Schema refuses what does not load: %s', (text) => {
  expect(load(text).ok).toBe(false);
  expect(valid(text)).toBe(false);
});

test('the JSON Schema is draft-07 text that ends in a line break', () => {
  expect(JSON.parse(configSchemaText())).toEqual(jsonSchema());
  expect(configSchemaText()).toMatch(
    /^\{\n {2}"\$schema": "http:\/\/json-schema.org\/draft-07\/schema#",[^]*\}\n$/,
  );
});

test('the reference names every key of every form, and describes each', () => {
  const docs = configDocs();
  for (const key of [...longForm.keys.keys(), ...shortForm.keys.keys()])
    expect(docs).toContain(`| \`${key}\` |`);
  const undescribed = docs.split('\n').filter((line) => /^\| `.*\|\s*\|$/.test(line));
  expect(undescribed).toEqual([]);
});

test('links within the reference lead somewhere', () => {
  const docs = configDocs();
  const titles = new Set(
    [...docs.matchAll(/^#+ (.*)$/gm)].map((match) => (match[1] as string).toLowerCase().replaceAll(' ', '-')),
  );
  for (const [, target] of docs.matchAll(/\]\(#([^)]*)\)/g)) expect(titles).toContain(target);
});
