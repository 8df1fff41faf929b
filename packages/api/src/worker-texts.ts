import type { UsageView, WorkerView } from '@hsu-master/core';
import * as told from './told.ts';

/** What is told of a worker, and what it was made from. */
interface Text {
  readonly view: WorkerView;
  /** JSON without what it uses, and without its end. */
  readonly bytes: Buffer;
}

/** A whole answer, and what it was put together from. */
interface Answer {
  readonly head: string;
  readonly parts: readonly Buffer[];
  readonly body: Buffer;
}

const COMMA = Buffer.from(',');
const NO_USAGE = Buffer.from(',"usage":null}');
const END = Buffer.from(']}');

/**
 * Lists of workers as JSON. Most workers are as they were when somebody asked before, and to put them into words again is most of what
 * an answer takes: their words are kept, and made anew for those that differ in anything. So is the last answer, for whoever asks while
 * nothing happens.
 */
export class WorkerTexts {
  readonly #known = new Map<string, Text>();
  #last: Answer | null = null;

  /** @param all whether these are all workers that there are */
  list(master: string, seq: number, workers: readonly WorkerView[], all: boolean): Buffer {
    const head = `{"master":${JSON.stringify(master)},"seq":${seq},"workers":[`;
    const parts: Buffer[] = [];
    for (const worker of workers) parts.push(this.#bytes(worker), usageBytes(worker.usage));
    if (all && this.#known.size > 2 * workers.length) this.#forget(workers);
    const last = this.#last;
    if (last?.head === head && isSameList(last.parts, parts)) return last.body;
    const joined = parts.flatMap((part, at) => (at > 0 && at % 2 === 0 ? [COMMA, part] : [part]));
    const body = Buffer.concat([Buffer.from(head), ...joined, END]);
    this.#last = { head, parts, body };
    return body;
  }

  #bytes(view: WorkerView): Buffer {
    const known = this.#known.get(view.id);
    if (known !== undefined && (known.view === view || isSame(known.view, view))) return known.bytes;
    const { usage: _, ...rest } = told.worker(view);
    const bytes = Buffer.from(JSON.stringify(rest).slice(0, -1));
    this.#known.set(view.id, { view, bytes });
    return bytes;
  }

  /** Those that are there no longer. */
  #forget(workers: readonly WorkerView[]): void {
    const ids = new Set(workers.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
  }
}

function usageBytes(usage: UsageView | null): Buffer {
  return usage === null ? NO_USAGE : Buffer.from(`,"usage":${JSON.stringify(told.usage(usage))}}`);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}

/** Whether two views say the same, but for what is used. */
function isSame(a: WorkerView, b: WorkerView): boolean {
  for (const key in b) {
    const name = key as keyof WorkerView;
    if (name !== 'usage' && !isEqual(a[name], b[name])) return false;
  }
  return true;
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(b);
  if (Object.keys(a).length !== keys.length) return false;
  return keys.every((key) =>
    isEqual((a as Readonly<Record<string, unknown>>)[key], (b as Readonly<Record<string, unknown>>)[key]),
  );
}
