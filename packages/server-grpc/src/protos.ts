import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { PROTO_FOLDER } from '@hsu-master/contract';

/** What a server says; files that these import come with them. */
const FILES = [
  'hsu/v1/workers.proto',
  'hsu/v1/orders.proto',
  'hsu/v1/master.proto',
  'hsu/v1/config.proto',
  'hsu/v1/events.proto',
  'hsu/v1/logs.proto',
  'hsu/v1/exec.proto',
  'hsu/v1/tokens.proto',
  'proto/core_service.proto',
  'proto/master_service.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto',
  'google/rpc/status.proto',
  'google/rpc/error_details.proto',
];

/** All messages and services, read from the proto files. `complete`: what is not on the wire has its default. */
export function loadProtos(complete = true): PackageDefinition {
  return loadSync(FILES, {
    includeDirs: [PROTO_FOLDER],
    longs: Number,
    enums: String,
    defaults: complete,
    arrays: complete,
    objects: complete,
  });
}
