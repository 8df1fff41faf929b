export { createFinder, type FinderParts } from './discovery/finder.ts';
export type { Tools } from './discovery/matcher.ts';
export {
  bothNeeds,
  type Needs,
  NOTHING,
  type ProcessInfo,
  type ProcessSource,
  type ProcessTable,
  titleOf,
} from './discovery/process.ts';
export { acquireContainment, type Containment, type ContainmentOptions } from './host/cgroup/acquire.ts';
export {
  LIMIT_SUPPORT,
  type LimitSupport,
  MACOS_SUPPORT,
  type Support,
} from './host/cgroup/limit-support.ts';
export { finderTools, type ToolParts } from './host/finder-tools.ts';
export { createNativeHost, type NativeHost, type NativeHostOptions, type NewProgram } from './host/native.ts';
export { createNodeHost, type NodeHostOptions } from './host/node.ts';
export { nativeSource } from './host/process-source.ts';
export { startTimeOf } from './host/start-time.ts';
export { WINDOWS_CAPABILITIES } from './host/windows/capabilities.ts';
export { createWindowsHost, type WindowsHost, type WindowsHostOptions } from './host/windows/host.ts';
export { windowsSupport } from './host/windows/limits.ts';
export { type FileJournal, type JournalPlaces, openJournal } from './journal/journal.ts';
export { makeDirectory } from './journal/make-directory.ts';
export { replaceSynced } from './journal/synced-file.ts';
export { integratedHook } from './kinds/integrated.ts';
export { type LimitWatch, type LimitWatchParts, watchLimits } from './limits/limit-watch.ts';
export type { UsagePoint, WorkerUsage } from './limits/usage-history.ts';
export { mainProcessHook } from './main-process-hook.ts';
export type { ShutdownResult } from './ordered-stop.ts';
export { type FileMemory, fileMemory } from './pid-files/file-memory.ts';
export { PidFiles, type PidFilesParts } from './pid-files/pid-files.ts';
export { holderOf, type PortHolder } from './ports/holder.ts';
export { type PortMemory, portMemory } from './ports/port-memory.ts';
export { Ports } from './ports/ports.ts';
export { realClock } from './real-clock.ts';
export type { WorkerSnapshot } from './snapshot.ts';
export { Supervisor, type SupervisorParts } from './supervisor.ts';
export type { TransitionResult } from './transition.ts';
