import {
  type Codec,
  empty,
  type HealthCheckRequest,
  type HealthCheckResponse,
  healthCheckRequest,
  healthCheckResponse,
  type Order,
  order,
  type Report,
  report,
} from './messages.ts';

/** One method, in the shape that @grpc/grpc-js takes. */
export interface Method<Q, A> {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  requestSerialize(value: Q): Buffer;
  requestDeserialize(bytes: Buffer): Q;
  responseSerialize(value: A): Buffer;
  responseDeserialize(bytes: Buffer): A;
}

function method<Q, A>(
  path: string,
  question: Codec<Q>,
  answer: Codec<A>,
  { requestStream = false, responseStream = false } = {},
): Method<Q, A> {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: (value) => question.write(value),
    requestDeserialize: (bytes) => question.read(bytes),
    responseSerialize: (value) => answer.write(value),
    responseDeserialize: (bytes) => answer.read(bytes),
  };
}

/** proto.CoreService, as the original has it. */
export const coreService = {
  Ping: method('/proto.CoreService/Ping', empty, empty),
};

/** grpc.health.v1.Health. */
export const healthService = {
  Check: method<HealthCheckRequest, HealthCheckResponse>(
    '/grpc.health.v1.Health/Check',
    healthCheckRequest,
    healthCheckResponse,
  ),
  Watch: method<HealthCheckRequest, HealthCheckResponse>(
    '/grpc.health.v1.Health/Watch',
    healthCheckRequest,
    healthCheckResponse,
    { responseStream: true },
  ),
};

/** hsu.unit.v1.UnitControl. */
export const controlService = {
  Control: method<Order, Report>('/hsu.unit.v1.UnitControl/Control', order, report, {
    requestStream: true,
    responseStream: true,
  }),
};
