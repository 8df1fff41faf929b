import {
  type Clock,
  type DiscoverySpec,
  describeStrategy,
  type Finding,
  type FoundProcess,
  type ProcessFinder,
  type ProcessIdentity,
} from '@hsu-master/core';
import { cachedSource } from './cached-source.ts';
import { choose, foundOf, isEligible, topmost } from './choice.ts';
import { describeLosses } from './losses.ts';
import type { Around, Look, Matcher, Tools } from './matcher.ts';
import { matcherOf } from './prepare.ts';
import { bothNeeds, type Needs, NOTHING, type ProcessInfo, type ProcessSource } from './process.ts';
import { invalidity } from './validation.ts';

export interface FinderParts {
  readonly source: ProcessSource;
  readonly tools: Tools;
  readonly clock: Clock;
  readonly ownPid: number;
}

/** A discovery, ready for looks. */
interface Ready {
  readonly strategy: Matcher;
  readonly exclude: readonly Matcher[];
  /** Of the strategy and of what people are told. */
  readonly needs: Needs;
}

/** Looks for the processes of unmanaged units in the system’s table. */
export function createFinder(parts: FinderParts): ProcessFinder {
  return new TableFinder(parts);
}

class TableFinder implements ProcessFinder {
  readonly #parts: FinderParts;
  readonly #source: ProcessSource;
  readonly #ready = new WeakMap<DiscoverySpec, Ready>();
  #closed = false;

  constructor(parts: FinderParts) {
    this.#parts = parts;
    this.#source = cachedSource(parts.source, parts.clock);
  }

  async find(discovery: DiscoverySpec, isTaken: (process: ProcessIdentity) => boolean): Promise<Finding> {
    try {
      return await this.#find(discovery, isTaken);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { kind: 'none', reason: `processes cannot be looked at: ${why}` };
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #find(discovery: DiscoverySpec, isTaken: (process: ProcessIdentity) => boolean): Promise<Finding> {
    const { tools, clock } = this.#parts;
    const { strategy, exclude, needs } = this.#readyOf(discovery);
    const what = describeStrategy(discovery.strategy);
    const look = await strategy.begin(tools);
    const excluding = await Promise.all(exclude.map(async (one) => one.begin(tools)));
    if (this.#closed) return { kind: 'none', reason: 'the master is ending' };
    if (look.absent !== '') return { kind: 'none', reason: look.absent };
    const table = this.#source.look(needs, look.pids);
    const around = this.#aroundOf(table.processes, needs);
    const ancestors = this.#ancestors(around);
    const seen = table.processes.filter((one) => isEligible(one, this.#parts.ownPid, ancestors, isTaken));
    const { matching, reasons } = match(seen, { look, excluding }, around);
    const single = topmost(matching, (pid) => around.byPid(pid)?.ppid ?? null);
    if (single.length === 0) {
      const losses = describeLosses(table, needs);
      const detail = [...reasons, losses].filter((text) => text !== '').join('; ');
      return { kind: 'none', reason: detail === '' ? what : `${what} (${detail})` };
    }
    const chosen = choose(single, discovery.choose);
    if (chosen === null)
      return ambiguous(
        single.map((one) => this.#foundOf(one)),
        what,
      );
    const process = this.#foundOf(chosen);
    const { timeout, validation } = discovery;
    const why = await invalidity(process, validation, { source: this.#source, tools, clock, timeout });
    // The look may have been shared, and validation takes its time.
    if (!this.#isThere(process))
      return { kind: 'none', reason: `${what} (pid ${process.pid} has just ended)` };
    return why === null ? { kind: 'found', process } : { kind: 'invalid', process, reason: why };
  }

  #isThere({ pid, startedAt }: ProcessIdentity): boolean {
    const [seen] = this.#parts.source.look(NOTHING, [pid]).processes;
    return seen?.startedAt === startedAt && seen.state !== 'Z' && seen.state !== 'X';
  }

  #foundOf(process: ProcessInfo): FoundProcess {
    const { tools, clock } = this.#parts;
    const beganAt = tools.beganAt(process);
    return foundOf(process, beganAt === null ? 0 : Math.max(0, clock.wallNow() - beganAt));
  }

  #readyOf(discovery: DiscoverySpec): Ready {
    const known = this.#ready.get(discovery);
    if (known !== undefined) return known;
    const { tools } = this.#parts;
    const strategy = matcherOf(discovery.strategy, tools);
    const exclude = discovery.exclude.map((one) => matcherOf(one, tools));
    const needs = [strategy, ...exclude].reduce((all, one) => bothNeeds(all, one.needs), {
      ...NOTHING,
      argv: true,
    });
    const ready = { strategy, exclude, needs };
    this.#ready.set(discovery, ready);
    return ready;
  }

  /** Those of the look, and others as they are asked for. */
  #aroundOf(processes: readonly ProcessInfo[], needs: Needs): Around {
    const known = new Map(processes.map((process) => [process.pid, process]));
    return {
      byPid: (pid) => {
        if (pid <= 0) return undefined;
        const process = known.get(pid) ?? this.#source.look(needs, [pid]).processes[0];
        if (process !== undefined) known.set(pid, process);
        return process;
      },
    };
  }

  #ancestors(around: Around): ReadonlySet<number> {
    const ancestors = new Set<number>();
    let pid = around.byPid(this.#parts.ownPid)?.ppid ?? 0;
    while (pid > 0 && !ancestors.has(pid)) {
      ancestors.add(pid);
      pid = around.byPid(pid)?.ppid ?? 0;
    }
    return ancestors;
  }
}

/** Who is meant, and why those are not who nearly were. */
function match(
  seen: readonly ProcessInfo[],
  { look, excluding }: { readonly look: Look; readonly excluding: readonly Look[] },
  around: Around,
): { readonly matching: readonly ProcessInfo[]; readonly reasons: readonly string[] } {
  const matching: ProcessInfo[] = [];
  const reasons: string[] = [];
  for (const process of seen) {
    const answer = look.matches(process, around);
    if (typeof answer === 'string') reasons.push(answer);
    if (answer !== true || excluding.some((one) => one.matches(process, around) === true)) continue;
    matching.push(process);
  }
  return { matching, reasons };
}

/** Named in a message, at most. */
const NAMED = 5;

function ambiguous(processes: readonly FoundProcess[], what: string): Finding {
  const named = processes.slice(0, NAMED).map(({ pid, title }) => `pid ${pid} (${title})`);
  if (processes.length > NAMED) named.push(`${processes.length - NAMED} more`);
  const reason = `${processes.length} processes match "${what}": ${named.join(', ')}; say which one: discovery.choose: oldest or newest, or another strategy`;
  return { kind: 'ambiguous', processes, reason };
}
