import type { Launch } from './arena.ts';
import type { Programs } from './programs.ts';

/** What a supervisor is given to run. */
export interface Assignment {
  /** Private folder of this trial; no spaces in its path. */
  readonly dir: string;
  /** Program and arguments of each worker; words without spaces or quotes. */
  readonly workers: readonly (readonly string[])[];
  /** From the request to stop until SIGKILL, ms, a multiple of 1000; for supervisors that know such a limit. */
  readonly grace: number;
  /** Whether each worker has a logger of its own, for supervisors that leave logs to a second program. */
  readonly loggers: boolean;
  /** How ours holds its workers. */
  readonly containment: string;
  /** Whether what each worker uses is looked at each second; for ours. */
  readonly sampled: boolean;
  readonly programs: Programs;
}

/** A prepared assignment. */
export interface Prepared extends Launch {
  /** How an operator ends the supervisor with all workers: a signal to its first process, or a command. */
  readonly stop: NodeJS.Signals | readonly string[];
  /** The start command returns and leaves the supervisor in the background. */
  readonly background: boolean;
  /** It makes more than processes and files of the trial's folder, and takes that away if it is stopped; so each trial ends with a stop. */
  readonly tidiesUp?: true;
}

/** A supervisor that is measured. */
export interface Peer {
  readonly name: string;
  /** Undefined: ready. Else what is missing, and how to get it. */
  missing(): Promise<Lack | undefined>;
  /** Brings what is measured up to date, once before the first trial. */
  makeReady?(): Promise<void>;
  version(): Promise<string>;
  /** Writes what the supervisor reads; starts nothing. */
  prepare(assignment: Assignment): Promise<Prepared>;
}

/** Why a peer cannot be measured here. */
export interface Lack {
  /** What is missing, and how a person gets it. */
  readonly what: string;
  /** Gets it; absent where only a person can. Rejects with the output of what failed. */
  readonly supply?: () => Promise<void>;
}
