import type { Metric, Sample } from './figures.ts';
import type { Peer } from './peer.ts';
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
}

/** One set-up, from which one or more figures are taken in each round. */
export interface Scene {
  readonly name: string;
  readonly metrics: readonly Metric[];
  /** Also played with Node alone, as a row to compare with. */
  readonly withBareNode?: true;
  play(peer: Peer, round: number, extent: Extent, setting: Setting): Promise<readonly Sample[]>;
}

/** From ns to ms. */
export const toMs = (nanoseconds: bigint): number => Number(nanoseconds) / 1e6;
