import type { Findings } from './findings.ts';
import type { Variables } from './interpolate.ts';
import type { Path } from './issue.ts';
import { type Identity, identityOf } from './rules.ts';
import { Reading } from './schema/reading.ts';
import { root as rootField } from './schema/root.ts';
import { LONG_ONLY, longForm, SHORT_ONLY, shortForm } from './schema/worker.ts';
import type { WrittenConfig, WrittenWorker } from './written.ts';
import { isNull, type MapNode, type Node } from './yaml/tree.ts';

/**
 * Reads a document as it was written. The workers are read while they are iterated, once, so that what one was written like
 * is gone before the next is read; who each is and needs is added to `identities`, also for those with mistakes.
 */
export function readDocument(
  root: Node,
  findings: Findings,
  variables: Variables,
  identities: Identity[],
): WrittenConfig {
  const reading = new Reading(findings, variables);
  const document = reading.read(rootField, root);
  const node = root.kind === 'map' ? root.entries.find((entry) => entry.key === 'workers')?.value : undefined;
  let items: readonly Node[] = [];
  if (node !== undefined && !isNull(node) && node.kind !== 'list') {
    findings.error(node.offset, ['workers'], {
      message: 'takes a list of workers',
      hint: 'write each worker as an item: "- id: name"',
    });
  } else {
    if (node?.kind === 'list') items = node.items;
    if (items.length === 0) {
      findings.notice('no workers', node?.offset ?? root.offset, [], () => ({
        message: 'no workers are defined: there is nothing to run',
      }));
    }
  }
  const workers = readWorkers(items, reading, findings, identities);
  return {
    master: document?.master,
    api: document?.api,
    namespaces: document?.namespaces,
    groups: document?.groups,
    logCollection: document?.log_collection,
    workers,
  };
}

function* readWorkers(
  items: readonly Node[],
  reading: Reading,
  findings: Findings,
  identities: Identity[],
): Generator<WrittenWorker> {
  for (const [index, item] of items.entries()) {
    const written = readWorker(item, ['workers', index], reading, findings);
    if (written === null) continue;
    const identity = identityOf(written);
    if (identity !== null) identities.push(identity);
    yield written;
  }
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
