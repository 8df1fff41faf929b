import type { ConfigIssue } from './issue.ts';
import { parse } from './yaml/parse.ts';
import { type Entry, isNull, type ListNode, type MapNode, type Node } from './yaml/tree.ts';

/** Workers that are others than the text of a configuration says. */
export interface Overlay {
  /** By id: items of `workers` as JSON on one line each. They stand in the place of the text’s, or after all of them. */
  readonly written: ReadonlyMap<string, string>;
  /** Workers of the text that count as not there. */
  readonly removed: ReadonlySet<string>;
}

/** A document with what was laid over it. */
export interface Laid {
  /** What offsets are counted in: the text, and behind it each laid worker on a line of its own. */
  readonly text: string;
  readonly root: Node;
  /** What is wrong with a laid worker is told as that, not as a place in the file. */
  place(issue: ConfigIssue): ConfigIssue;
}

/** The ids of the workers that a text has, as they are written there; none where it cannot be read. */
export function writtenIds(text: string): ReadonlySet<string> {
  const parsed = parse(text);
  const items = parsed.ok ? (workersOf(parsed.root)?.items ?? []) : [];
  return new Set(items.flatMap((item) => idOf(item) ?? []));
}

export function lay(text: string, root: Node, { written, removed }: Overlay): Laid {
  const before = workersOf(root);
  const items = (before?.items ?? []).filter((item) => !removed.has(idOf(item) ?? ''));
  const places = new Map(items.map((item, index) => [idOf(item), index]));
  const lines: string[] = [];
  let all = `${text}\n`;
  const first = all.split('\n').length;
  for (const [id, line] of written) {
    const parsed = parse(line);
    // What was kept had been read before.
    if (!parsed.ok) continue;
    const item = moved(parsed.root, all.length);
    lines.push(id);
    all += `${line}\n`;
    const at = places.get(id);
    if (at === undefined) items.push(item);
    else items[at] = item;
  }
  const list: ListNode = { kind: 'list', offset: before?.offset ?? root.offset, items };
  return {
    text: all,
    root: withWorkers(root, list),
    place(issue) {
      const id = lines[issue.line - first];
      if (id === undefined) return issue;
      const path = issue.path.replace(/^workers\[\d+\]\.?/, '');
      return { ...issue, file: `worker "${id}"`, line: 1, path };
    },
  };
}

function workersOf(root: Node): ListNode | null {
  const node = root.kind === 'map' ? root.entries.find(({ key }) => key === 'workers')?.value : undefined;
  return node?.kind === 'list' ? node : null;
}

function idOf(item: Node): string | null {
  const value = item.kind === 'map' ? item.entries.find(({ key }) => key === 'id')?.value : undefined;
  return value?.kind === 'scalar' ? value.text : null;
}

function withWorkers(root: Node, list: ListNode): Node {
  const entry: Entry = { key: 'workers', offset: list.offset, value: list };
  if (isNull(root)) return { kind: 'map', offset: root.offset, entries: [entry] } satisfies MapNode;
  if (root.kind !== 'map') return root;
  const written = root.entries.find(({ key }) => key === 'workers');
  // What is no list is for the reading to say.
  if (written !== undefined && written.value.kind !== 'list' && !isNull(written.value)) return root;
  const entries =
    written === undefined
      ? [...root.entries, entry]
      : root.entries.map((one) => (one === written ? { ...one, value: list } : one));
  return { ...root, entries };
}

function moved(node: Node, by: number): Node {
  const offset = node.offset + by;
  if (node.kind === 'list') return { ...node, offset, items: node.items.map((item) => moved(item, by)) };
  if (node.kind === 'scalar') return { ...node, offset };
  const entries = node.entries.map((entry) => ({
    ...entry,
    offset: entry.offset + by,
    value: moved(entry.value, by),
  }));
  return { ...node, offset, entries };
}
