import type { Metric, Sample } from './figures.ts';
import type { Lack, Peer } from './peer.ts';
import type { Linkage } from './programs.ts';
import type { Setting } from './trial.ts';

/** What one run of the bench measures. */
export interface Extent {
  readonly metrics: ReadonlySet<Metric>;
  /** Workers of the large trials. */
  readonly n: number;
  /** Of all workers but those that are killed for `restart` and those of `orphans`, which are static. */
  readonly linkage: Linkage;
  readonly rounds: number;
  /** Kills per peer over all rounds. */
  readonly kills: number;
  readonly idleSeconds: number;
  /** Rounds in which idleness is watched. */
  readonly idleRounds: number;
  readonly sampleSeconds: number;
  /** Rounds in which sampling is watched. */
  readonly sampleRounds: number;
}

/** One set-up, from which one or more figures are taken in each round. */
export interface Scene {
  readonly name: string;
  readonly metrics: readonly Metric[];
  /** Also played with Node alone, as a row to compare with. */
  readonly withBareNode?: true;
  play(peer: Peer, round: number, extent: Extent, setting: Setting): Promise<readonly Sample[]>;
}

/** One way to do what a contest is about, with a row of its own. */
export interface Contender {
  readonly name: string;
  /** What --peers calls it. */
  readonly peer: string;
  /** As with a peer. */
  missing?(): Promise<Lack | undefined>;
  version?(): Promise<string>;
  play(extent: Extent, setting: Setting): Promise<readonly Sample[]>;
}

/** A task that is not about supervising: not all peers do it, some do it in several ways, and others do as well. */
export interface Contest {
  readonly name: string;
  readonly metric: Metric;
  readonly contenders: readonly Contender[];
  /** How many of the rounds. */
  rounds(extent: Extent): number;
}

/** From ns to ms. */
export const toMs = (nanoseconds: bigint): number => Number(nanoseconds) / 1e6;
