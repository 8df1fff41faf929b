import type { GraphNode } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { painted, stateStyle } from '../output/colour.ts';
import { printData, say } from '../output/print.ts';
import { type Branch, branches } from '../output/tree.ts';
import { cut, prepareWidths, width } from '../output/width.ts';

/** `graph`: what depends on what. Chosen workers are shown with all that they need. */
export async function graph(
  { client, to, format, namespace }: Asking,
  patterns: readonly string[],
  drawn: 'dot' | 'mermaid' | null,
): Promise<number> {
  const all = await client.graph();
  const isChosen = patterns.length > 0 || namespace !== undefined;
  const chosen = isChosen ? await client.graph({ select: patterns, namespace }) : all;
  const nodes = new Map(all.map((node) => [node.id, node]));
  const shown = isChosen ? needed(chosen, nodes) : all;
  if (drawn !== null) {
    await say(to.out, drawn === 'dot' ? dot(shown) : mermaid(shown));
    return 0;
  }
  if (await printData(to.out, format, { workers: shown }, shown)) return 0;
  if (format === 'name') {
    await say(to.out, shown.map(({ id }) => id).join('\n'));
    return 0;
  }
  if (shown.length === 0) await say(to.err, 'no workers');
  const lines = branches(isChosen ? chosen : roots(all), (node) =>
    node.dependsOn.flatMap(({ id }) => nodes.get(id) ?? []),
  );
  await prepareWidths(lines.map(({ row }) => row.id));
  const text = lines.map((line) => lineOf(line, to.out.columns(), to.out.colour));
  await say(to.out, text.join('\n'));
  return 0;
}

/** Those that nobody needs; what goes round in circles is refused before it gets here. */
function roots(all: readonly GraphNode[]): readonly GraphNode[] {
  const needs = new Set(all.flatMap(({ dependsOn }) => dependsOn.map(({ id }) => id)));
  return all.filter(({ id }) => !needs.has(id));
}

/** These and all that they need, in the order of the configuration. */
function needed(chosen: readonly GraphNode[], nodes: ReadonlyMap<string, GraphNode>): readonly GraphNode[] {
  const ids = new Set<string>();
  const left = chosen.map(({ id }) => id);
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (ids.has(id)) continue;
    ids.add(id);
    left.push(...(nodes.get(id)?.dependsOn.map((one) => one.id) ?? []));
  }
  return [...nodes.values()].filter(({ id }) => ids.has(id));
}

function lineOf({ stem, row, again }: Branch<GraphNode>, columns: number, colour: boolean): string {
  const name = `${stem}${row.id}`;
  const state = again ? 'see above' : stateOf(row);
  const text = cut(`${name}  ${state}`, columns);
  if (!colour || again || width(text) <= width(name) + 2) return text;
  return `${name}  ${painted(stateStyle(row.phase, row.ready), text.slice(name.length + 2))}`;
}

function stateOf({ phase, ready, completed, enabled }: GraphNode): string {
  if (phase === 'running') return ready ? 'ready' : 'running, not ready';
  if (phase === 'stopped') return completed ? 'completed' : enabled ? 'stopped' : 'disabled';
  return phase;
}

function edges(nodes: readonly GraphNode[]): readonly (readonly [string, string, string])[] {
  return nodes.flatMap(({ id, dependsOn }) =>
    dependsOn.map(
      ({ id: other, condition, restart }) =>
        [id, other, restart ? `${condition}, restarts with it` : condition] as const,
    ),
  );
}

/** For Graphviz. Ids have no character that it takes for something else within quotes. */
function dot(nodes: readonly GraphNode[]): string {
  return [
    'digraph workers {',
    '  rankdir = LR;',
    ...nodes.map((node) => `  "${node.id}" [label = "${node.id}\\n${stateOf(node)}"];`),
    ...edges(nodes).map(([from, to, label]) => `  "${from}" -> "${to}" [label = "${label}"];`),
    '}',
  ].join('\n');
}

/** For Mermaid, whose own words may not be names of nodes: they are numbered. */
function mermaid(nodes: readonly GraphNode[]): string {
  const numbers = new Map(nodes.map(({ id }, index) => [id, `w${index}`]));
  return [
    'flowchart LR',
    ...nodes.map((node) => `  ${numbers.get(node.id)}["${node.id}<br/>${stateOf(node)}"]`),
    ...edges(nodes).map(([from, to, label]) => `  ${numbers.get(from)} -->|${label}| ${numbers.get(to)}`),
  ].join('\n');
}
