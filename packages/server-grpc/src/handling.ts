import type { Readable } from 'node:stream';
import type {
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { type ErrorCode, HsuError, type Right } from '@hsu-master/core';
import type { Asks } from './asks.ts';
import { type AnyCall, Call, type Surroundings } from './call.ts';
import type { Refuse } from './status.ts';
import { type Patience, Writer } from './writer.ts';

/** What every method is handled with. */
export interface Handling extends Surroundings {
  readonly refuse: Refuse;
  readonly patience: Patience;
  /** Ends the connection of a call. */
  drop(call: AnyCall): void;
}

/** A method of the proto files, and what answers it; those that are open let everybody in, as far as they themselves do. */
export interface Bound {
  readonly method: MethodDefinition<object, object>;
  readonly handler: (question: never, call: Call) => unknown;
  readonly isOpen: boolean;
  readonly asks: Asks;
}

type Streaming = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** What @grpc/grpc-js calls for a method. Messages come and go as bytes, so that what is wrong with them is answered by us. */
export function handle(bound: Bound, handling: Handling): UntypedServiceImplementation[string] {
  const { requestStream, responseStream } = bound.method;
  if (requestStream)
    return (call: ServerDuplexStream<Buffer, Buffer>) => void converse(call, bound, handling);
  if (responseStream)
    return (call: ServerWritableStream<Buffer, Buffer>) => void stream(call, bound, handling);
  return (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
    void unary(call, answer, bound, handling);
  };
}

async function unary(
  given: ServerUnaryCall<Buffer, Buffer>,
  answer: sendUnaryData<Buffer>,
  { method, handler, isOpen, asks }: Bound,
  handling: Handling,
): Promise<void> {
  const call = new Call(given, handling);
  try {
    if (!isOpen) call.admit();
    const value = await handler(read(method, given.request) as never, call);
    answer(null, method.responseSerialize(value as object));
  } catch (error) {
    answer(handling.refuse(toldOf(error, call, asks)));
  } finally {
    call.end();
  }
}

async function stream(
  given: ServerWritableStream<Buffer, Buffer>,
  { method, handler, isOpen, asks }: Bound,
  handling: Handling,
): Promise<void> {
  const call = new Call(given, handling);
  const writer = new Writer(given, handling.patience, call.signal);
  try {
    if (!isOpen) call.admit();
    const answers = handler(read(method, given.request) as never, call) as AsyncIterable<object>;
    for await (const value of answers) {
      await writer.send(method.responseSerialize(value));
      if (call.signal.aborted) break;
    }
    if (call.broken !== null) throw call.broken;
    given.end();
  } catch (error) {
    fail(given, toldOf(error, call, asks), handling);
  } finally {
    call.end();
  }
}

async function converse(
  given: ServerDuplexStream<Buffer, Buffer>,
  { method, handler, isOpen, asks }: Bound,
  handling: Handling,
): Promise<void> {
  const call = new Call(given, handling);
  const writer = new Writer(given, handling.patience, call.signal);
  // Who waits for a question is told that none comes any more.
  call.signal.addEventListener('abort', () => void given.push(null), { once: true });
  try {
    if (!isOpen) call.admit();
    const answers = handler(questions(given, method) as never, call) as AsyncIterable<object>;
    for await (const value of answers) {
      await writer.send(method.responseSerialize(value));
      if (call.signal.aborted) break;
    }
    if (call.broken !== null) throw call.broken;
    given.end();
  } catch (error) {
    fail(given, toldOf(error, call, asks), handling);
  } finally {
    call.end();
  }
}

async function* questions(
  given: ServerDuplexStream<Buffer, Buffer>,
  method: MethodDefinition<object, object>,
): AsyncGenerator<object, void, void> {
  // Its other half is needed for the answer.
  const incoming = (given as unknown as Readable).iterator({ destroyOnReturn: false });
  for await (const bytes of incoming) yield read(method, bytes as Buffer);
}

/** What is wrong with a question, of which nothing was done yet. */
const WRONG: ReadonlySet<ErrorCode> = new Set(['E_REQUEST', 'E_UNKNOWN_WORKER', 'E_UNKNOWN_TICKET']);

/** What is told of an error: whoever has not the right to ask hears that first, whatever is wrong with his question, and it is written down. */
function toldOf(error: unknown, call: Call, asks: Asks): unknown {
  // Nobody waits for it any more, or is to: that is what ended it.
  if (call.signal.aborted && error === call.signal.reason)
    return call.broken ?? new HsuError('E_TIMEOUT', 'whoever asked has gone');
  const isAbout = asks !== 'nothing' && asks !== 'a token' && !asks.startsWith('each ');
  if (!isAbout || !(error instanceof HsuError) || !WRONG.has(error.code)) return error;
  try {
    call.demandSome(asks as Right);
    return error;
  } catch (refusal) {
    return refusal;
  }
}

function fail(given: Streaming, error: unknown, handling: Handling): void {
  if (given.cancelled || given.destroyed) return;
  given.emit('error', handling.refuse(error));
  if (!(error instanceof HsuError) || error.code !== 'E_TOO_MANY') return;
  // The notice comes behind what is not read: who never does is held no longer.
  const timer = setTimeout(() => handling.drop(given), handling.patience.notice);
  given.once('cancelled', () => clearTimeout(timer));
}

/** @throws HsuError E_REQUEST for bytes that are not the message */
function read({ requestDeserialize }: MethodDefinition<object, object>, bytes: Buffer): object {
  try {
    return requestDeserialize(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HsuError('E_REQUEST', `the message cannot be read: ${reason}`);
  }
}
