import { readFileSync } from 'node:fs';
import type { ProcessIdentity, WorkerId } from '@hsu-master/core';

/** What stands beside a pid file: whom the number meant. A pid alone may be another’s by now. */
export interface ProcessRecord {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly process: ProcessIdentity;
  /** Of the machine’s boot: afterwards nobody of before is alive. */
  readonly bootId: string;
  readonly port: number | null;
}

export function formatRecord({ workerId, run, process, bootId, port }: ProcessRecord): string {
  const { pid, startedAt } = process;
  return `${JSON.stringify({ pid, startedAt, bootId, worker: workerId, run, port })}\n`;
}

/** null: it is not there, or says nothing that can be believed. */
export function readRecord(file: string): ProcessRecord | null {
  let written: unknown;
  try {
    written = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
  if (typeof written !== 'object' || written === null) return null;
  const { pid, startedAt, bootId, worker, run, port } = written as Record<string, unknown>;
  if (!isPid(pid) || typeof startedAt !== 'string' || typeof bootId !== 'string') return null;
  if (typeof worker !== 'string' || typeof run !== 'number') return null;
  const known = typeof port === 'number' && Number.isInteger(port) && port > 0 && port <= 65_535;
  return { workerId: worker, run, process: { pid, startedAt }, bootId, port: known ? port : null };
}

/** The largest that any system has: 2^22 on Linux, 99998 on macOS. */
const LARGEST_PID = 2 ** 22;

function isPid(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LARGEST_PID;
}

/** The number in a file of pid or port form: decimal, alone. null: garbage, empty, negative, huge, or no file. */
export function readPid(file: string): number | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  const pid = Number(/^\s*(\d{1,10})\s*$/.exec(text)?.[1]);
  return isPid(pid) ? pid : null;
}
