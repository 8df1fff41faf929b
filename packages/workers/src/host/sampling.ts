import type { Clock, HostRun, ProcessIdentity, TreeUsage, UsageDetail } from '@hsu-master/core';
import type { NativeSampler, NativeTreeUsage } from '@hsu-master/native';
import { ContainedRun } from './contained-run.ts';
import type { Containing } from './containing.ts';
import { ForeignRun } from './foreign-run.ts';
import type { Forest } from './forest.ts';
import type { Tree } from './tree.ts';
import { TreeRun } from './tree-run.ts';
import { usageOf } from './usage.ts';

/**
 * A sample takes the members of a group from the group, and those of a tree without one from the last look, unless processes have
 * begun since that may be of it. Who escapes both is found by a look at all processes, which one in so many samples takes.
 */
const LOOK_AT_EACH = 30;

/** A run that was sampled and is not over. */
interface Known {
  readonly hold: ContainedRun;
  readonly tree: Tree;
  /** What the sampler calls it; null before its second sample: it may have been asked for once. */
  entered: number | null;
  /** How many directories it had when it entered. */
  directories: number;
  /** Members as the last look saw them: those outside of its group, or all where it has none. null: nobody has looked. */
  outside: readonly ProcessIdentity[] | null;
}

/** Samples the trees of the native host. */
export class Sampling {
  readonly #containing: Containing;
  readonly #forest: Forest;
  readonly #clock: Clock;
  readonly #known = new Map<ContainedRun, Known>();
  #sampler: NativeSampler | null = null;
  #samples = 0;

  constructor(containing: Containing, forest: Forest, clock: Clock) {
    this.#containing = containing;
    this.#forest = forest;
    this.#clock = clock;
  }

  sample(runs: readonly HostRun[], detail: UsageDetail): readonly (TreeUsage | null)[] {
    this.#samples += 1;
    const known = runs.map((run) =>
      run instanceof TreeRun || run instanceof ForeignRun ? this.#knownOf(run) : null,
    );
    this.#findMembers(known);
    const usages = this.#use(known, detail);
    const at = this.#clock.now();
    return known.map((one, index) => {
      const seen = one === null ? undefined : usages.get(one);
      if (one === null || seen === undefined) return null;
      const usage = withoutOthers(seen, one.outside);
      const counted = withheld(one.hold.counted(usage.group, at), (runs[index] as TreeRun).withheld);
      return usageOf(usage, at, one.hold.metered(usage), detail, counted);
    });
  }

  close(): void {
    this.#known.clear();
    this.#sampler?.close();
    this.#sampler = null;
  }

  #knownOf({ held }: TreeRun | ForeignRun): Known | null {
    if (held === null || !(held.hold instanceof ContainedRun)) return null;
    const { hold, tree } = held;
    const known = this.#known.get(hold);
    if (known !== undefined) {
      if (known.entered === null || known.directories !== hold.directories) this.#enter(known);
      return known;
    }
    const fresh: Known = { hold, tree, entered: null, directories: 0, outside: null };
    this.#known.set(hold, fresh);
    hold.whenReleased(() => this.#forget(fresh));
    return fresh;
  }

  #enter(known: Known): void {
    const { hold } = known;
    this.#sampler ??= this.#containing.native.openSampler();
    if (known.entered !== null) this.#sampler.leave(known.entered);
    known.entered = this.#sampler.enter(hold.source([]));
    known.directories = hold.directories;
  }

  #forget(known: Known): void {
    if (!this.#known.delete(known.hold)) return;
    if (known.entered !== null) this.#sampler?.leave(known.entered);
  }

  #findMembers(asked: readonly (Known | null)[]): void {
    const bare = asked.some((one) => one?.hold.hasGroup === false);
    const changed = bare && this.#mayHaveChanged(asked);
    if (!changed && this.#samples % LOOK_AT_EACH !== 0) return;
    for (const one of this.#known.values()) {
      const members = this.#forest.members(one.tree);
      one.outside = one.hold.hasGroup ? one.tree.outside : members;
    }
  }

  /** Whether a look at all processes may show members that the last one did not. */
  #mayHaveChanged(asked: readonly (Known | null)[]): boolean {
    const isNew = asked.some((one) => one?.outside === null && !one.hold.hasGroup);
    const newcomers = this.#sampler?.newcomers() ?? [];
    return isNew || this.#forest.concerns(newcomers);
  }

  #use(known: readonly (Known | null)[], detail: UsageDetail): ReadonlyMap<Known, NativeTreeUsage> {
    const once: Known[] = [];
    const entered: Known[] = [];
    for (const one of known) if (one !== null) (one.entered === null ? once : entered).push(one);
    const usages = new Map<Known, NativeTreeUsage>();
    const note = (trees: readonly Known[], seen: readonly NativeTreeUsage[]): void =>
      trees.forEach((one, index) => void usages.set(one, seen[index] as NativeTreeUsage));
    if (once.length + entered.length > 0) this.#containing.noteOomKills();
    if (once.length > 0) {
      const places = once.map(({ hold, outside }) => hold.source(outside ?? []));
      note(once, this.#containing.native.sampleTrees(places, detail));
    }
    if (entered.length > 0 && this.#sampler !== null) {
      const trees = entered.map((one) => ({ tree: one.entered as number, pids: pidsOf(one.outside) }));
      note(entered, this.#sampler.sample(trees, detail));
    }
    return usages;
  }
}

type Counted = Pick<TreeUsage, 'hits' | 'oomKills'>;

/** What stopping a tree in turns withholds from it is CPU, as what a quota does. */
function withheld(counted: Counted, times: number): Counted {
  if (times === 0) return counted;
  const { memory, processes, cpu } = counted.hits ?? { memory: 0, processes: 0, cpu: 0 };
  return { ...counted, hits: { memory, processes, cpu: cpu + times } };
}

const NOBODY: readonly number[] = [];

function pidsOf(processes: readonly ProcessIdentity[] | null): readonly number[] {
  return processes === null || processes.length === 0 ? NOBODY : processes.map(({ pid }) => pid);
}

/** A pid that a member had may be another’s by now. */
function withoutOthers(usage: NativeTreeUsage, known: readonly ProcessIdentity[] | null): NativeTreeUsage {
  if (known === null || known.length === 0) return usage;
  return usage.only(
    ({ pid, startTime }) => !known.some((one) => one.pid === pid && one.startedAt !== startTime),
  );
}
