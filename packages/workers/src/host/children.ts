import type { Exit, OutputStream, RunOutput, SignalName } from '@hsu-master/core';
import type { NativeEngine, NativeEvent, NativeFailure, NativeHandle } from '@hsu-master/native';
import { type Attempt, type Diagnosis, diagnose, opening, shellWarning } from './diagnose.ts';
import type { TreeRun } from './tree-run.ts';

/** One spawned process as long as the engine tells anything about it. */
export interface Child {
  readonly run: TreeRun;
  readonly attempt: Attempt;
  readonly output: RunOutput;
  /** Streams that have not ended. */
  readonly open: Set<OutputStream>;
  /** Why the gate stayed shut. */
  refusal: Diagnosis | null;
  ended: boolean;
}

type ChildEvent = Extract<NativeEvent, { handle: NativeHandle }>;

/** The processes that the engine was asked for: tells their runs what it tells of them. */
export class Children {
  readonly #engine: NativeEngine;
  readonly #isClosed: () => boolean;
  readonly #children = new Map<NativeHandle, Child>();

  constructor(engine: NativeEngine, isClosed: () => boolean) {
    this.#engine = engine;
    this.#isClosed = isClosed;
  }

  get count(): number {
    return this.#children.size;
  }

  add(handle: NativeHandle, child: Child): void {
    this.#children.set(handle, child);
  }

  clear(): void {
    this.#children.clear();
  }

  hear(event: ChildEvent): void {
    const child = this.#children.get(event.handle);
    if (child !== undefined) this.#hearOf(child, event);
  }

  #hearOf(child: Child, event: ChildEvent): void {
    switch (event.type) {
      case 'execed':
        child.run.spawned(event.usedShell ? shellWarning(child.attempt) : null);
        return;
      case 'exec-failed': {
        this.#ended(event.handle, child);
        const { failure, transient } = child.refusal ?? explain(child.attempt, event.failure);
        child.run.spawnFailed(failure, transient);
        return;
      }
      case 'exited':
        this.#ended(event.handle, child);
        child.run.leaderExited(exitOf(event), event.groupEmpty);
        return;
      case 'output': {
        const { length } = event.data;
        child.output.write(event.stream, event.data, () => {
          if (!this.#isClosed()) this.#engine.acknowledge(length);
        });
        return;
      }
      default:
        child.open.delete(event.stream);
        this.#forgetIfDone(event.handle, child);
        child.output.end(event.stream);
    }
  }

  #ended(handle: NativeHandle, child: Child): void {
    child.ended = true;
    this.#forgetIfDone(handle, child);
  }

  #forgetIfDone(handle: NativeHandle, child: Child): void {
    if (child.ended && child.open.size === 0) this.#children.delete(handle);
  }
}

function explain(attempt: Attempt, failure: NativeFailure): Diagnosis {
  if (failure.step !== 'gate') return diagnose(attempt, failure);
  const message = `${opening(attempt)}: its process was killed before the program began`;
  return { failure: { code: 'E_SPAWN', message }, transient: true };
}

function exitOf(event: NativeEvent & { type: 'exited' }): Exit {
  const { code, coreDumped, userMs, systemMs, maxRssBytes } = event;
  const signal = event.signal as SignalName | null;
  const unknown = code === null && signal === null;
  const usage = unknown ? null : { userTime: userMs, systemTime: systemMs, maxRss: maxRssBytes };
  return { code, signal, coreDumped, usage };
}
