import type { Milliseconds, MonotonicTime } from '@hsu-master/core';

/** Wrong tokens of one address that are nothing but mistakes. */
const HARMLESS = 5;
/** After the first that is more; twice as long after each later one. */
const SHORTEST: Milliseconds = 2000;
const LONGEST: Milliseconds = 300_000;
/** What is forgotten after so long without another. */
const MEMORY: Milliseconds = 900_000;
/** Addresses that are remembered; of more the oldest are forgotten. */
const MOST = 4096;
const MOST_KNOWN = 16;

interface Record {
  readonly wrong: number;
  readonly at: MonotonicTime;
  readonly until: MonotonicTime;
  /** Ids of tokens that were right from there before: they go on, so that nobody locks out those behind the same proxy. */
  readonly known: readonly string[];
}

const NONE: Record = { wrong: 0, at: 0, until: 0, known: [] };

/** Who has shown too many wrong tokens, by address. */
export class LockOut {
  readonly #records = new Map<string, Record>();

  /** How long it is not answered any more; 0: it is. */
  remaining(from: string, now: MonotonicTime): Milliseconds {
    return Math.max(0, this.#of(from, now).until - now);
  }

  knows(from: string, tokenId: string): boolean {
    return this.#records.get(keyOf(from))?.known.includes(tokenId) === true;
  }

  /** A wrong one; returns for how long it is locked out now. */
  wrong(from: string, now: MonotonicTime): Milliseconds {
    const before = this.#of(from, now);
    const wrong = before.wrong + 1;
    const over = wrong - HARMLESS;
    const span = over < 0 ? 0 : Math.min(LONGEST, SHORTEST * 2 ** Math.min(over, 20));
    this.#keep(from, { wrong, at: now, until: now + span, known: before.known });
    return span;
  }

  right(from: string, tokenId: string): void {
    const before = this.#records.get(keyOf(from)) ?? NONE;
    if (before.known.includes(tokenId)) return;
    this.#keep(from, { ...before, known: [...before.known, tokenId].slice(-MOST_KNOWN) });
  }

  #of(from: string, now: MonotonicTime): Record {
    const record = this.#records.get(keyOf(from)) ?? NONE;
    return record.wrong > 0 && now - Math.max(record.at, record.until) > MEMORY
      ? { ...NONE, known: record.known }
      : record;
  }

  #keep(from: string, record: Record): void {
    const key = keyOf(from);
    this.#records.delete(key);
    this.#records.set(key, record);
    if (this.#records.size <= MOST) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }
}

/** Whoever has an address of version 6 has 2^64 of them: they count as one. By whichever way they come. */
function keyOf(from: string): string {
  const address = from.slice(from.indexOf(' ') + 1).replace(/^::ffff:(?=\d+\.)/, '');
  if (!address.includes(':')) return address;
  const [left = '', right] = address.split('%')[0]?.split('::') ?? [];
  const head = left.split(':').filter((group) => group !== '');
  const tail = (right ?? '').split(':').filter((group) => group !== '');
  const zeros =
    right === undefined ? [] : Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
