import type { Field, JsonSchema, ObjectField } from './schema/fields.ts';
import { root } from './schema/root.ts';
import { longForm, shortForm } from './schema/worker.ts';

/** A scalar of another type may be written as text with a variable in it. */
const VARIABLE: JsonSchema = { type: 'string', pattern: '\\$\\{' };

/**
 * The schema of what may be written, as JSON Schema draft-07 for editors. Loading checks more (ids, dependencies, programs),
 * and is less strict about quotes: it takes `"5"` where a number is wanted.
 */
export function jsonSchema(): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  const draft = new Draft(definitions);
  const { properties, ...rest } = draft.object(root) as { properties: Record<string, JsonSchema> };
  const worker = { anyOf: [draft.field(shortForm), draft.field(longForm)] };
  const workers = { ...properties['workers'], type: ['array', 'null'], items: worker };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'HSU Master configuration',
    ...rest,
    properties: { ...properties, workers },
    definitions,
  };
}

/** The same as text for a file. */
export function configSchemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}

class Draft {
  readonly #definitions: Record<string, JsonSchema>;

  constructor(definitions: Record<string, JsonSchema>) {
    this.#definitions = definitions;
  }

  field(field: Field): JsonSchema {
    const notes: Record<string, unknown> = {};
    if (field.meaning !== '') notes['description'] = describe(field);
    if (field.kind === 'object' && field.name !== null)
      return { allOf: [this.#reference(field, field.name)], ...notes };
    return { ...this.#type(field), ...notes };
  }

  #reference(field: ObjectField<unknown>, name: string): JsonSchema {
    if (this.#definitions[name] === undefined) {
      this.#definitions[name] = {};
      this.#definitions[name] = this.object(field);
    }
    return { $ref: `#/definitions/${name}` };
  }

  #type(field: Field): JsonSchema {
    switch (field.kind) {
      case 'scalar': {
        const types = [field.json['type']].flat();
        return types.includes('string') && field.json['pattern'] === undefined
          ? field.json
          : { anyOf: [field.json, VARIABLE] };
      }
      case 'list':
        return { type: 'array', items: this.field(field.item) };
      case 'map':
        return { type: 'object', additionalProperties: this.field(field.value) };
      case 'object':
        return this.object(field);
      case 'forms':
        return {
          anyOf: [field.scalar, field.list, field.map]
            .filter((form) => form !== null)
            .map((form) => this.field(form)),
        };
      case 'any':
        return {};
    }
  }

  object(field: ObjectField<unknown>): JsonSchema {
    const properties: Record<string, JsonSchema> = {};
    for (const [key, inner] of field.keys) {
      const schema = this.field(inner);
      properties[key] = inner.required
        ? schema
        : { anyOf: [schema, { type: 'null' }], ...pick(schema, 'description') };
    }
    for (const [key, instead] of Object.entries(field.ignored))
      properties[key] = { description: `Ignored: ${instead}.`, deprecated: true };
    const required = field.needed.length === 0 ? {} : { required: field.needed };
    return { type: 'object', properties, ...required, additionalProperties: false };
  }
}

function pick(schema: JsonSchema, key: string): JsonSchema {
  return schema[key] === undefined ? {} : { [key]: schema[key] };
}

function describe(field: Field): string {
  const parts = [field.meaning];
  if (field.fallback !== null) parts.push(`Default: ${field.fallback}.`);
  if (field.status.kind === 'later') parts.push(`Accepted, but ${field.status.note}.`);
  return parts.join(' ');
}
