import type { LimitName, LimitsSpec } from '@hsu-master/core';
import type { Controller1, GroupWrite } from './facilities.ts';
import type { ProcessPlan, Setting } from './limit-plan.ts';

/** Whose files a limit is written to: 2 or 1, or 0 where there is no group for it. */
export type Tier = 0 | 1 | 2;

/** What one limit is planned from. */
export interface Ask {
  readonly limit: LimitName;
  readonly value: number;
  readonly limits: LimitsSpec;
  readonly setting: Setting;
  readonly tier: Tier;
  /** A budget of several workers, not one worker’s limit. */
  readonly isQuota: boolean;
}

/** What one limit comes down to. */
export interface Piece {
  /** `writes` belong to the tier it was asked for. */
  readonly writes: readonly GroupWrite[];
  readonly process: Partial<ProcessPlan>;
  readonly avoids: readonly Controller1[];
  readonly notes: readonly string[];
  /** More precise than the table’s; null: the table’s. */
  readonly mechanism: string | null;
}

/** The limit cannot be had after all. */
export interface Refusal {
  readonly refused: 'watched' | 'impossible';
  readonly reason: string;
}

export const nothing: Piece = { writes: [], process: {}, avoids: [], notes: [], mechanism: null };

export function refuse(reason: string, refused: Refusal['refused'] = 'impossible'): Refusal {
  return { refused, reason };
}

/** Whether the groups here have a control file; where that is not known they are taken to. */
export function hasFile({ machine }: Setting, file: string): boolean {
  return machine.files === null || machine.files.has(file);
}

/** `1-3,7`, as the kernel writes lists of CPUs. */
export function formatCpus(cpus: readonly number[]): string {
  const sorted = [...new Set(cpus)].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const cpu of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && cpu === last[1] + 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}
