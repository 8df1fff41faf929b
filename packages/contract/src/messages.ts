import { encode, Message } from './wire.ts';

/** ServingStatus of grpc.health.v1, by its numbers. */
export const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
export type ServingStatus = (typeof SERVING_STATUS)[number];

export interface HealthCheckRequest {
  readonly service: string;
}
export interface HealthCheckResponse {
  readonly status: ServingStatus;
}

/** What a master says to a unit. */
export type Order =
  | { readonly kind: 'greeting'; readonly worker: string; readonly run: number }
  | { readonly kind: 'stop'; readonly graceMs: number }
  /** Of a newer master; not to be acted on. */
  | { readonly kind: 'unknown' };

/** What a unit says to its master. */
export type Report =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'status'; readonly serving: boolean; readonly text: string }
  | { readonly kind: 'unknown' };

/** How one message becomes bytes, and back. Reading throws for bytes that are no message. */
export interface Codec<T> {
  write(value: T): Buffer;
  read(bytes: Buffer): T;
}

export const empty: Codec<object> = {
  write: () => Buffer.alloc(0),
  read: () => ({}),
};

export const healthCheckRequest: Codec<HealthCheckRequest> = {
  write: ({ service }) => encode([[1, service]]),
  read: (bytes) => ({ service: new Message(bytes).text(1) }),
};

export const healthCheckResponse: Codec<HealthCheckResponse> = {
  write: ({ status }) => encode([[1, SERVING_STATUS.indexOf(status)]]),
  read: (bytes) => ({ status: SERVING_STATUS[new Message(bytes).number(1)] ?? 'UNKNOWN' }),
};

export const order: Codec<Order> = {
  write(value) {
    if (value.kind === 'greeting') {
      return encode([
        [
          1,
          encode([
            [1, value.worker],
            [2, value.run],
          ]),
        ],
      ]);
    }
    return value.kind === 'stop' ? encode([[2, encode([[1, value.graceMs]])]]) : Buffer.alloc(0);
  },
  read(bytes) {
    const message = new Message(bytes);
    const greeting = message.message(1);
    if (greeting !== null) return { kind: 'greeting', worker: greeting.text(1), run: greeting.number(2) };
    const stop = message.message(2);
    return stop === null ? { kind: 'unknown' } : { kind: 'stop', graceMs: stop.number(1) };
  },
};

export const report: Codec<Report> = {
  write(value) {
    if (value.kind === 'accepted') return encode([[1, Buffer.alloc(0)]]);
    if (value.kind === 'unknown') return Buffer.alloc(0);
    return encode([
      [
        2,
        encode([
          [1, value.serving],
          [2, value.text],
        ]),
      ],
    ]);
  },
  read(bytes) {
    const message = new Message(bytes);
    const status = message.message(2);
    if (status !== null) return { kind: 'status', serving: status.number(1) !== 0, text: status.text(2) };
    return { kind: message.message(1) === null ? 'unknown' : 'accepted' };
  },
};
