import { findCycle, hasReadiness } from '@hsu-master/core';
import type { Config, ManagedUnit } from './config.ts';
import type { Findings } from './findings.ts';
import type { Path } from './issue.ts';
import { dependencies } from './normalise/unit.ts';
import { suggest } from './schema/suggest.ts';
import type { WrittenConfig } from './written.ts';

/** Circles reported, at most. */
const MAX_CYCLES = 10;

const NONE: readonly string[] = [];

interface Entry {
  readonly id: string;
  readonly at: Path;
  readonly needs: readonly string[];
}

/** Checks between workers, on what was written, so that they hold for workers with other mistakes too. */
export function checkIds(written: WrittenConfig, findings: Findings): void {
  const entries: Entry[] = [];
  const first = new Map<string, Entry>();
  for (const { worker, at } of written.workers) {
    const id: string | undefined = worker.id;
    if (id === undefined) continue;
    const needs =
      worker.depends_on === undefined
        ? NONE
        : dependencies(worker.depends_on).map((dependency) => dependency.id);
    const entry = { id, at, needs };
    entries.push(entry);
    const earlier = first.get(id.toLowerCase());
    if (earlier === undefined) first.set(id.toLowerCase(), entry);
    else reportTwin(entry, earlier, findings);
  }
  for (const entry of entries) checkDependencies(entry, first, findings);
  if (entries.some((entry) => entry.needs.length > 0)) checkCycles(entries, findings);
}

function reportTwin(entry: Entry, earlier: Entry, findings: Findings): void {
  const line = findings.line([...earlier.at, 'id']);
  const message =
    entry.id === earlier.id
      ? `the id "${entry.id}" is there twice; first in line ${line}`
      : `the ids "${entry.id}" and "${earlier.id}" (line ${line}) differ in case only`;
  findings.errorAt([...entry.at, 'id'], { message, hint: 'give each worker an id of its own' });
}

function checkDependencies(entry: Entry, known: ReadonlyMap<string, Entry>, findings: Findings): void {
  const seen = new Set<string>();
  for (const [index, id] of entry.needs.entries()) {
    if (id === undefined) continue;
    const at = [...entry.at, 'depends_on', index];
    if (id === entry.id) {
      findings.errorAt(at, { message: `"${id}" depends on itself: ${id} → ${id}`, hint: 'remove it' });
    } else if (known.get(id.toLowerCase())?.id !== id) {
      const near = suggest(
        id,
        [...known.values()].map((other) => other.id).filter((other) => other !== entry.id),
      );
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

function checkCycles(entries: readonly Entry[], findings: Findings): void {
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
      message: `workers depend on each other in a circle: ${cycle.join(' → ')}`,
      hint: 'remove one of these dependencies',
    });
    edges = edges.map((node) =>
      node.id === from
        ? { ...node, dependsOn: node.dependsOn.filter((dependency) => dependency.id !== to) }
        : node,
    );
  }
}

/** What is allowed, but will surprise. */
export function checkSense(config: Config, findings: Findings): void {
  const byId = new Map(config.units.map((unit) => [unit.id, unit]));
  const notRun = new Map(config.notRun.map((unit) => [unit.id, unit.reason]));
  for (const unit of config.units) {
    for (const [index, { id, condition }] of unit.dependsOn.entries()) {
      const at = [...unit.at, 'depends_on', index];
      const target = byId.get(id);
      const reason = notRun.get(id);
      if (reason !== undefined) {
        findings.noticeAt(`waits for ${id}`, at, () => ({ message: `"${id}" is not waited for: ${reason}` }));
      }
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
  const { mode } = target.restart;
  if (mode !== 'always' && mode !== 'unless-stopped') return;
  findings.noticeAt(`completed ${target.id}`, at, () => ({
    message: `"${target.id}" is started again after every exit (restart policy ${mode}), though this worker waits for its end`,
    hint: `give "${target.id}" the restart policy on-failure`,
  }));
}
