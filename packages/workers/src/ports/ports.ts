import {
  type Command,
  choosePort,
  HANDED_OVER,
  type Host,
  HsuError,
  type ListenAddress,
  type ListenSpec,
  type WorkerId,
  type WorkerSpec,
  withPort,
} from '@hsu-master/core';
import { holderOf } from './holder.ts';
import { type PortMemory, shortMemory } from './port-memory.ts';

/** What a run is started with. */
export interface Assignment {
  readonly port: number | null;
  readonly command: Command;
  readonly listens: readonly ListenAddress[];
}

interface Held {
  readonly port: number;
  release(): void;
}

const NO_SOCKETS: readonly ListenAddress[] = Object.freeze([]);

/**
 * Gives workers their TCP ports. A port is held from the moment it is chosen to the end of the master, over all restarts of its worker.
 * What remains: between the choice and the program’s own bind, a stranger that asks for this very number, and shares addresses, gets it.
 */
export class Ports {
  readonly #host: Pick<Host, 'reservePort'>;
  readonly #memory: PortMemory;
  readonly #held = new Map<WorkerId, Held>();

  constructor(host: Pick<Host, 'reservePort'>, memory: PortMemory = shortMemory()) {
    this.#host = host;
    this.#memory = memory;
  }

  /**
   * The command with the port that its worker is to listen on.
   * @throws HsuError E_PORT where there is none to be had; it names who has it
   */
  assign({ id, command, listen }: WorkerSpec): Assignment {
    if (listen === null) return { port: null, command, listens: NO_SOCKETS };
    const held = this.#held.get(id);
    if (held !== undefined && !isIn(listen, held.port)) this.#release(id);
    const { port } = this.#held.get(id) ?? this.#hold(id, listen);
    return {
      port,
      command: withPort(command, listen, port),
      listens: listen.handOver === 'socket' ? [{ address: HANDED_OVER, port }] : NO_SOCKETS,
    };
  }

  /** The port of a worker’s present or last run, also of one that an earlier master started. */
  portOf({ id, listen }: Pick<WorkerSpec, 'id' | 'listen'>): number | null {
    return listen === null ? null : (this.#held.get(id)?.port ?? this.#memory.recall(id));
  }

  /** There is no such worker any more: its port is anybody’s. */
  forget(id: WorkerId): void {
    this.#release(id);
    this.#memory.forget(id);
  }

  /** Lets go of all; programs that listen are not touched. */
  close(): void {
    for (const held of this.#held.values()) held.release();
    this.#held.clear();
  }

  #release(id: WorkerId): void {
    this.#held.get(id)?.release();
    this.#held.delete(id);
  }

  #hold(id: WorkerId, { range }: ListenSpec): Held {
    const others = new Set([...this.#held.values()].map(({ port }) => port));
    const refused = new Set<number>();
    let reason = 'all belong to other workers';
    for (;;) {
      const last = this.#memory.recall(id);
      const wanted = choosePort({ range, last, salt: saltOf(id), held: others, refused });
      if (wanted === null) throw noPort(id, range, reason, refused);
      const answer = this.#host.reservePort(wanted);
      if (answer.ok) {
        this.#keep(id, answer);
        return answer;
      }
      refused.add(wanted);
      reason = answer.taken ? 'somebody has it' : answer.reason;
    }
  }

  #keep(id: WorkerId, held: Held): void {
    try {
      this.#memory.keep(id, held.port);
    } catch (error) {
      held.release();
      const why = error instanceof Error ? error.message : String(error);
      throw new HsuError('E_STATE', `its port ${held.port} cannot be written down: ${why}`, { id }, error);
    }
    this.#held.set(id, held);
  }
}

function isIn({ range }: ListenSpec, port: number): boolean {
  return range === null || (port >= range.first && port <= range.last);
}

function noPort(
  id: WorkerId,
  range: ListenSpec['range'],
  reason: string,
  refused: ReadonlySet<number>,
): HsuError {
  if (range === null) return new HsuError('E_PORT', `no port is free: ${reason}`, { id });
  const { first, last } = range;
  if (first !== last)
    return new HsuError('E_PORT', `no port from ${first} to ${last} is free`, { id, first, last });
  // Only here: whoever has it is looked for among all processes.
  const holder = refused.has(first) ? holderOf(first) : null;
  const who = holder === null ? reason : `pid ${holder.pid} (${holder.name}) has ${first}`;
  return new HsuError('E_PORT', `port ${first} is taken: ${who}`, { id, first, last });
}

/** The same for the same worker each time: FNV-1a. */
function saltOf(id: WorkerId): number {
  let salt = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) salt = Math.imul(salt ^ id.charCodeAt(at), 0x01000193) >>> 0;
  return salt;
}
