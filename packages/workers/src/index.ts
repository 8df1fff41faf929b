export { openJournal, type FileJournal, type JournalPlaces } from './journal/journal.ts';
export { mainProcessHook } from './main-process-hook.ts';
export { realClock } from './real-clock.ts';
export type { WorkerSnapshot } from './snapshot.ts';
export { type ShutdownResult, Supervisor, type SupervisorParts } from './supervisor.ts';
