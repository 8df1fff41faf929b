import type {
  Clock,
  Host,
  HostRun,
  Milliseconds,
  MonotonicTime,
  TreeUsage,
  UsageDetail,
} from '@hsu-master/core';

/** A run whose use is looked at again and again. */
export interface Sampled {
  readonly run: HostRun;
  readonly interval: Milliseconds;
  readonly detail: UsageDetail;
  /** Called with each sample; null: the tree is over, or its host cannot tell. */
  take(usage: TreeUsage | null): void;
}

/** All runs of one interval. */
interface Beat {
  readonly interval: Milliseconds;
  readonly members: Set<Sampled>;
  due: MonotonicTime;
}

export interface SamplerParts {
  readonly host: Host;
  readonly clock: Clock;
  /** Hears of a sample that failed and of one that its taker could not bear; the others are not touched by it. */
  defect(error: unknown): void;
}

/**
 * Samples all runs of a master with one timer. Ticks fall on multiples of the interval, so runs of one interval are looked at together,
 * and those of 1 s and 5 s share every fifth look. A look is one call of the host for each detail that is asked for; a tick that comes
 * late is not made up for. Where nobody asks there is no timer.
 */
export class Sampler {
  readonly #parts: SamplerParts;
  readonly #beats = new Map<Milliseconds, Beat>();
  #timer: { readonly at: MonotonicTime; cancel(): void } | null = null;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
  }

  /** Begins with the next multiple of the interval; the returned function ends it. */
  add(sampled: Sampled): () => void {
    const { interval } = sampled;
    let beat = this.#beats.get(interval);
    if (beat === undefined) {
      beat = { interval, members: new Set(), due: nextMultiple(interval, this.#parts.clock.now()) };
      this.#beats.set(interval, beat);
    }
    beat.members.add(sampled);
    this.#arm();
    return () => this.#remove(sampled);
  }

  /** One look at one run, now and apart from the others. */
  look(run: HostRun, detail: UsageDetail): TreeUsage | null {
    return this.#parts.host.sample([run], detail)[0] ?? null;
  }

  #remove(sampled: Sampled): void {
    const beat = this.#beats.get(sampled.interval);
    if (beat?.members.delete(sampled) !== true || beat.members.size > 0) return;
    this.#beats.delete(sampled.interval);
    this.#arm();
  }

  #arm(): void {
    const at = Math.min(...[...this.#beats.values()].map(({ due }) => due));
    if (this.#timer?.at === at) return;
    this.#timer?.cancel();
    this.#timer = null;
    if (at === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#parts;
    const cancel = clock.after(Math.max(0, at - clock.now()), () => this.#tick(at));
    this.#timer = { at, cancel };
  }

  #tick(at: MonotonicTime): void {
    this.#timer = null;
    // A timer may fire a fraction of a millisecond early.
    const now = Math.max(at, this.#parts.clock.now());
    const due = [...this.#beats.values()].filter((beat) => beat.due <= now);
    for (const beat of due) beat.due = nextMultiple(beat.interval, now);
    for (const members of byDetail(due)) this.#sample(members);
    this.#arm();
  }

  #sample(members: readonly [Sampled, ...Sampled[]]): void {
    const { host, defect } = this.#parts;
    let usages: readonly (TreeUsage | null)[];
    try {
      usages = host.sample(
        members.map(({ run }) => run),
        members[0].detail,
      );
    } catch (error) {
      defect(error);
      return;
    }
    members.forEach((sampled, index) => {
      // What one of them does may end another.
      if (this.#beats.get(sampled.interval)?.members.has(sampled) !== true) return;
      try {
        sampled.take(usages[index] ?? null);
      } catch (error) {
        defect(error);
      }
    });
  }
}

function nextMultiple(interval: Milliseconds, after: MonotonicTime): MonotonicTime {
  return (Math.floor(after / interval) + 1) * interval;
}

/** What costs more is asked only for those who need it. */
function byDetail(beats: readonly Beat[]): readonly [Sampled, ...Sampled[]][] {
  const groups = new Map<number, [Sampled, ...Sampled[]]>();
  for (const { members } of beats) {
    for (const sampled of members) {
      const { pss, connections, pressure, descriptors } = sampled.detail;
      const key = Number(pss) + 2 * Number(connections) + 4 * Number(pressure) + 8 * Number(descriptors);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [sampled]);
      else group.push(sampled);
    }
  }
  return [...groups.values()];
}
