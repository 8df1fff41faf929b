export {
  type Authorize,
  type Credentials,
  demand,
  forbidden,
  type Gate,
  type Identity,
  nameOf,
  ownerOnly,
  type Resource,
  RIGHTS,
  type Right,
} from './control/access.ts';
export { type Audit, type AuditEntry, type AuditQuery, type Deed, noAudit } from './control/audit.ts';
export { CONDITIONS, type Condition, meets } from './control/condition.ts';
export type {
  Accepted,
  BasedOn,
  ChangeOutcome,
  ConfigPlan,
  ConfigView,
  Planned,
  SettingChange,
} from './control/config.ts';
export type {
  Cancellation,
  Control,
  Ending,
  EventSource,
  ExecNews,
  ExecSession,
  LogLine,
  LogLoss,
  LogNews,
  LogPage,
  LogQuery,
  LogReader,
  LogSearch,
  Tokens,
  Validation,
  ValidationIssue,
} from './control/control.ts';
export { eventFilter, type WantedEvents } from './control/event-filter.ts';
export { eventsFrom, type LostEvents } from './control/events-from.ts';
export {
  type Explanation,
  explain,
  type Happening,
  isTelling,
  type Known,
  type NextStep,
} from './control/explain.ts';
export { type FleetHealth, fleetHealth } from './control/health.ts';
export {
  type Caller,
  type Order,
  type Ordered,
  type OrderKind,
  PLAIN_ORDERS,
  type Ticket,
} from './control/order.ts';
export { type Problem, problemOf, statusOf } from './control/problem.ts';
export {
  authorizeBy,
  type Grant,
  isGranted,
  ROLES,
  type Role,
  rightsOf,
  type TokenView,
  type TokenWish,
} from './control/roles.ts';
export { isSecretName, MASK, maskText, maskValue, maskWords } from './control/secrets.ts';
export {
  fitsGlob,
  fitsPattern,
  isGlob,
  nearest,
  type Selectable,
  type Selection,
  select,
  withoutNames,
} from './control/select.ts';
export { findWorker, type StateNews, statesFrom } from './control/states-from.ts';
export { until, within } from './control/until.ts';
export type {
  EndView,
  GivenEnvironment,
  MasterView,
  ProcessView,
  UsageView,
  WorkerDetail,
  WorkerView,
} from './control/view.ts';
export { describeStrategy, type Finding, type FoundProcess, type ProcessFinder } from './discovery/finder.ts';
export type {
  DiscoveryCheck,
  DiscoverySpec,
  PortProtocol,
  ServiceManager,
  Strategy,
  StrategyKind,
  UnmanagedControl,
  UnmanagedSpec,
} from './discovery/spec.ts';
export { ERRORS, type ErrorCode, type ErrorMeaning, type Failure, HsuError } from './errors.ts';
export {
  EVENT_MEANINGS,
  type EventDraft,
  type EventMap,
  type EventType,
  type HsuEvent,
  type StopCause,
} from './events/catalogue.ts';
export { EventStream } from './events/stream.ts';
export {
  actionFor,
  type ChangeAction,
  type Effective,
  isSame,
  masked,
  needsRestart,
  type PartChange,
  type Plan,
  planOf,
  type WorkerChange,
} from './graph/changes.ts';
export { dependents, findCycle, type GraphNode, startOrder } from './graph/order.ts';
export { type DependencyView, stoppable, waitingFor } from './graph/plan.ts';
export { describeWaiting, type Waiting } from './graph/waiting.ts';
export { judge, noVerdict, type Thresholds, type VerdictState } from './health/verdict.ts';
export { effectiveLimits, type LimitFactors } from './limits/adjust.ts';
export { formatBeside, formatLimit } from './limits/format.ts';
export { hit, measure } from './limits/measure.ts';
export {
  familyOf,
  isWatchedByNature,
  LIMIT_NAMES,
  LIMITS,
  type LimitFamily,
  type LimitMeaning,
  type LimitName,
  type LimitUnit,
} from './limits/names.ts';
export { isSilent, responseTo, responseToQuota } from './limits/response.ts';
export { THROTTLE_PERCENT, throttleShare } from './limits/share.ts';
export {
  type AlertSpec,
  type EscalationStep,
  isLoss,
  type LimitLoss,
  type LimitPolicy,
  type LimitReport,
  type LimitResponse,
  type LimitsSpec,
  type LimitValues,
  type Monitoring,
  type QuotaName,
  type QuotaSpec,
  type Scheduler,
} from './limits/spec.ts';
export type { Pressure, TreeUsage, UsageDetail } from './limits/usage.ts';
export {
  type ExcessState,
  followOn,
  judgeUsage,
  type LimitVerdict,
  type Look,
  noExcess,
} from './limits/violation.ts';
export { choosePort, type PortQuestion } from './listen/choose.ts';
export { HANDED_OVER, type ListenSpec, type PortRange, withPort } from './listen/spec.ts';
export type { LogAlertRule } from './logs/alert.ts';
export {
  LOG_FORMATS,
  type LogFileForm,
  type LogFilesSpec,
  type LogFormat,
  type LogOverflow,
  PLAIN_FILES,
} from './logs/files.ts';
export { LOG_LEVELS, type LogLevel, levelNamed, rankOf } from './logs/level.ts';
export {
  type CorrelationSpec,
  type EnricherSpec,
  type FilterSpec,
  type LogValue,
  type MetadataSpec,
  type MultilineSpec,
  type ParserSpec,
  type PipelineSpec,
  type RateLimitSpec,
  REDACTIONS,
  type Redaction,
  type RedactionSpec,
  type SamplingSpec,
  STACK_TRACES,
  type StackTrace,
} from './logs/pipeline.ts';
export { compilePattern, type Pattern, type PatternMatch, type PatternResult } from './pattern/pattern.ts';
export type { Clock } from './ports/clock.ts';
export type {
  CheckAnswer,
  ControlledUnit,
  ControlNews,
  ControlStream,
  GrpcPort,
  GrpcTarget,
} from './ports/grpc.ts';
export type { HookFact, RunContext, RunEnding, RunHook } from './ports/hook.ts';
export type {
  AccompanyRequest,
  AttachRequest,
  AttendRequest,
  Capability,
  ExecOutcome,
  ExecRequest,
  Host,
  HostBudget,
  HostRun,
  ListenAddress,
  MarkedTree,
  PortAnswer,
  RunReport,
  SpawnRequest,
} from './ports/host.ts';
export type { Journal, JournalRefusal, RunRecord } from './ports/journal.ts';
export type { OutputChannels, OutputCollector, OutputStream, RunOutput } from './ports/output.ts';
export { backoffDelay } from './restart/backoff.ts';
export { type Breaker, type FailureHistory, noFailures, restartsInWindow } from './restart/breaker.ts';
export { decideRestart, type RestartDecision, type RestartQuestion } from './restart/decide.ts';
export { type Judgement, judgementOf, memoOfJudgement } from './restart/judgement.ts';
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
export { waitingForProcess } from './worker/await-process.ts';
export { KILL_WAIT } from './worker/course.ts';
export { decide } from './worker/decide.ts';
export { digest, startDigest } from './worker/digest.ts';
export type { Effect, TicketOutcome } from './worker/effects.ts';
export {
  describeExit,
  type Exit,
  type ExitUsage,
  isSuccess,
  isUnknown,
  type ProcessIdentity,
} from './worker/exit.ts';
export { beginningOfMarks, type Mark, markOf, readMark } from './worker/mark.ts';
export { type MemoPhase, memoOf, type RunTrace, type WorkerMemo } from './worker/memo.ts';
export type {
  AppearedMessage,
  CommandMessage,
  DependencyMessage,
  FactMessage,
  LimitsMessage,
  Message,
  MessageKind,
  RecalledMessage,
  TimerName,
} from './worker/messages.ts';
export { processOf, type RecordedRun, reconcile } from './worker/reconcile.ts';
export {
  type Check,
  type Command,
  type Dependency,
  type DependencyCondition,
  type GrpcCall,
  type GrpcCheck,
  hasReadiness,
  type LogSpec,
  type MainProcessSpec,
  type Probe,
  type Probes,
  type ProcessFileSpec,
  type SignalName,
  type StopSpec,
  type WorkerId,
  type WorkerSpec,
} from './worker/spec.ts';
export {
  dependencyView,
  doing,
  isAtRest,
  isReady,
  newWorker,
  type PendingTicket,
  type Phase,
  type PhaseName,
  type RunEnd,
  type Worker,
} from './worker/state.ts';
export type { Circumstances, Decision } from './worker/turn.ts';
export { signalRefusal } from './worker/unmanaged.ts';
