import { formatSize, type LimitsSpec } from '@hsu-master/core';
import type { GroupWrite } from './facilities.ts';
import type { Machine, Setting } from './limit-plan.ts';
import { type Ask, hasFile, nothing, type Piece, type Refusal, refuse } from './piece.ts';

const LIMIT1 = 'memory.limit_in_bytes';
const BOTH1 = 'memory.memsw.limit_in_bytes';

/** An OOM kill in a v2 group takes all of it. */
const wholeGroup: GroupWrite = {
  controller: 'memory',
  file: 'memory.oom.group',
  value: '1',
  neutral: '0',
  limits: [],
};

export function planMaxRss(ask: Ask): Piece {
  const { value, setting } = ask;
  const { machine, facilities } = setting;
  const notes = tooMuch(value, machine);
  if (!facilities.countsSwap) {
    const why = facilities.missing.get('swap');
    notes.push(`swap is not limited here${why === undefined ? '' : `: ${why}`}`);
  }
  return { ...nothing, writes: ask.tier === 2 ? maxRss2(ask) : maxRss1(ask), notes };
}

/** Where memory runs out in a budget around it, a worker dies whole as well, whatever limits of its own it has. */
export function diesWhole(limits: LimitsSpec | null, setting: Setting): readonly GroupWrite[] {
  const { facilities, quotas } = setting;
  const hasBudget = quotas.some((quota) => quota.limits.values['memory.max_rss'] !== undefined);
  const isDone = limits?.values['memory.max_rss'] !== undefined;
  const isThere = facilities.tree2?.controllers.has('memory') === true && hasFile(setting, wholeGroup.file);
  return hasBudget && isThere && !isDone ? [wholeGroup] : [];
}

function maxRss2({ value, limits, setting, isQuota }: Ask): GroupWrite[] {
  const { machine, facilities } = setting;
  const writes: GroupWrite[] = [memory2('memory.max', inPages(value, machine), 'memory.max_rss')];
  if (facilities.countsSwap && limits.values['memory.max_swap'] === undefined) {
    writes.push({ ...memory2('memory.swap.max', '0', 'memory.max_rss'), limits: [] });
  }
  // Of a quota it would take all workers for the greed of one.
  if (!isQuota && hasFile(setting, wholeGroup.file)) writes.push(wholeGroup);
  return writes;
}

/** Memory alone, then memory and swap together, which is never less. */
function maxRss1({ value, limits, setting }: Ask): GroupWrite[] {
  const { machine, facilities } = setting;
  const swap = limits.values['memory.max_swap'];
  const memory: GroupWrite = {
    controller: 'memory',
    file: LIMIT1,
    value: inPages(value, machine),
    neutral: '-1',
    limits: ['memory.max_rss'],
  };
  if (!facilities.countsSwap) return [memory];
  const both = inPages(value + (swap ?? 0), machine);
  return [
    memory,
    { ...memory, file: BOTH1, value: both, limits: swap === undefined ? [] : ['memory.max_swap'] },
  ];
}

export function planHigh({ value, setting: { machine } }: Ask): Piece {
  const writes = [memory2('memory.high', inPages(value, machine), 'memory.high')];
  return { ...nothing, writes, notes: tooMuch(value, machine) };
}

export function planMaxSwap(ask: Ask): Piece | Refusal {
  const { value, limits, setting, tier } = ask;
  const { machine, facilities } = setting;
  if (!facilities.countsSwap) {
    return refuse(facilities.missing.get('swap') ?? 'the kernel does not count swap of groups here');
  }
  if (tier === 2) {
    return { ...nothing, writes: [memory2('memory.swap.max', inPages(value, machine), 'memory.max_swap')] };
  }
  const memory = limits.values['memory.max_rss'];
  if (memory === undefined) {
    return refuse(
      'cgroup v1 limits only memory and swap together; to be enforced it needs memory.max_rss as well',
      'watched',
    );
  }
  return { ...nothing, writes: maxRss1({ ...ask, value: memory }).slice(1) };
}

/**
 * The order in which the two v1 files can be written: memory alone may never exceed memory and swap together, on the way neither.
 * @param from their values now; Infinity: none.
 */
export function orderMemory1(
  from: { readonly memory: number; readonly both: number },
  to: { readonly memory: number; readonly both: number },
): readonly ['memory' | 'both', 'memory' | 'both'] {
  return to.memory <= from.both ? ['memory', 'both'] : ['both', 'memory'];
}

/** Brings writes to a living v1 group into an order that the kernel takes. @param before what its files were set to. */
export function inOrder1(
  writes: readonly GroupWrite[],
  before: readonly GroupWrite[],
): readonly GroupWrite[] {
  const memory = writes.find(({ file }) => file === LIMIT1);
  const both = writes.find(({ file }) => file === BOTH1);
  if (memory === undefined || both === undefined) return writes;
  const was = (file: string): number => amount(before.find((write) => write.file === file)?.value);
  const order = orderMemory1(
    { memory: was(LIMIT1), both: was(BOTH1) },
    { memory: amount(memory.value), both: amount(both.value) },
  );
  const pair = order[0] === 'memory' ? [memory, both] : [both, memory];
  return [...writes.filter((write) => write !== memory && write !== both), ...pair];
}

function amount(text: string | undefined): number {
  return text === undefined || text === '-1' ? Number.POSITIVE_INFINITY : Number(text);
}

function memory2(file: string, value: string, limit: GroupWrite['limits'][number]): GroupWrite {
  return { controller: 'memory', file, value, neutral: 'max', limits: [limit] };
}

/** The kernel counts in pages and rounds down; written so, the file reads back as it was written. */
function inPages(bytes: number, { pageSize }: Machine): string {
  return String(Math.min(Math.floor(bytes / pageSize) * pageSize, Number.MAX_SAFE_INTEGER));
}

function tooMuch(bytes: number, { totalMemory }: Machine): string[] {
  return bytes > totalMemory ? [`more than the ${formatSize(totalMemory)} of this machine`] : [];
}
