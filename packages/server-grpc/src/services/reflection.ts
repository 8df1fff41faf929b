import { status } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { describeFile, type FileDescriptor, fileDescriptors, symbolsOf } from '../descriptors.ts';
import type { Handlers } from '../handlers.ts';
import type { ServerReflectionRequest, ServerReflectionResponse } from '../messages.ts';

type Answer = Pick<
  ServerReflectionResponse,
  'fileDescriptorResponse' | 'allExtensionNumbersResponse' | 'listServicesResponse' | 'errorResponse'
>;

/** Tells clients that have no proto files what is served. Descriptors are made when somebody asks for them. */
export function reflectionService(
  protos: PackageDefinition,
  services: readonly string[],
): Handlers<'grpc.reflection.v1.ServerReflection'> {
  let index: Index | null = null;
  return {
    async *ServerReflectionInfo(questions, call) {
      for await (const question of questions) {
        call.admit();
        index ??= indexOf(protos);
        yield { validHost: question.host, originalRequest: question, ...answer(question, index, services) };
      }
    },
  };
}

interface Index {
  readonly byName: ReadonlyMap<string, FileDescriptor>;
  readonly bySymbol: ReadonlyMap<string, FileDescriptor>;
  bytesOf(file: FileDescriptor): Buffer;
}

function indexOf(protos: PackageDefinition): Index {
  const files = fileDescriptors();
  const made = new Map<FileDescriptor, Buffer>();
  return {
    byName: new Map(files.map((file) => [file.name, file])),
    bySymbol: new Map(files.flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file] as const))),
    bytesOf(file) {
      const known = made.get(file) ?? describeFile(file, protos);
      made.set(file, known);
      return known;
    },
  };
}

function answer(question: ServerReflectionRequest, index: Index, services: readonly string[]): Answer {
  const { listServices, fileByFilename, fileContainingSymbol, allExtensionNumbersOfType } = question;
  if (typeof listServices === 'string')
    return { listServicesResponse: { service: services.map((name) => ({ name })) } };
  if (typeof fileByFilename === 'string')
    return filesOf(index.byName.get(fileByFilename), index, fileByFilename);
  if (typeof fileContainingSymbol === 'string')
    return filesOf(index.bySymbol.get(fileContainingSymbol), index, fileContainingSymbol);
  if (typeof allExtensionNumbersOfType === 'string' && index.bySymbol.has(allExtensionNumbersOfType))
    return { allExtensionNumbersResponse: { baseTypeName: allExtensionNumbersOfType, extensionNumber: [] } };
  return notFound(allExtensionNumbersOfType ?? 'an extension');
}

/** A file and all that it needs, itself first. */
function filesOf(file: FileDescriptor | undefined, index: Index, name: string): Answer {
  if (file === undefined) return notFound(name);
  const needed = new Set([file]);
  for (const one of needed) {
    for (const other of one.dependency) {
      const found = index.byName.get(other);
      if (found !== undefined) needed.add(found);
    }
  }
  return { fileDescriptorResponse: { fileDescriptorProto: [...needed].map((one) => index.bytesOf(one)) } };
}

function notFound(name: string): Answer {
  return { errorResponse: { errorCode: status.NOT_FOUND, errorMessage: `not found: ${name.slice(0, 200)}` } };
}
