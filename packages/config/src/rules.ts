import { findCycle, hasReadiness } from '@hsu-master/core';
import type { Config, ManagedUnit } from './config.ts';
import type { Findings } from './findings.ts';
import type { Path } from './issue.ts';
import { dependencies } from './normalise/unit.ts';
import { suggest } from './schema/suggest.ts';
import type { WrittenWorker } from './written.ts';

/** Circles reported, at most. */
const MAX_CYCLES = 10;

const NONE: readonly string[] = [];

/** Who a worker is and which others it needs. */
export interface Identity {
  readonly id: string;
  readonly at: Path;
  readonly needs: readonly string[];
  readonly namespace: string | undefined;
  readonly group: string | undefined;
  /** Group of the user that the program runs as, where that key stands beside those of the worker. */
  readonly account: string | undefined;
}

/** The identity of a worker, or null where its id could not be read. */
export function identityOf({ worker, at }: WrittenWorker): Identity | null {
  const id: string | undefined = worker.id;
  if (id === undefined) return null;
  const { depends_on: needs, namespace, worker_group: group } = worker;
  return {
    id,
    at,
    needs: needs === undefined ? NONE : dependencies(needs).map((dependency) => dependency.id),
    namespace,
    group,
    account: 'group' in worker ? worker.group : undefined,
  };
}

/** Checks between workers, on what was written, so that they hold for workers with other mistakes too. */
export function checkIds(identities: readonly Identity[], findings: Findings): void {
  const first = new Map<string, Identity>();
  for (const identity of identities) {
    const folded = identity.id.toLowerCase();
    const earlier = first.get(folded);
    if (earlier === undefined) first.set(folded, identity);
    else reportTwin(identity, earlier, findings);
  }
  for (const identity of identities) {
    if (identity.needs.length > 0) checkDependencies(identity, first, findings);
  }
  if (identities.some((identity) => identity.needs.length > 0)) checkCycles(identities, findings);
}

function reportTwin(entry: Identity, earlier: Identity, findings: Findings): void {
  const line = findings.line([...earlier.at, 'id']);
  const message =
    entry.id === earlier.id
      ? `the id "${entry.id}" is there twice; first in line ${line}`
      : `the ids "${entry.id}" and "${earlier.id}" (line ${line}) differ in case only`;
  findings.errorAt([...entry.at, 'id'], { message, hint: 'give each worker an id of its own' });
}

function checkDependencies(entry: Identity, known: ReadonlyMap<string, Identity>, findings: Findings): void {
  const seen = new Set<string>();
  for (const [index, id] of entry.needs.entries()) {
    if (id === undefined) continue;
    const at = [...entry.at, 'depends_on', index];
    if (id === entry.id) {
      findings.errorAt(at, { message: `"${id}" depends on itself: ${id} → ${id}`, hint: 'remove it' });
    } else if (known.get(id.toLowerCase())?.id !== id) {
      const near = findings.full ? null : suggest(id, otherIds(entry, known));
      findings.errorAt(at, {
        message: `"${entry.id}" depends on "${id}", which is not defined`,
        hint: near === null ? 'define it, or remove it here' : `did you mean "${near}"?`,
      });
    } else if (seen.has(id)) {
      findings.errorAt(at, { message: `"${id}" is named twice`, hint: 'keep one' });
    }
    seen.add(id);
  }
}

function* otherIds(entry: Identity, known: ReadonlyMap<string, Identity>): Generator<string> {
  for (const other of known.values()) if (other.id !== entry.id) yield other.id;
}

function checkCycles(entries: readonly Identity[], findings: Findings): void {
  let edges = entries.map((entry) => ({
    id: entry.id,
    dependsOn: entry.needs
      .filter((id) => id !== entry.id)
      .map((id) => ({ id, condition: 'started' as const, restart: false })),
  }));
  for (let count = 0; count < MAX_CYCLES; count += 1) {
    const cycle = findCycle(edges);
    if (cycle === null) return;
    const [from, to] = [cycle.at(-2), cycle.at(-1)];
    const entry = entries.find((candidate) => candidate.id === from);
    const index = entry?.needs.indexOf(to as string) ?? -1;
    findings.errorAt(entry === undefined ? [] : [...entry.at, 'depends_on', index], {
      message: `workers depend on each other in a circle: ${arrows(cycle)}`,
      hint: 'remove one of these dependencies',
    });
    edges = edges.map((node) =>
      node.id === from
        ? { ...node, dependsOn: node.dependsOn.filter((dependency) => dependency.id !== to) }
        : node,
    );
  }
}

/** `a → b → a`; the middle of a long circle is only counted. */
function arrows(cycle: readonly string[]): string {
  if (cycle.length <= 20) return cycle.join(' → ');
  return [...cycle.slice(0, 12), `… ${cycle.length - 14} more …`, ...cycle.slice(-2)].join(' → ');
}

/** What is allowed, but will surprise. */
export function checkSense(config: Config, findings: Findings): void {
  const byId = new Map(config.units.map((unit) => [unit.id, unit]));
  for (const unit of config.units) {
    for (const [index, { id, condition }] of unit.dependsOn.entries()) {
      const at = [...unit.at, 'depends_on', index];
      const target = byId.get(id);
      if (target === undefined || !unit.enabled) continue;
      if (!target.enabled) {
        findings.noticeAt(`disabled ${id}`, at, () => ({
          message: `waits until "${id}" is started by hand, since it is not enabled`,
        }));
      }
      if (condition === 'completed') checkCompleted(target, at, findings);
      if (condition === 'ready' && !hasReadiness(target)) {
        findings.noticeAt(`ready ${id}`, at, () => ({
          message: `"${id}" has no probe that could say it is ready; it counts as ready once it is started`,
        }));
      }
    }
  }
}

function checkCompleted(target: ManagedUnit, at: Path, findings: Findings): void {
  if (target.unmanaged !== null) {
    findings.noticeAt(`completed ${target.id}`, at, () => ({
      message: `"${target.id}" is started by others and never counts as completed, though this worker waits for that`,
      hint: 'write the condition started or ready',
    }));
    return;
  }
  const { mode } = target.restart;
  if (mode !== 'always' && mode !== 'unless-stopped') return;
  findings.noticeAt(`completed ${target.id}`, at, () => ({
    message: `"${target.id}" is started again after every exit (restart policy ${mode}), though this worker waits for its end`,
    hint: `give "${target.id}" the restart policy on-failure`,
  }));
}
