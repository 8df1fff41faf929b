import type { z } from 'zod';
import type * as events from './event.ts';
import type * as logs from './log.ts';
import type * as masters from './master.ts';
import type * as problems from './problem.ts';
import type * as workers from './worker.ts';

// What goes over the wire, as types: made from the schemas, so that the two cannot differ.
export type Worker = z.output<typeof workers.worker>;
export type WorkerDetail = z.output<typeof workers.workerDetail>;
export type WorkerList = z.output<typeof workers.workerList>;
export type Process = z.output<typeof workers.process>;
export type GraphNode = z.output<typeof workers.graphNode>;
export type LimitReport = z.output<typeof workers.limitReport>;
export type Ticket = z.output<typeof workers.ticket>;
export type Explanation = z.output<typeof workers.explanation>;
export type Waited = z.output<typeof workers.waited>;
export type Version = z.output<typeof masters.version>;
export type Health = z.output<typeof masters.health>;
export type Capability = z.output<typeof masters.capability>;
export type Validation = z.output<typeof masters.validation>;
export type Ending = z.output<typeof masters.ending>;
export type Event = z.output<typeof events.event>;
export type EventPage = z.output<typeof events.eventPage>;
export type LogLine = z.output<typeof logs.line>;
export type LogLines = z.output<typeof logs.lines>;
export type LogPage = z.output<typeof logs.page>;
export type Problem = z.output<typeof problems.problem>;
