import type { Failure } from '../errors.ts';
import type { Plan } from '../graph/changes.ts';
import type { WallTime } from '../units.ts';
import type { WorkerId } from '../worker/spec.ts';
import type { Validation } from './control.ts';

/** A change of the master’s own settings, which comes into effect with its next start unless `live`. */
export interface SettingChange {
  /** As a configuration calls it: `master.force_shutdown_timeout`, `log_collection`. */
  readonly path: string;
  readonly effective: 'live' | 'next-start';
}

/** The way from the configuration that holds to another. */
export interface ConfigPlan extends Plan {
  readonly settings: readonly SettingChange[];
}

/** What would come of the text of a configuration, without any effect. */
export interface Planned extends Validation {
  /** Of the configuration that it was compared with. */
  readonly revision: number;
  /** null where the text is not valid. */
  readonly plan: ConfigPlan | null;
}

/** What a change of the configuration has come to. */
export interface ChangeOutcome {
  /**
   * done: what was to go is gone, and what was to be replaced or started has begun, or waits or fails by its own rules. superseded: a later
   * change goes on from here. failed: processes outlived their end, or the master ended.
   */
  readonly state: 'done' | 'superseded' | 'failed';
  readonly failures: readonly (Failure & { readonly workerId: WorkerId | null })[];
}

/** A configuration that was accepted: it is kept, whatever becomes of the master, and is being carried out. */
export interface Accepted {
  readonly revision: number;
  readonly plan: ConfigPlan;
  readonly warnings: Validation['issues'];
  /** Never rejects. */
  readonly settled: Promise<ChangeOutcome>;
}

/** The configuration that holds. */
export interface ConfigView {
  /** Grows with each accepted change, over the lives of masters. */
  readonly revision: number;
  /** The configuration file of the master. */
  readonly file: string;
  /** file: as it was read last. applied: a text that was applied since, which holds until the file is reloaded or another one. */
  readonly source: 'file' | 'applied';
  readonly acceptedAt: WallTime;
  /** Changed one by one since: workers that the file does not know, and those of the file that are others or gone. */
  readonly created: readonly WorkerId[];
  readonly replaced: readonly WorkerId[];
  readonly removed: readonly WorkerId[];
  /** Specs as values of JSON, secrets masked, in the order of the configuration. */
  readonly workers: readonly Readonly<Record<string, unknown>>[];
}

/** On which revision a change is based; another one then holds: E_STALE. null: on whichever holds. */
export type BasedOn = number | null;
