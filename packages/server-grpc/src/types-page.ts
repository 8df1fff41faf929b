import {
  type EnumDescriptor,
  type FieldDescriptor,
  fileDescriptors,
  type MessageDescriptor,
} from './descriptors.ts';

const GENERATED = '// Generated from the proto files by `npm run docs`; changes here are lost.';

const SCALARS: Readonly<Record<string, string>> = {
  TYPE_STRING: 'string',
  TYPE_BOOL: 'boolean',
  TYPE_BYTES: 'Uint8Array',
};

/** Of a line, as the formatter has it. */
const WIDTH = 110;

/** Packages whose messages are the same as those of another one that is there. */
const TWINS = new Set(['grpc.reflection.v1alpha']);

/** src/messages.ts: the messages and services of the proto files as types. */
export function messageTypes(): string {
  const files = fileDescriptors();
  const messages = files.filter((file) => !TWINS.has(file.package));
  const parts = messages.flatMap((file) => [
    ...file.enumType.map((one) => enumType(one, '')),
    ...file.messageType.flatMap((one) => messageType(one, '')),
  ]);
  const services = files.flatMap((file) =>
    file.service.map(({ name, method }) => {
      const methods = method.map((one) => {
        const { inputType, outputType, clientStreaming = false, serverStreaming = false } = one;
        const kind = `${clientStreaming ? 'streamed' : 'one'}-${serverStreaming ? 'streamed' : 'one'}`;
        return methodType(one.name, [`'${kind}'`, local(inputType), local(outputType)]);
      });
      return [`  readonly '${file.package}.${name}': {`, ...methods, '  };'].join('\n');
    }),
  );
  return `${[
    GENERATED,
    '// 64-bit numbers are numbers; what is beyond 2^53 is not exact. A message that is not there is null, an optional value left out.',
    METHOD,
    `export interface Services {\n${services.join('\n')}\n}`,
    ...parts,
  ].join('\n\n')}\n`;
}

function methodType(name: string, parts: readonly string[]): string {
  const line = `    readonly ${name}: Method<${parts.join(', ')}>;`;
  if (line.length <= WIDTH) return line;
  return `    readonly ${name}: Method<\n${parts.map((part) => `      ${part}`).join(',\n')}\n    >;`;
}

const METHOD = `/** A method: how many questions it takes and answers it gives, and what they are. */
export interface Method<Kind extends string, Question, Answer> {
  readonly kind: Kind;
  readonly question: Question;
  readonly answer: Answer;
}`;

function messageType(message: MessageDescriptor, outer: string): readonly string[] {
  const name = outer + message.name;
  if (message.options?.mapEntry) return [];
  const fields = message.field.map((field) => fieldType(field, message));
  const own =
    fields.length === 0
      ? `export type ${name} = Readonly<Record<string, never>>;`
      : `export interface ${name} {\n${fields.join('\n')}\n}`;
  return [
    ...message.enumType.map((one) => enumType(one, name)),
    ...message.nestedType.flatMap((one) => messageType(one, name)),
    own,
  ];
}

function fieldType(field: FieldDescriptor, message: MessageDescriptor): string {
  const { jsonName, typeName, label, type, oneofIndex } = field;
  const entry = message.nestedType.find((one) => one.options?.mapEntry && typeName?.endsWith(`.${one.name}`));
  if (entry !== undefined) {
    const value = entry.field.find((one) => one.name === 'value');
    return `  readonly ${jsonName}: Readonly<Record<string, ${value === undefined ? 'never' : plain(value)}>>;`;
  }
  if (label === 'LABEL_REPEATED') return `  readonly ${jsonName}: readonly ${plain(field)}[];`;
  if (oneofIndex !== undefined) return `  readonly ${jsonName}?: ${plain(field)} | null | undefined;`;
  return `  readonly ${jsonName}: ${plain(field)}${type === 'TYPE_MESSAGE' ? ' | null' : ''};`;
}

function plain({ type, typeName }: FieldDescriptor): string {
  return typeName === undefined ? (SCALARS[type] ?? 'number') : local(typeName);
}

function enumType({ name, value }: EnumDescriptor, outer: string): string {
  const values = value.map((one) => `'${one.name}'`);
  const line = `export type ${outer + name} = ${values.join(' | ')};`;
  return line.length <= WIDTH
    ? line
    : `export type ${outer + name} =\n${values.map((one) => `  | ${one}`).join('\n')};`;
}

/** `.hsu.v1.Health.Status` is HealthStatus: packages are left out, since their names do not meet. */
function local(name: string): string {
  return name
    .split('.')
    .filter((part) => /^[A-Z]/.test(part))
    .join('');
}
