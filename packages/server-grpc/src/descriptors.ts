import type { MessageTypeDefinition, PackageDefinition } from '@grpc/proto-loader';
import { loadProtos } from './protos.ts';

// Descriptors as protoc makes them. Those of protobufjs have one file for each package, names that are relative, no dependencies,
// unmarked optional fields and map entries of another name: what a client in Go or Java refuses is set right here.

export interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly label: 'LABEL_OPTIONAL' | 'LABEL_REPEATED';
  readonly type: string;
  /** Of a message or enum, with a dot before it. */
  readonly typeName?: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
  readonly jsonName: string;
}

export interface EnumDescriptor {
  readonly name: string;
  readonly value: readonly { readonly name: string; readonly number?: number }[];
}

export interface MessageDescriptor {
  readonly name: string;
  readonly field: readonly FieldDescriptor[];
  readonly nestedType: readonly MessageDescriptor[];
  readonly enumType: readonly EnumDescriptor[];
  readonly oneofDecl: readonly { readonly name: string }[];
  readonly options?: { readonly mapEntry?: boolean };
}

export interface ServiceDescriptor {
  readonly name: string;
  readonly method: readonly {
    readonly name: string;
    readonly inputType: string;
    readonly outputType: string;
    readonly clientStreaming?: boolean;
    readonly serverStreaming?: boolean;
  }[];
}

export interface FileDescriptor {
  readonly name: string;
  readonly package: string;
  readonly dependency: readonly string[];
  readonly messageType: readonly MessageDescriptor[];
  readonly enumType: readonly EnumDescriptor[];
  readonly service: readonly ServiceDescriptor[];
  readonly syntax: 'proto3';
}

/** As protobufjs gives them: what is empty is left out. */
type Sloppy<T> = {
  readonly [K in keyof T]?: T[K] extends readonly (infer E)[] ? readonly Sloppy<E>[] : T[K];
};
type SloppyMessage = Sloppy<MessageDescriptor>;

/** The standard messages that ours use, by the files in which every client has them. */
const STANDARD: Readonly<Record<string, readonly string[]>> = {
  'google/protobuf/any.proto': ['Any'],
  'google/protobuf/duration.proto': ['Duration'],
  'google/protobuf/struct.proto': ['Struct', 'Value', 'NullValue', 'ListValue'],
  'google/protobuf/timestamp.proto': ['Timestamp'],
};

/** The files of all packages that are served, each with what it needs named in `dependency`. */
export function fileDescriptors(): readonly FileDescriptor[] {
  const protos = loadProtos(false);
  const codec = fileCodec(protos);
  const known = new Set(Object.keys(protos).map((name) => `.${name}`));
  const [first] = Object.values(protos).flatMap((one) => ('fileDescriptorProtos' in one ? [one] : []));
  const buffers = (first as { fileDescriptorProtos: readonly Buffer[] }).fileDescriptorProtos;
  const packages = buffers.map((bytes) => codec.deserialize(bytes) as Sloppy<FileDescriptor>);
  const files = packages.flatMap((one) => split(one, known));
  const home = new Map(
    files.flatMap((file) => symbolsOf(file).map((symbol) => [`.${symbol}`, file.name] as const)),
  );
  return files.map((file) => ({ ...file, dependency: dependenciesOf(file, home) }));
}

/** A descriptor as bytes. */
export function describeFile(file: FileDescriptor, protos: PackageDefinition): Buffer {
  return fileCodec(protos).serialize(file);
}

/** The full names of all that a file defines, methods too. */
export function symbolsOf(file: FileDescriptor): readonly string[] {
  const within = (scope: string, message: MessageDescriptor): readonly string[] => {
    const name = `${scope}.${message.name}`;
    return [
      name,
      ...message.nestedType.flatMap((nested) => within(name, nested)),
      ...message.enumType.map((nested) => `${name}.${nested.name}`),
      ...message.field.map((field) => `${name}.${field.name}`),
    ];
  };
  return [
    ...file.messageType.flatMap((message) => within(file.package, message)),
    ...file.enumType.map(({ name }) => `${file.package}.${name}`),
    ...file.service.flatMap(({ name, method }) => [
      `${file.package}.${name}`,
      ...method.map((one) => `${file.package}.${name}.${one.name}`),
    ]),
  ];
}

