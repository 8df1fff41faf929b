export { acquireContainment, type Containment, type ContainmentOptions } from './host/cgroup/acquire.ts';
export { createNativeHost, type NativeHost, type NativeHostOptions } from './host/native.ts';
export { createNodeHost, type NodeHostOptions } from './host/node.ts';
export { type FileJournal, type JournalPlaces, openJournal } from './journal/journal.ts';
export { makeDirectory } from './journal/make-directory.ts';
export { mainProcessHook } from './main-process-hook.ts';
export { realClock } from './real-clock.ts';
export type { WorkerSnapshot } from './snapshot.ts';
export { type ShutdownResult, Supervisor, type SupervisorParts } from './supervisor.ts';
