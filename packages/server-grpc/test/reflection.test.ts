import {
  Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, type MessageTypeDefinition } from '@grpc/proto-loader';
import { describe, expect } from 'vitest';
import { type FileDescriptor, type MessageDescriptor, symbolsOf } from '../src/descriptors.ts';
import type { ServerReflectionRequest, ServerReflectionResponse } from '../src/messages.ts';
import { loadProtos } from '../src/protos.ts';
import { it } from './rig.ts';

const protos = loadProtos();

/** Asks in one stream, as grpcurl does. */
async function reflect(
  address: string,
  version: 'v1' | 'v1alpha',
  questions: readonly Partial<ServerReflectionRequest>[],
  token = 'all',
): Promise<readonly ServerReflectionResponse[]> {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const request = protos[`grpc.reflection.${version}.ServerReflectionRequest`] as MessageTypeDefinition<
    object,
    object
  >;
  const response = protos[`grpc.reflection.${version}.ServerReflectionResponse`] as typeof request;
  const call = client.makeBidiStreamRequest(
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    request.serialize,
    response.deserialize,
    metadata,
  );
  for (const question of questions) call.write(question);
  call.end();
  const answers: ServerReflectionResponse[] = [];
  try {
    for await (const answer of call) answers.push(answer as ServerReflectionResponse);
  } finally {
    client.close();
  }
  return answers;
}

/** A FileDescriptorSet is its files, each as field 1. */
function descriptorSet(files: readonly Uint8Array[]): Buffer {
  const parts = files.flatMap((file) => {
    const length: number[] = [];
    let left = file.length;
    for (; left >= 0x80; left >>>= 7) length.push((left & 0x7f) | 0x80);
    return [Buffer.from([0x0a, ...length, left]), Buffer.from(file)];
  });
  return Buffer.concat(parts);
}

describe('reflection', () => {
  it.for(['v1', 'v1alpha'] as const)(
    '%s: a client with nothing else lists the services and calls one',
    async (version, { served }) => {
      const [list] = await reflect(served.address, version, [{ listServices: '*' }]);
      const names = list?.listServicesResponse?.service.map(({ name }) => name);
      expect(names).toEqual(
        expect.arrayContaining(['hsu.v1.WorkerService', 'proto.MasterService', 'grpc.health.v1.Health']),
      );
      const questions = (names ?? []).map((name) => ({ fileContainingSymbol: name }));
      const answers = await reflect(served.address, version, questions);
      expect(answers).toHaveLength(names?.length ?? 0);

      const [files] = answers.map((answer) => answer.fileDescriptorResponse?.fileDescriptorProto ?? []);
      const loaded = loadFileDescriptorSetFromBuffer(descriptorSet(files ?? []), {
        keepCase: true,
        enums: String,
      });
      const made = loadPackageDefinition(loaded) as unknown as {
        hsu: { v1: Record<string, ServiceClientConstructor> };
      };
      const Service = made.hsu.v1['WorkerService'] as ServiceClientConstructor;
      const client = new Service(served.address, credentials.createInsecure());
      const metadata = new Metadata();
      metadata.set('authorization', 'Bearer all');
      const told = await new Promise((resolve, reject) => {
        const answered = (error: Error | null, value: unknown) =>
          error === null ? resolve(value) : reject(error);
        client['ListWorkers']?.({ select: ['web'], usage: true }, metadata, answered);
      });
      expect(told).toMatchObject({
        master: 'abcd0123',
        workers: [{ id: 'web', phase: 'PHASE_RUNNING' }],
      });
      client.close();
    },
  );

  it('tells descriptors in which every name leads somewhere', async ({ served }) => {
    const [list] = await reflect(served.address, 'v1', [{ listServices: '' }]);
    const names = list?.listServicesResponse?.service.map(({ name }) => name) ?? [];
    const answers = await reflect(
      served.address,
      'v1',
      names.map((name) => ({ fileContainingSymbol: name })),
    );
    const codec = protos['google.protobuf.FileDescriptorProto'] as MessageTypeDefinition<object, object>;
    const files = new Map<string, FileDescriptor>();
    for (const { fileDescriptorResponse } of answers) {
      for (const bytes of fileDescriptorResponse?.fileDescriptorProto ?? []) {
        const file = codec.deserialize(Buffer.from(bytes)) as FileDescriptor;
        files.set(file.name, file);
      }
    }
    expect([...files.keys()].toSorted()).toEqual([
      'google/protobuf/duration.proto',
      'google/protobuf/struct.proto',
      'google/protobuf/timestamp.proto',
      'grpc/health/v1.proto',
      'grpc/reflection/v1.proto',
      'grpc/reflection/v1alpha.proto',
      'hsu/v1.proto',
      'proto.proto',
    ]);
    for (const file of files.values()) {
      expect(file.syntax).toBe('proto3');
      const seen = [file, ...file.dependency.map((name) => files.get(name) as FileDescriptor)];
      const known = new Set(seen.flatMap((one) => symbolsOf(one)).map((symbol) => `.${symbol}`));
      const check = (message: MessageDescriptor): void => {
        for (const { typeName, name, jsonName, proto3Optional, oneofIndex } of message.field) {
          if (typeName) expect(known).toContain(typeName);
          expect(jsonName).toBe(name.replaceAll(/_(.)/g, (_whole, sign: string) => sign.toUpperCase()));
          if (proto3Optional) expect(message.oneofDecl[oneofIndex ?? -1]?.name).toBe(`_${name}`);
        }
        for (const nested of message.nestedType) check(nested);
      };
      for (const message of file.messageType) check(message);
    }
    const health = files
      .get('grpc/health/v1.proto')
      ?.messageType.find(({ name }) => name === 'HealthListResponse');
    expect(health?.field[0]?.typeName).toBe('.grpc.health.v1.HealthListResponse.StatusesEntry');
    expect(health?.nestedType[0]).toMatchObject({ name: 'StatusesEntry', options: { mapEntry: true } });
  });

  it('finds files by name, methods and messages, and says what it does not find', async ({ served }) => {
    const answers = await reflect(served.address, 'v1', [
      { fileByFilename: 'hsu/v1.proto' },
      { fileContainingSymbol: 'hsu.v1.Worker' },
      { fileContainingSymbol: 'hsu.v1.OrderService.Stop' },
      { allExtensionNumbersOfType: 'hsu.v1.Worker' },
      { fileByFilename: 'nothing.proto' },
      { fileContainingSymbol: '__proto__' },
      { fileContainingExtension: { containingType: 'hsu.v1.Worker', extensionNumber: 1 } },
      {},
    ]);
    const [byName, ...others] = answers.map(({ fileDescriptorResponse }) => fileDescriptorResponse);
    expect(byName?.fileDescriptorProto.length).toBe(4);
    expect(others.slice(0, 2)).toEqual([byName, byName]);
    expect(answers[3]?.allExtensionNumbersResponse).toEqual({
      baseTypeName: 'hsu.v1.Worker',
      extensionNumber: [],
    });
    for (const { errorResponse } of answers.slice(4)) expect(errorResponse?.errorCode).toBe(5);
    expect(answers[1]?.originalRequest).toMatchObject({ fileContainingSymbol: 'hsu.v1.Worker' });
  });

  it('answers nobody without a token', async ({ served }) => {
    const asked = reflect(served.address, 'v1', [{ listServices: '' }], 'guessed');
    await expect(asked).rejects.toMatchObject({ code: 16 });
  });
});
