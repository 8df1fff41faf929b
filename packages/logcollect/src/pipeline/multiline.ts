import type { Clock, MultilineSpec } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import { stackTraces } from './stack-traces.ts';
import { patternOf } from './stage.ts';

/** Says of the lines of one stream, in their order, which continue the one before them. */
export type Continues = (text: string) => boolean;

interface Held {
  readonly first: LogRecord;
  readonly texts: string[];
  bytes: number;
  damaged: boolean;
  /** When it was last added to, by the monotonic clock. */
  touched: number;
}

interface Stream {
  readonly continues: Continues;
  held: Held | null;
}

/** Joins lines that belong together. Each stream of each run is looked at for itself. */
export interface Joiner {
  /** What is complete now that this record is there. */
  push(record: LogRecord): readonly LogRecord[];
  /** What is held, complete or not; nothing is held afterwards. */
  flush(): LogRecord[];
}

/** A record that nothing was added to for the time of the spec goes to `late`. */
export function joiner(
  spec: MultilineSpec,
  clock: Pick<Clock, 'now' | 'after'>,
  late: (records: readonly LogRecord[]) => void,
): Joiner {
  return new Joining(spec, clock, late);
}

const NOTHING: readonly LogRecord[] = Object.freeze([]);
/** A joined text is given the newlines of its lines again. */
const NEWLINE_BYTES = 1;

class Joining implements Joiner {
  readonly #spec: MultilineSpec;
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #late: (records: readonly LogRecord[]) => void;
  readonly #continues: () => Continues;
  readonly #streams = new Map<string, Stream>();
  #cancelTimer: (() => void) | null = null;

  constructor(
    spec: MultilineSpec,
    clock: Pick<Clock, 'now' | 'after'>,
    late: (records: readonly LogRecord[]) => void,
  ) {
    this.#spec = spec;
    this.#clock = clock;
    this.#late = late;
    this.#continues = continuesBy(spec);
  }

  push(record: LogRecord): readonly LogRecord[] {
    const stream = this.#streamOf(record);
    const complete: LogRecord[] = [];
    // Pieces of a long line are joined to nothing.
    if (record.piece !== 'whole') {
      if (stream.held !== null) complete.push(joined(stream.held));
      stream.held = null;
      complete.push(record);
      return complete;
    }
    const continues = stream.continues(record.text);
    const { held } = stream;
    const bytes = Buffer.byteLength(record.text) + NEWLINE_BYTES;
    const { maxLines, maxBytes } = this.#spec;
    if (continues && held !== null && held.texts.length < maxLines && held.bytes + bytes <= maxBytes) {
      held.texts.push(record.text);
      held.bytes += bytes;
      held.damaged ||= record.damaged;
      held.touched = this.#clock.now();
      return NOTHING;
    }
    if (held !== null) complete.push(joined(held));
    stream.held = {
      first: record,
      texts: [record.text],
      bytes,
      damaged: record.damaged,
      touched: this.#clock.now(),
    };
    this.#watch(this.#spec.timeout);
    return complete;
  }

  flush(): LogRecord[] {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const all = [...this.#streams.values()].flatMap(({ held }) => (held === null ? [] : [joined(held)]));
    this.#streams.clear();
    return all;
  }

  #streamOf({ run, stream }: LogRecord): Stream {
    const key = `${run} ${stream}`;
    let known = this.#streams.get(key);
    if (known === undefined) {
      known = { continues: this.#continues(), held: null };
      this.#streams.set(key, known);
    }
    return known;
  }

  #watch(delay: number): void {
    this.#cancelTimer ??= this.#clock.after(delay, () => {
      this.#cancelTimer = null;
      this.#release();
    });
  }

  #release(): void {
    const now = this.#clock.now();
    const { timeout } = this.#spec;
    const complete: LogRecord[] = [];
    let soonest = Infinity;
    for (const [key, stream] of this.#streams) {
      const { held } = stream;
      // A stream without anything held may be of a run that is over.
      if (held === null) this.#streams.delete(key);
      else if (now - held.touched >= timeout) {
        complete.push(joined(held));
        stream.held = null;
      } else soonest = Math.min(soonest, held.touched + timeout - now);
    }
    if (soonest < Infinity) this.#watch(soonest);
    if (complete.length > 0) this.#late(complete);
  }
}

function joined({ first, texts, damaged }: Held): LogRecord {
  if (texts.length === 1) return first;
  const text = texts.join('\n');
  return { ...first, text, message: text, damaged };
}

function continuesBy(spec: MultilineSpec): () => Continues {
  const first = spec.firstLine === null ? null : patternOf(spec.firstLine);
  const more = spec.continues === null ? null : patternOf(spec.continues);
  return () => {
    const traces = spec.presets.map((preset) => stackTraces(preset));
    return (text) => {
      // Every kind of stack trace sees every line, since some remember what came before.
      let continues = false;
      for (const trace of traces) continues = trace(text) || continues;
      if (first !== null) return !first.test(text);
      return continues || (more !== null && more.test(text));
    };
  };
}
