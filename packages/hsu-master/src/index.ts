export { type ErrorCode, HsuError, type HsuEvent, type TicketOutcome } from '@hsu-master/core';
export type { ContainmentMode } from './containment.ts';
export { createMaster, type Master, type MasterOptions } from './create-master.ts';
export type { EndResult } from './wire.ts';
