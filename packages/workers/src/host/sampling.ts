import type { Clock, HostRun, ProcessIdentity, TreeUsage, UsageDetail } from '@hsu-master/core';
import type { NativeTree, NativeTreeUsage } from '@hsu-master/native';
import { ContainedRun } from './contained-run.ts';
import type { Containing } from './containing.ts';
import type { Forest } from './forest.ts';
import { TreeRun } from './tree-run.ts';
import { usageOf } from './usage.ts';

/**
 * A sample takes the members of a group from the group. Who has left it is found by a look at all processes, which one in so many
 * takes.
 */
const LOOK_AT_EACH = 16;

interface Sampled {
  readonly hold: ContainedRun;
  /** Members outside of its group; all, where it has none. */
  readonly outside: readonly ProcessIdentity[];
  readonly source: NativeTree;
}

/** Samples the trees of the native host. */
export class Sampling {
  readonly #containing: Containing;
  readonly #forest: Forest;
  readonly #clock: Clock;
  #samples = 0;

  constructor(containing: Containing, forest: Forest, clock: Clock) {
    this.#containing = containing;
    this.#forest = forest;
    this.#clock = clock;
  }

  sample(runs: readonly HostRun[], detail: UsageDetail): readonly (TreeUsage | null)[] {
    this.#samples += 1;
    const held = runs.map((run) => (run instanceof TreeRun ? this.#sourceOf(run) : null));
    const sources = held.flatMap((one) => one?.source ?? []);
    const usages = this.#containing.sample(sources, detail);
    const at = this.#clock.now();
    let next = 0;
    return held.map((one) => {
      const seen = one === null ? undefined : usages[next++];
      if (one === null || seen === undefined) return null;
      const usage = withoutOthers(seen, one.outside);
      return usageOf(usage, at, one.hold.metered(usage), detail);
    });
  }

  #sourceOf({ held }: TreeRun): Sampled | null {
    if (held === null || !(held.hold instanceof ContainedRun)) return null;
    const { hold, tree } = held;
    const looks = !hold.hasGroup || this.#samples % LOOK_AT_EACH === 0;
    const members = looks ? this.#forest.members(tree) : [];
    const outside = hold.hasGroup ? tree.outside : members;
    return { hold, outside, source: hold.source(outside) };
  }
}

/** A pid that a member had may be another’s by now. */
function withoutOthers(usage: NativeTreeUsage, known: readonly ProcessIdentity[]): NativeTreeUsage {
  if (known.length === 0) return usage;
  const startedAt = new Map(known.map((one) => [one.pid, one.startedAt]));
  const processes = usage.processes.filter(
    ({ pid, startTime }) => (startedAt.get(pid) ?? startTime) === startTime,
  );
  return { ...usage, processes };
}
