export type {
  AuditEntry,
  Capability,
  Ending,
  Environment,
  Event,
  EventPage,
  Explanation,
  GraphNode,
  Health,
  LimitReport,
  LogLine,
  LogPage,
  Problem,
  Process,
  Ticket,
  Validation,
  Version,
  Waited,
  Worker,
  WorkerDetail,
  WorkerList,
} from '../contract/index.ts';
export { type SocketAddress, socketAddress } from './address.ts';
export { ApiError } from './api-error.ts';
export {
  Client,
  type Condition,
  type LostEvents,
  type LostLines,
  type PlainOrder,
  type Sought,
  type Which,
  type WhichEvents,
  type WhichLines,
} from './client.ts';
export type { Place } from './transport.ts';
