import { describe, expect, test } from 'vitest';
import { dependents, findCycle, type GraphNode, startOrder } from '../src/graph/order.ts';
import { type DependencyView, stoppable, waitingFor } from '../src/graph/plan.ts';
import type { Dependency } from '../src/worker/spec.ts';
import { fc } from './properties.ts';

function on(id: string, differs: Partial<Dependency> = {}): Dependency {
  return { id, condition: 'started', restart: false, ...differs };
}

/** `a: b c` reads: a depends on b and c. */
function graph(...lines: readonly string[]): readonly GraphNode[] {
  return lines.map((line) => {
    const [id = '', rest = ''] = line.split(':');
    return {
      id,
      dependsOn: rest
        .split(' ')
        .filter(Boolean)
        .map((one) => on(one)),
    };
  });
}

describe('D9: circles', () => {
  test.each([
    [
      ['a: b', 'b: a'],
      ['a', 'b', 'a'],
    ],
    [['a: a'], ['a', 'a']],
    [
      ['a: b', 'b: c', 'c: b'],
      ['b', 'c', 'b'],
    ],
    [
      ['a', 'b: a c', 'c: d a', 'd: b'],
      ['b', 'c', 'd', 'b'],
    ],
    [
      ['x: y', 'y', 'p: q', 'q: p'],
      ['p', 'q', 'p'],
    ],
  ])('%j', (lines, cycle) => expect(findCycle(graph(...lines))).toEqual(cycle));

  test.each([[[]], [['a']], [['a: b c', 'b: d', 'c: d', 'd']], [['a: missing']], [['a: b b', 'b']]])(
    'none in %j',
    (lines: readonly string[]) => expect(findCycle(graph(...lines))).toBeNull(),
  );

  test('a chain of 20 000 is no matter of stack depth', () => {
    const nodes = Array.from({ length: 20_000 }, (_unused, i) => ({
      id: `w${i}`,
      dependsOn: i > 0 ? [on(`w${i - 1}`)] : [],
    }));
    expect(findCycle(nodes.toReversed())).toBeNull();
    expect(startOrder(nodes.toReversed())[0]).toBe('w0');
    const [first, ...others] = nodes;
    expect(findCycle([{ ...(first as GraphNode), dependsOn: [on('w19999')] }, ...others])).toHaveLength(
      20_001,
    );
  });
});

/** Graphs without circles: each node depends on earlier ones only; then shuffled. */
const acyclic = fc
  .array(fc.array(fc.nat(20), { maxLength: 4 }), { maxLength: 20 })
  .map((rows) =>
    rows.map((row, i) => ({
      id: `w${i}`,
      dependsOn: [...new Set(row.filter((j) => j < i))].map((j) => on(`w${j}`)),
    })),
  )
  .chain((nodes) => fc.shuffledSubarray(nodes, { minLength: nodes.length }));

describe('startOrder', () => {
  test('keeps the given order where the graph leaves it open', () => {
    expect(startOrder(graph('c', 'a', 'b'))).toEqual(['c', 'a', 'b']);
    expect(startOrder(graph('web: db cache', 'cache', 'db'))).toEqual(['db', 'cache', 'web']);
  });

  test('leaves out what is not defined', () => expect(startOrder(graph('a: missing'))).toEqual(['a']));

  test('holds every worker once, each after all that it depends on', () => {
    fc.assert(
      fc.property(acyclic, (nodes) => {
        const order = startOrder(nodes);
        expect([...order].sort()).toEqual(nodes.map((node) => node.id).sort());
        for (const { id, dependsOn } of nodes) {
          for (const dependency of dependsOn)
            expect(order.indexOf(dependency.id)).toBeLessThan(order.indexOf(id));
        }
        expect(findCycle(nodes)).toBeNull();
      }),
    );
  });
});

test('an edge back makes a circle, and the report is one', () => {
  fc.assert(
    fc.property(acyclic, (nodes) => {
      const edge = nodes.flatMap((node) =>
        node.dependsOn.map((dependency) => [node.id, dependency.id] as const),
      )[0];
      if (edge === undefined) return;
      const [from, to] = edge;
      const closed = nodes.map((node) =>
        node.id === to ? { ...node, dependsOn: [...node.dependsOn, on(from)] } : node,
      );
      const cycle = findCycle(closed) ?? [];
      expect(cycle.length).toBeGreaterThan(1);
      expect(cycle[0]).toBe(cycle.at(-1));
      for (const [i, id] of cycle.slice(0, -1).entries()) {
        const node = closed.find((one) => one.id === id);
        expect(node?.dependsOn.map((dependency) => dependency.id)).toContain(cycle[i + 1]);
      }
    }),
  );
});

test('dependents are the edges turned round', () => {
  expect(dependents(graph('a: b c', 'b: c', 'c'))).toEqual(
    new Map([
      ['b', ['a']],
      ['c', ['a', 'b']],
    ]),
  );
});

describe('waitingFor', () => {
  const nothing: DependencyView = { started: false, ready: false, completed: false, doing: 'backoff 12s' };
  const conditions = ['started', 'ready', 'completed'] as const;

  test.each(conditions)('%s is met by nothing else', (condition) => {
    for (const is of conditions) {
      const waiting = waitingFor([on('db', { condition })], () => ({ ...nothing, [is]: true }));
      expect(waiting).toEqual(is === condition ? [] : [{ id: 'db', condition, reason: 'backoff 12s' }]);
    }
  });

  test('a dependency that is not defined is never there, and says so', () => {
    expect(waitingFor([on('db')], () => null)).toEqual([
      { id: 'db', condition: 'started', reason: 'not defined' },
    ]);
  });

  test('all are named, in order', () => {
    const waiting = waitingFor([on('a'), on('b', { condition: 'ready' }), on('c')], (id) => ({
      ...nothing,
      started: id === 'a',
    }));
    expect(waiting.map(({ id }) => id)).toEqual(['b', 'c']);
  });
});

describe('D10: stoppable', () => {
  const nodes = graph('web: db', 'job: db', 'db: disk', 'disk', 'lone');

  test('only those whose dependents all rest, and who do not rest themselves', () => {
    expect(stoppable(nodes, new Set())).toEqual(['web', 'job', 'lone']);
    expect(stoppable(nodes, new Set(['web', 'lone']))).toEqual(['job']);
    expect(stoppable(nodes, new Set(['web', 'job', 'lone']))).toEqual(['db']);
    expect(stoppable(nodes, new Set(['web', 'job', 'lone', 'db', 'disk']))).toEqual([]);
  });

  test('stopping in rounds ends all, and nobody loses a dependency before it rests', () => {
    fc.assert(
      fc.property(acyclic, (all) => {
        const atRest = new Set<string>();
        while (atRest.size < all.length) {
          const round = stoppable(all, atRest);
          expect(round.length).toBeGreaterThan(0);
          for (const { id, dependsOn } of all) {
            if (atRest.has(id)) continue;
            for (const dependency of dependsOn) expect(round).not.toContain(dependency.id);
          }
          for (const id of round) atRest.add(id);
        }
      }),
    );
  });
});