function fileCodec(protos: PackageDefinition): MessageTypeDefinition<object, object> {
  return protos['google.protobuf.FileDescriptorProto'] as MessageTypeDefinition<object, object>;
}

/** One package is one file, but for the standard ones. */
function split(sloppy: Sloppy<FileDescriptor>, known: ReadonlySet<string>): readonly FileDescriptor[] {
  const { package: name = '', messageType = [], enumType = [], service = [] } = sloppy;
  const whole: FileDescriptor = {
    name: `${name.replaceAll('.', '/')}.proto`,
    package: name,
    dependency: [],
    messageType: messageType.map((one) => mendMessage(one, `.${name}`, known)),
    enumType: enumType as readonly EnumDescriptor[],
    service: service as readonly ServiceDescriptor[],
    syntax: 'proto3',
  };
  if (name !== 'google.protobuf') return [whole];
  return Object.entries(STANDARD).map(([file, members]) => ({
    ...whole,
    name: file,
    messageType: whole.messageType.filter((one) => members.includes(one.name)),
    enumType: whole.enumType.filter((one) => members.includes(one.name)),
  }));
}

function mendMessage(sloppy: SloppyMessage, scope: string, known: ReadonlySet<string>): MessageDescriptor {
  const { name = '', field = [], nestedType = [], enumType = [], oneofDecl = [], options } = sloppy;
  const full = `${scope}.${name}`;
  const entries = new Set(nestedType.filter((one) => one.options?.mapEntry).map((one) => one.name));
  const nested = new Set([...nestedType, ...enumType].map((one) => one.name));
  return {
    name,
    field: field.map((one) => {
      const { name: own = '', type = '', typeName, oneofIndex } = one;
      const isOptional = oneofIndex !== undefined && oneofDecl[oneofIndex]?.name === `_${own}`;
      return {
        name: own,
        number: one.number ?? 0,
        label: one.label ?? 'LABEL_OPTIONAL',
        type,
        jsonName: camel(own),
        ...(oneofIndex === undefined ? {} : { oneofIndex }),
        ...(isOptional ? { proto3Optional: true } : {}),
        ...(typeName === undefined
          ? {}
          : {
              typeName: entries.has(typeName)
                ? `${full}.${typeName}Entry`
                : qualify(typeName, full, nested, known),
            }),
      };
    }),
    nestedType: nestedType.map((one) => {
      const mended = mendMessage(one, one.options?.mapEntry ? scope : full, known);
      return one.options?.mapEntry ? { ...mended, name: `${mended.name}Entry` } : mended;
    }),
    enumType: enumType as readonly EnumDescriptor[],
    oneofDecl: oneofDecl as MessageDescriptor['oneofDecl'],
    ...(options?.mapEntry ? { options: { mapEntry: true } } : {}),
  };
}

/** The full name of what a name means inside a message: from the innermost scope outwards. */
function qualify(
  name: string,
  scope: string,
  nested: ReadonlySet<string | undefined>,
  known: ReadonlySet<string>,
): string {
  if (name.startsWith('.')) return name;
  if (nested.has(name)) return `${scope}.${name}`;
  for (let at = scope; at !== ''; at = at.slice(0, at.lastIndexOf('.'))) {
    if (known.has(`${at}.${name}`)) return `${at}.${name}`;
  }
  return `.${name}`;
}

function dependenciesOf(file: FileDescriptor, home: ReadonlyMap<string, string>): readonly string[] {
  const used = (message: MessageDescriptor): readonly string[] => [
    ...message.field.flatMap(({ typeName }) => typeName ?? []),
    ...message.nestedType.flatMap(used),
  ];
  const names = [
    ...file.messageType.flatMap(used),
    ...file.service.flatMap(({ method }) => method.flatMap((one) => [one.inputType, one.outputType])),
  ];
  const files = names.flatMap((name) => home.get(name) ?? []);
  return [...new Set(files)].filter((name) => name !== file.name).toSorted();
}

function camel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_whole, sign: string) => sign.toUpperCase());
}
