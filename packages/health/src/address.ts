import type { Clock, Milliseconds } from '@hsu-master/core';
import type { Cancel } from './answer.ts';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Asks the system for the addresses of a name. May take as long as it likes, or never answer. */
export type Lookup = (
  name: string,
  answered: (error: Error | null, addresses: readonly Address[]) => void,
) => void;

const LOOPBACK: readonly Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Finds addresses so that a resolver that hangs harms nobody else. The system's lookup occupies one of libuv's few threads
 * until it answers and cannot be cancelled; so addresses and `localhost` never ask it, a name has at most one question
 * under way however many probes want it, and a name that was found before is used again while the resolver is silent.
 */
export class AddressBook {
  readonly #lookup: Lookup;
  readonly #asked = new Map<string, Set<(error: Error | null, found: readonly Address[]) => void>>();
  readonly #known = new Map<string, readonly Address[]>();

  constructor(lookup: Lookup = systemLookup) {
    this.#lookup = lookup;
  }

  /**
   * Calls `done` once, possibly from within this call. While the lookup is silent, addresses found earlier are answered after
   * `patience`; without them the answer waits, and the caller's own time-out bounds it.
   */
  find(
    name: string,
    clock: Clock,
    patience: Milliseconds,
    done: (error: Error | null, found: readonly Address[]) => void,
  ): Cancel {
    const fixed = withoutLookup(name);
    if (fixed !== null) {
      done(null, fixed);
      return () => undefined;
    }
    const settle = (error: Error | null, found: readonly Address[]) => {
      cancel();
      done(error, found);
    };
    const known = this.#known.get(name);
    const stopWaiting = known === undefined ? null : clock.after(patience, () => settle(null, known));
    const cancel = () => {
      stopWaiting?.();
      waiting.delete(settle);
    };
    const asked = this.#asked.get(name);
    const waiting = asked ?? new Set();
    waiting.add(settle);
    if (asked === undefined) this.#ask(name, waiting);
    return cancel;
  }

  #ask(name: string, waiting: Set<(error: Error | null, found: readonly Address[]) => void>): void {
    this.#asked.set(name, waiting);
    this.#lookup(name, (error, found) => {
      this.#asked.delete(name);
      if (error === null && found.length > 0) this.#known.set(name, found);
      const failure = error ?? (found.length > 0 ? null : new Error(`${name} has no address`));
      for (const settle of waiting) settle(failure, found);
    });
  }
}

function withoutLookup(name: string): readonly Address[] | null {
  const { isIP } = process.getBuiltinModule('node:net');
  const bare = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  const family = isIP(bare);
  if (family !== 0) return [{ address: bare, family }];
  const lower = bare.toLowerCase();
  return lower === 'localhost' || lower.endsWith('.localhost') ? LOOPBACK : null;
}

function systemLookup(name: string, answered: Parameters<Lookup>[1]): void {
  process.getBuiltinModule('node:dns').lookup(name, { all: true }, (error, found) => {
    answered(error, error === null ? found : []);
  });
}
