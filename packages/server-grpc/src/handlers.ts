import type { Call } from './call.ts';
import type { Method, Services } from './messages.ts';

/** What answers a method: one message, or as many as come. */
type Handler<M> =
  M extends Method<'one-one', infer Question, infer Answer>
    ? (question: Question, call: Call) => Answer | Promise<Answer>
    : M extends Method<'one-streamed', infer Question, infer Answer>
      ? (question: Question, call: Call) => AsyncIterable<Answer>
      : M extends Method<'streamed-streamed', infer Question, infer Answer>
        ? (questions: AsyncIterable<Question>, call: Call) => AsyncIterable<Answer>
        : never;

/** All methods of a service, by their names. */
export type Handlers<S extends keyof Services> = {
  readonly [M in keyof Services[S]]: Handler<Services[S][M]>;
};

/** Every service with all of its methods. */
export type AllHandlers = { readonly [S in keyof Services]: Handlers<S> };
