import { createRequire } from 'node:module';

// The client of others: @grpc/grpc-js over the proto files alone. Both come with the server, on which the launcher depends.

interface Raw {
  makeUnaryRequest(...given: readonly unknown[]): void;
  makeServerStreamRequest(...given: readonly unknown[]): Call;
  makeBidiStreamRequest(...given: readonly unknown[]): Call & { write(message: object): void; end(): void };
  close(): void;
}

interface Call {
  on(event: 'data', listener: (message: Message) => void): this;
  on(event: 'error', listener: (error: GrpcError) => void): this;
  on(event: 'end', listener: () => void): this;
  cancel(): void;
}

/** What is in it the proto files say, not the compiler. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Message = Readonly<Record<string, any>>;

export interface GrpcError extends Error {
  readonly code: number;
  readonly details: string;
  readonly metadata: { get(name: string): readonly unknown[] };
}

const ofServer = createRequire(createRequire(import.meta.url).resolve('@hsu-master/server-grpc'));
const { Client, credentials, Metadata } = ofServer('@grpc/grpc-js');
const { loadSync } = ofServer('@grpc/proto-loader');
const { PROTO_FOLDER } = ofServer('@hsu-master/contract');
const FILES = ['workers', 'orders', 'master', 'config', 'events', 'logs', 'exec', 'tokens'].map(
  (name) => `hsu/v1/${name}.proto`,
);
const protos = loadSync([...FILES, 'proto/core_service.proto', 'proto/master_service.proto'], {
  includeDirs: [PROTO_FOLDER],
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
});

/** The paths of all methods that these files describe. */
export const METHODS: readonly string[] = Object.values(protos as Record<string, object>).flatMap((service) =>
  Object.values(service).flatMap(({ path }: { readonly path?: string }) => path ?? []),
);

export interface GrpcOptions {
  readonly token?: string | null;
  /** Certificate of the authority; without it nothing is encrypted. */
  readonly ca?: Buffer;
}

/** Asks a master as a program of others would. */
export class GrpcClient {
  readonly #client: Raw;
  readonly #metadata = new Metadata();

  constructor(address: string, { token = null, ca }: GrpcOptions = {}) {
    this.#client = new Client(
      address,
      ca === undefined ? credentials.createInsecure() : credentials.createSsl(ca),
    );
    if (token !== null) this.#metadata.set('authorization', `Bearer ${token}`);
  }

  ask(service: string, method: string, question: object = {}, deadline = 60_000): Promise<Message> {
    const { path, requestSerialize, responseDeserialize } = protos[service][method];
    const options = { deadline: Date.now() + deadline };
    return new Promise((resolve, reject) => {
      const answered = (error: GrpcError | null, answer: Message): void => {
        if (error === null) resolve(answer);
        else reject(error);
      };
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        question,
        this.#metadata,
        options,
        answered,
      );
    });
  }

  stream(service: string, method: string, question: object = {}): Call {
    const { path, requestSerialize, responseDeserialize } = protos[service][method];
    return this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      question,
      this.#metadata,
    );
  }

  /** What a call of both directions was told, after all that it says. */
  converse(service: string, method: string, said: readonly object[]): Promise<readonly Message[]> {
    const { path, requestSerialize, responseDeserialize } = protos[service][method];
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      this.#metadata,
    );
    const told: Message[] = [];
    for (const one of said) call.write(one);
    call.end();
    return new Promise((resolve, reject) => {
      call.on('data', (message) => told.push(message));
      call.on('error', reject).on('end', () => resolve(told));
    });
  }

  close(): void {
    this.#client.close();
  }
}
