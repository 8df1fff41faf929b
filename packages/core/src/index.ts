export { ERRORS, type ErrorCode, type ErrorMeaning, type Failure, HsuError } from './errors.ts';
export {
  EVENT_MEANINGS,
  type EventDraft,
  type EventMap,
  type EventType,
  type HsuEvent,
  type StopCause,
} from './events/catalogue.ts';
export { type Delivery, EventStream } from './events/stream.ts';
export type { Waiting } from './graph/waiting.ts';
export { judge, noVerdict, type Thresholds, type VerdictState } from './health/verdict.ts';
export type {
  Capability,
  Clock,
  ExecOutcome,
  ExecRequest,
  HookFact,
  Host,
  HostRun,
  Journal,
  OutputCollector,
  OutputStream,
  RunContext,
  RunHook,
  RunOutput,
  RunReport,
  SpawnRequest,
} from './ports.ts';
export type { RestartCause, RestartMode, RestartPolicy, RestartRule } from './restart/policy.ts';
export {
  type Bytes,
  formatDuration,
  formatSize,
  type Milliseconds,
  type MonotonicTime,
  parseDuration,
  parseSize,
  type WallTime,
} from './units.ts';
export { describeExit, type Exit, type ExitUsage, isSuccess, type ProcessIdentity } from './worker/exit.ts';
export {
  type Check,
  type Command,
  type Dependency,
  type DependencyCondition,
  hasReadiness,
  type LogSpec,
  type MainProcessSpec,
  type Probe,
  type Probes,
  type SignalName,
  type StopSpec,
  type WorkerId,
  type WorkerSpec,
} from './worker/spec.ts';
