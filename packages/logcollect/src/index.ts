export { AlertDelivery, type AlertSurroundings } from './alerts/deliver.ts';
export type { AlertRule, LogAlert } from './alerts/rule.ts';
export { AlertWatch } from './alerts/watch.ts';
export { type ChannelStore, type SystemdStoreOptions, systemdStore } from './capture/channel-store.ts';
export type { Compression } from './capture/compressor.ts';
export type { FileSettings } from './capture/file-settings.ts';
export {
  type PumpCollector,
  type PumpCollectorOptions,
  pumpCollector,
} from './capture/pump-collector.ts';
export { type ExternalLogsOptions, type FileCollectorOfOthers, withExternalLogs } from './external-logs.ts';
export type { Disk, FileFacts } from './file/disk.ts';
export { logFiles } from './file/rotation.ts';
export {
  type FileCollector,
  type FileCollectorOptions,
  fileCollector,
  type Hearing,
  type OutputListener,
  type RunListener,
  type Written,
} from './file-collector.ts';
export { type LogCounters, LogMetrics, type WorkerLogCounters } from './metrics.ts';
export {
  FORMATS,
  type Format,
  type FormatContext,
  type FormatSpec,
  type Formatter,
  formatter,
} from './pipeline/format.ts';
export {
  type LineNumbers,
  type LineSource,
  type LineSplitter,
  lineSplitter,
  MAX_LINE,
} from './pipeline/lines.ts';
export {
  createPipeline,
  type Pipeline,
  type PipelineContext,
  type StageCount,
} from './pipeline/pipeline.ts';
export type { LogRecord } from './record.ts';
export { type ConsoleOut, consoleOut } from './sinks/console.ts';
export type { TargetIssue } from './sinks/keys.ts';
export { type LeftSpill, leftSpills } from './sinks/left-spills.ts';
export type { SinkQueue } from './sinks/queue.ts';
export type { QueueCounters, QueueSpec, SinkNews } from './sinks/queue-spec.ts';
export { readTarget, type TargetPlace, type WrittenTarget } from './sinks/read-target.ts';
export { type SinkSurroundings, sinksFrom } from './sinks/sinks-from.ts';
export type { Destination, SinkSpec } from './sinks/spec.ts';
export {
  type Compressed,
  type Compressor,
  type CompressorOptions,
  compressor,
} from './store/compressor.ts';
export {
  type ExternalBatch,
  type ExternalLog,
  type ExternalOptions,
  type ExternalTail,
  externalTail,
} from './store/external.ts';
export type { FollowCounts, Following } from './store/following.ts';
export {
  type Housekeeping,
  type HousekeepingOptions,
  housekeeping,
  type KeptLog,
} from './store/housekeeping.ts';
export type { FollowedLine, FollowItem, Loss } from './store/log-follower.ts';
export {
  type FollowQuery,
  type LogStore,
  type LogStoreOptions,
  logStore,
  type RangeQuery,
  type SearchQuery,
  type Selection,
  storedLogs,
} from './store/log-store.ts';
export type { FieldFilter, Sought } from './store/match.ts';
export type { ReplayPace } from './store/replay.ts';
export {
  type KeptFile,
  keptFiles,
  planRetention,
  type Removal,
  type RetentionPolicy,
  removeFiles,
} from './store/retention.ts';
export type { SearchPage } from './store/search.ts';
export {
  type Place,
  STORED_FORMATS,
  type StoredFormat,
  type StoredLine,
  type StoredLog,
} from './store/stored-line.ts';
export {
  LogStream,
  type LogStreamCounters,
  type LogStreamOptions,
  type Outlet,
  type RecordListener,
} from './stream/log-stream.ts';
export { eventLine } from './terminal/event-line.ts';
export { type TerminalOutput, type TerminalOutputOptions, terminalOutput } from './terminal/output.ts';
export { type TerminalOptions, type TerminalView, terminalView } from './terminal/view.ts';
