import { dirname, resolve } from 'node:path';
import type { WorkerSpec } from '@hsu-master/core';
import type { MasterConfig } from './config.ts';
import { Findings } from './findings.ts';
import { freeze } from './freeze.ts';
import { type ConfigIssue, issueAt, type Path } from './issue.ts';
import { normalise } from './normalise/config.ts';
import { checkIds, checkSense } from './rules.ts';
import { Reading } from './schema/reading.ts';
import { root as rootField } from './schema/root.ts';
import { LONG_ONLY, longForm, SHORT_ONLY, shortForm } from './schema/worker.ts';
import { SourceText } from './source.ts';
import { placeOf, type Surroundings } from './surroundings.ts';
import { toSpecs } from './to-specs.ts';
import type { WrittenConfig, WrittenWorker } from './written.ts';
import { parse } from './yaml/parse.ts';
import { isNull, type MapNode, type Node } from './yaml/tree.ts';

/** A configuration that was accepted. */
export interface LoadedConfig {
  readonly file: string;
  readonly master: MasterConfig;
  /** Enabled and disabled ones, in the order of the file. */
  readonly workers: readonly WorkerSpec[];
  readonly warnings: readonly ConfigIssue[];
  /** Units that are valid but not run by this version. */
  readonly notRun: readonly { readonly id: string; readonly reason: string }[];
}

export type LoadResult =
  | { readonly ok: true; readonly config: LoadedConfig }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/**
 * Turns the text of a configuration into frozen worker specs, or into all its mistakes at once. Never throws for what is in
 * the text. The file is only named here, not read: see `readConfigFile`.
 */
export function loadConfig(
  source: { readonly file: string; readonly text: string },
  surroundings: Surroundings,
): LoadResult {
  const text = new SourceText(source.file, source.text);
  const parsed = parse(source.text);
  if (!parsed.ok) {
    const issues = parsed.faults.map((fault) => issueAt(text, 'error', fault.offset, [], fault));
    return { ok: false, issues: freeze(issues) };
  }
  const findings = new Findings(text, parsed.root);
  if (parsed.root.kind !== 'map' && !isNull(parsed.root)) {
    const message = `a configuration is a map of keys to values, this is a ${parsed.root.kind === 'list' ? 'list' : 'single text'}`;
    const hint = 'begin with "workers:"';
    return { ok: false, issues: freeze([issueAt(text, 'error', parsed.root.offset, [], { message, hint })]) };
  }
  const written = readDocument(parsed.root, findings, surroundings);
  checkIds(written, findings);
  const config = normalise(written, findings);
  checkSense(config, findings);
  const place = placeOf(dirname(resolve(surroundings.cwd, source.file)), surroundings);
  const workers = toSpecs(config, place, findings);
  if (findings.errorCount > 0) return { ok: false, issues: freeze(findings.errors()) };
  const { master, notRun } = config;
  return {
    ok: true,
    config: freeze({ file: source.file, master, workers, warnings: findings.warnings(), notRun }),
  };
}

function readDocument(root: Node, findings: Findings, surroundings: Surroundings): WrittenConfig {
  const reading = new Reading(findings, surroundings.env);
  const document = reading.read(rootField, root);
  const node = root.kind === 'map' ? root.entries.find((entry) => entry.key === 'workers')?.value : undefined;
  const workers: WrittenWorker[] = [];
  if (node !== undefined && !isNull(node) && node.kind !== 'list') {
    findings.error(node.offset, ['workers'], {
      message: 'takes a list of workers',
      hint: 'write each worker as an item: "- id: name"',
    });
  } else if (node === undefined || isNull(node) || node.kind !== 'list' || node.items.length === 0) {
    findings.notice('no workers', node?.offset ?? root.offset, [], () => ({
      message: 'no workers are defined: there is nothing to run',
    }));
  } else {
    for (const [index, item] of node.items.entries()) {
      const worker = readWorker(item, ['workers', index], reading, findings);
      if (worker !== null) workers.push(worker);
    }
  }
  return { master: document?.master, logCollection: document?.log_collection, workers };
}

function readWorker(node: Node, at: Path, reading: Reading, findings: Findings): WrittenWorker | null {
  const before = findings.errorCount;
  if (node.kind === 'map' && isMixed(node, at, findings)) return null;
  const isLong = node.kind === 'map' && node.entries.some((entry) => LONG_ONLY.has(entry.key));
  if (isLong) {
    const worker = reading.read(longForm, node, at);
    return worker === undefined ? null : { form: 'long', at, sound: findings.errorCount === before, worker };
  }
  const worker = reading.read(shortForm, node, at);
  return worker === undefined ? null : { form: 'short', at, sound: findings.errorCount === before, worker };
}

function isMixed(node: MapNode, at: Path, findings: Findings): boolean {
  const long = node.entries.find((entry) => LONG_ONLY.has(entry.key));
  const short = node.entries.find((entry) => SHORT_ONLY.has(entry.key));
  if (long === undefined || short === undefined) return false;
  const [first, second] = long.offset < short.offset ? [long, short] : [short, long];
  const form = (entry: typeof long) => (entry === long ? 'long' : 'short');
  findings.error(second.offset, [...at, second.key], {
    message: `"${second.key}" belongs to the ${form(second)} form, but "${first.key}" (line ${findings.lineOf(first.offset)}) to the ${form(first)} form`,
    hint: 'write a worker either with command and its companions, or with type and unit',
  });
  return true;
}
