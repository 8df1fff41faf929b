import { describe, expect, test } from 'vitest';
import { assign, type ProcessRow, Tree } from '../src/host/tree.ts';

const MASTER = 100;

function row(pid: number, differs: Partial<ProcessRow> = {}): ProcessRow {
  return { pid, startedAt: String(pid * 10), ppid: 1, pgid: pid, sid: pid, state: 'S', ...differs };
}

function leaderOf(pid: number, mark = `mark-${pid}`): Tree {
  return new Tree({ pid, startedAt: String(pid * 10) }, mark);
}

function membersOf(
  tree: Tree,
  rows: readonly ProcessRow[],
  marks: Record<number, string> = {},
  others: readonly Tree[] = [],
) {
  const master = row(MASTER, { sid: 50, pgid: 50 });
  const census = {
    rows: [master, ...rows],
    ownPid: MASTER,
    markOf: ({ pid }: ProcessRow) => marks[pid] ?? null,
  };
  return (assign(census, [tree, ...others]).get(tree) ?? []).map(({ pid }) => pid).sort((a, b) => a - b);
}

describe('members of a tree', () => {
  const leader = row(200, { ppid: MASTER });

  test('are the leader’s group, its session, their children, and who bears the mark', () => {
    const rows = [
      leader,
      row(201, { ppid: 1, pgid: 200, sid: 200 }),
      row(202, { ppid: 1, pgid: 202, sid: 200 }),
      row(203, { ppid: 202 }),
      row(204, { ppid: 203 }),
      row(205, { ppid: 1 }),
      row(206, { ppid: 205 }),
      row(300, { ppid: 1 }),
    ];
    expect(membersOf(leaderOf(200), rows, { 205: 'mark-200' })).toEqual([200, 201, 202, 203, 204, 205, 206]);
  });

  test('stay members when their parents are gone and nothing else tells', () => {
    const tree = leaderOf(200);
    const escapee = row(210, { ppid: 200 });
    expect(membersOf(tree, [leader, escapee])).toEqual([200, 210]);
    expect(membersOf(tree, [{ ...escapee, ppid: 1 }])).toEqual([210]);
  });

  test('bring the session that they began with them', () => {
    const tree = leaderOf(200);
    const daemon = row(210, { ppid: 1 });
    const sibling = row(211, { ppid: 1, pgid: 211, sid: 210 });
    expect(membersOf(tree, [leader, sibling, daemon], { 210: 'mark-200' })).toEqual([200, 210, 211]);
  });

  test('do not include zombies, the master, or init', () => {
    const rows = [leader, row(201, { pgid: 200, sid: 200, state: 'Z' }), row(1, { ppid: 0 })];
    expect(membersOf(leaderOf(200), rows, { 1: 'mark-200', [MASTER]: 'mark-200' })).toEqual([200]);
  });

  test('A1: a stranger that got the leader’s pid, its group and its children are left alone', () => {
    const tree = leaderOf(200);
    const stranger = row(200, { startedAt: '999999' });
    const child = row(201, { ppid: 200, pgid: 200, sid: 200, startedAt: '1000000' });
    expect(membersOf(tree, [stranger, child])).toEqual([]);
  });

  test('A1: a stranger that got a member’s pid is left alone', () => {
    const tree = leaderOf(200);
    expect(membersOf(tree, [leader, row(210, { ppid: 200 })])).toEqual([200, 210]);
    expect(membersOf(tree, [leader, row(210, { startedAt: '999999' })])).toEqual([200]);
  });

  test('are older than no leader: what was there before is not looked at', () => {
    expect(membersOf(leaderOf(200), [leader, row(150)], { 150: 'mark-200' })).toEqual([200]);
  });

  test('of one tree are not of another', () => {
    const other = leaderOf(300);
    const rows = [leader, row(300, { ppid: MASTER }), row(301, { ppid: 300 }), row(201, { ppid: 200 })];
    expect(membersOf(leaderOf(200), rows, {}, [other])).toEqual([200, 201]);
    expect(other.seen.has(301)).toBe(true);
  });

  test('of a tree that was found do not include the session it shares with strangers', () => {
    const tree = new Tree({ pid: 200, startedAt: '2000' }, 'mark-200', true, 70);
    const rows = [row(200, { sid: 70 }), row(201, { sid: 70 }), row(202, { ppid: 200, sid: 70 })];
    expect(membersOf(tree, rows)).toEqual([200, 202]);
  });

  test('a table in which parents go in a circle is read to its end', () => {
    expect(membersOf(leaderOf(200), [leader, row(401, { ppid: 402 }), row(402, { ppid: 401 })])).toEqual([
      200,
    ]);
  });
});
