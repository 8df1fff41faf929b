// What was written, key by key, with durations in milliseconds and sizes in bytes, and nothing filled in.
import type { Path } from './issue.ts';
import type { WrittenMaster, WrittenRoot } from './schema/root.ts';
import type { WrittenLongWorker, WrittenShortWorker } from './schema/worker.ts';

/** A worker as written. `sound` tells whether all of it could be read; else parts may be missing in spite of their type. */
export type WrittenWorker =
  | { readonly form: 'long'; readonly at: Path; readonly sound: boolean; readonly worker: WrittenLongWorker }
  | {
      readonly form: 'short';
      readonly at: Path;
      readonly sound: boolean;
      readonly worker: WrittenShortWorker;
    };

export interface WrittenConfig {
  readonly master: WrittenMaster | undefined;
  readonly api: WrittenRoot['api'];
  readonly namespaces: WrittenRoot['namespaces'];
  readonly groups: WrittenRoot['groups'];
  readonly logCollection: WrittenRoot['log_collection'];
  /** Can be iterated once. */
  readonly workers: Iterable<WrittenWorker>;
}
