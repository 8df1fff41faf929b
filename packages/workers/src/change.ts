import { type Dependency, isSame, type QuotaSpec, type WorkerId, type WorkerSpec } from '@hsu-master/core';
import type { Ending } from './transition.ts';
import type { WorkerActor } from './worker-actor.ts';

interface Present {
  readonly actors: ReadonlyMap<WorkerId, WorkerActor>;
  /** Those that are ended for good, and what takes their names; brought up to date. */
  readonly leaving: Map<WorkerId, WorkerSpec | null>;
  /** Those that an earlier change has not ended yet. */
  readonly awaited: ReadonlyMap<WorkerId, Ending>;
}

/** What other specs mean for the workers that are there. */
export class Change {
  /** Those that go on, with what they are described by now. */
  readonly kept: readonly { readonly actor: WorkerActor; readonly spec: WorkerSpec }[];
  readonly added: readonly WorkerSpec[];
  /** To be started, where nobody has stopped them: they are enabled now, or were about to be removed. */
  readonly enabled: ReadonlySet<WorkerId>;
  /** Budgets that are others. */
  readonly quotas: readonly QuotaSpec[];
  /** What the processes depend on that are there. */
  readonly needs: ReadonlyMap<WorkerId, readonly Dependency[]>;
  readonly #disabled: ReadonlySet<WorkerId>;
  readonly #leaving: ReadonlyMap<WorkerId, WorkerSpec | null>;

  constructor(specs: readonly WorkerSpec[], { actors, leaving, awaited }: Present) {
    const wanted = new Map(specs.map((spec) => [spec.id, spec]));
    const enabled = new Set<WorkerId>();
    const disabled = new Set<WorkerId>();
    for (const [id, how] of awaited)
      if (how === 'disable' && wanted.get(id)?.enabled === false) disabled.add(id);
    const kept: { readonly actor: WorkerActor; readonly spec: WorkerSpec }[] = [];
    const known = new Map<string, QuotaSpec>();
    this.needs = new Map([...actors].map(([id, { runSpec }]) => [id, runSpec.dependsOn]));
    for (const [id, actor] of actors) {
      for (const quota of actor.spec.quotas) known.set(`${quota.kind} ${quota.id}`, quota);
      const spec = wanted.get(id);
      // A process of ours is never taken for one of others, nor the other way round.
      if (spec === undefined || (spec.unmanaged === null) !== (actor.spec.unmanaged === null)) {
        leaving.set(id, spec ?? null);
        continue;
      }
      const isBack = leaving.delete(id);
      if (spec.enabled && (isBack || !actor.spec.enabled)) enabled.add(id);
      if (!spec.enabled && actor.spec.enabled) disabled.add(id);
      if (!isSame(actor.spec, spec)) kept.push({ actor, spec });
      else if (actor.isOutdated) kept.push({ actor, spec: actor.spec });
    }
    this.kept = kept;
    this.added = specs.filter(({ id }) => !actors.has(id));
    this.enabled = enabled;
    this.#disabled = disabled;
    this.#leaving = leaving;
    const quotas = new Map<string, QuotaSpec>();
    for (const quota of specs.flatMap((spec) => spec.quotas)) {
      const name = `${quota.kind} ${quota.id}`;
      const before = known.get(name);
      if (before !== undefined && !isSame(before.limits, quota.limits)) quotas.set(name, quota);
    }
    this.quotas = [...quotas.values()];
  }

  /** Who is ended, and what for. To be asked when those that go on are described anew. */
  ending(): ReadonlyMap<WorkerId, Ending> {
    const ending = new Map<WorkerId, Ending>();
    for (const id of this.#leaving.keys()) ending.set(id, 'remove');
    for (const { actor } of this.kept) if (actor.isOutdated) ending.set(actor.spec.id, 'replace');
    for (const id of this.#disabled) ending.set(id, 'disable');
    return ending;
  }
}
