export { PROTO_FOLDER } from './folder.ts';
export {
  type HealthCheckRequest,
  type HealthCheckResponse,
  type Order,
  type Report,
  SERVING_STATUS,
  type ServingStatus,
} from './messages.ts';
export { controlService, coreService, healthService, type Method } from './services.ts';
