import type { Addon } from './addon.ts';
import * as check from './check.ts';
import { errnoName } from './failure.ts';

/** What a look at processes is to tell. What is not asked for costs nothing and is `undefined`. */
export interface NativeProcessQuery {
  /** Absent: all that may be seen. */
  readonly pids?: readonly number[];
  readonly argv?: boolean;
  readonly exe?: boolean;
  readonly cwd?: boolean;
  readonly user?: boolean;
  readonly environment?: boolean;
  /** `all`: every port that is listened on. Where nobody listens on any that are asked for no descriptors are read. */
  readonly ports?: 'all' | readonly NativePort[];
  /** Absolute paths, without symbolic links, also of unix sockets: who has them open. */
  readonly files?: readonly string[];
}

export interface NativePort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

/** A socket that waits for connections, or one of UDP that is bound and not connected. */
export interface NativeListener extends NativePort {
  /** `0.0.0.0`, `::`, `127.0.0.1`, … */
  readonly address: string;
}

/** Why something of a process could not be read: `EACCES`, `ENOENT`, … */
export interface NativeLoss {
  readonly field: 'argv' | 'exe' | 'cwd' | 'user' | 'environment' | 'descriptors';
  readonly code: string;
}

/** One process as a look saw it. */
export interface NativeProcess {
  readonly pid: number;
  readonly ppid: number;
  /** Clock ticks since boot, decimal. */
  readonly startTime: string;
  readonly state: string;
  readonly isKernelThread: boolean;
  /** At most 15 bytes; programs may change it. */
  readonly name: string;
  /** Programs may write over it, nginx and PostgreSQL do. `null`: not ours to read; empty for kernel threads and zombies. */
  readonly argv: readonly string[] | null | undefined;
  readonly exe: string | null | undefined;
  readonly cwd: string | null | undefined;
  /** The effective user’s number. */
  readonly user: number | null | undefined;
  /** As it was at its exec. */
  readonly environment: ReadonlyMap<string, string> | null | undefined;
  readonly listeners: readonly NativeListener[] | null | undefined;
  /** Those of the asked files that it has open. */
  readonly files: readonly string[] | null | undefined;
  /** What was asked for and could not be read. */
  readonly losses: readonly NativeLoss[];
}

export interface NativeProcesses {
  readonly processes: readonly NativeProcess[];
  /** Processes of others are not shown to us at all (`hidepid`). */
  readonly hidden: boolean;
}

/** In the order of `read_query` in native/shared/hsu/glue/proctable_object.cc. */
const BITS = { argv: 1, exe: 2, cwd: 4, user: 8, environment: 16 } as const;
const ALL_PORTS = 32;

/** As in <netinet/in.h>. */
const PROTOCOLS = { tcp: 6, udp: 17 } as const;

/** Numbers of a `LookRow` in native/linux/src/proctable_look.h. */
const WIDTH = 12;
const KERNEL_THREAD = 0x0020_0000;

export function lookAtProcesses(addon: Addon, query: NativeProcessQuery): NativeProcesses {
  const { pids, ports, files = [] } = query;
  let bits = ports === 'all' ? ALL_PORTS : 0;
  for (const [key, bit] of Object.entries(BITS))
    if (check.boolean(query[key as keyof typeof BITS] ?? false, key)) bits |= bit;
  const flat = addon.lookAtProcesses(
    pids === undefined ? null : Float64Array.from(pids, check.pid),
    bits,
    flatPorts(ports),
    check.joined(files, 'files'),
  );
  const asksPorts = ports !== undefined;
  return { processes: decode(flat, { asksPorts, files }), hidden: flat[6] };
}

function flatPorts(ports: NativeProcessQuery['ports']): Float64Array {
  if (ports === undefined || ports === 'all') return new Float64Array();
  return Float64Array.from(
    ports.flatMap(({ protocol, port }) => {
      check.oneOf(protocol, 'protocol', ['tcp', 'udp']);
      return [PROTOCOLS[protocol], check.integer(port, 'port', 1, 65_535)];
    }),
  );
}

interface Asked {
  readonly asksPorts: boolean;
  readonly files: readonly string[];
}

/** As the addon returns it: rows, texts, sockets, their addresses, who listens on which, who holds which file, hidden. */
export type FlatLook = readonly [
  Float64Array,
  Buffer,
  Float64Array,
  string,
  Float64Array,
  Float64Array,
  boolean,
];

function decode(flat: FlatLook, asked: Asked): readonly NativeProcess[] {
  const [rows, texts, , , listens, holds] = flat;
  const sockets = listenersOf(flat);
  const listeners = byRow(listens, (at) => sockets[at] as NativeListener);
  const held = byRow(holds, (at) => asked.files[at] as string);
  const processes: NativeProcess[] = [];
  let offset = 0;
  for (let at = 0, row = 0; at < rows.length; at += WIDTH, row += 1) {
    const process = new Row({
      rows,
      at,
      texts,
      offset,
      asked,
      listeners: listeners.get(row),
      files: held.get(row),
    });
    offset += process.length;
    processes.push(process);
  }
  return processes;
}

function byRow<T>(pairs: Float64Array, item: (at: number) => T): ReadonlyMap<number, readonly T[]> {
  const found = new Map<number, T[]>();
  for (let at = 0; at < pairs.length; at += 2) {
    const row = pairs[at] as number;
    const items = found.get(row) ?? [];
    items.push(item(pairs[at + 1] as number));
    found.set(row, items);
  }
  return found;
}

function listenersOf([, , sockets, addresses]: FlatLook): readonly NativeListener[] {
  const words = addresses.split(' ');
  return Array.from({ length: sockets.length / 4 }, (_, index) => ({
    protocol: sockets[4 * index] === PROTOCOLS.tcp ? 'tcp' : 'udp',
    port: sockets[4 * index + 2] as number,
    address: addressOf(words[index] as string),
  }));
}

/** Words of 32 bits, each in the byte order of the machine; all machines that we are built for begin with the lowest byte. */
function addressOf(hexadecimal: string): string {
  const bytes: number[] = [];
  for (let word = 0; word < hexadecimal.length; word += 8)
    for (let byte = 6; byte >= 0; byte -= 2)
      bytes.push(Number.parseInt(hexadecimal.slice(word + byte, word + byte + 2), 16));
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.every((byte, at) => at >= 12 || byte === (at >= 10 ? 0xff : 0));
  if (isMapped) return bytes.slice(12).join('.');
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2)
    groups.push((((bytes[at] as number) << 8) | (bytes[at + 1] as number)).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

interface Place {
  readonly rows: Float64Array;
  readonly at: number;
  readonly texts: Buffer;
  readonly offset: number;
  readonly asked: Asked;
  readonly listeners: readonly NativeListener[] | undefined;
  readonly files: readonly string[] | undefined;
}

const TEXTS = ['name', 'argv', 'exe', 'cwd', 'environment'] as const;

/** One row; its texts become strings when they are asked for: of most processes nobody wants them all. */
class Row implements NativeProcess {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  #number(column: number): number {
    return this.#place.rows[this.#place.at + column] as number;
  }

  /** undefined: not asked for; null: not to be read. */
  #bytes(index: number): Buffer | null | undefined {
    const length = this.#number(6 + index);
    if (Number.isNaN(length)) return undefined;
    if (length < 0) return null;
    let { offset } = this.#place;
    for (let before = 0; before < index; before += 1) offset += Math.max(0, this.#number(6 + before) || 0);
    return this.#place.texts.subarray(offset, offset + length);
  }

  /** Bytes of all its texts. */
  get length(): number {
    let length = 0;
    for (let index = 0; index < TEXTS.length; index += 1) length += Math.max(0, this.#number(6 + index) || 0);
    return length;
  }

  get pid(): number {
    return this.#number(0);
  }

  get ppid(): number {
    return this.#number(1);
  }

  get startTime(): string {
    return String(this.#number(2));
  }

  get state(): string {
    return String.fromCharCode(this.#number(3));
  }

  get isKernelThread(): boolean {
    return (this.#number(4) & KERNEL_THREAD) !== 0;
  }

  get name(): string {
    return this.#bytes(0)?.toString() ?? '';
  }

  get argv(): readonly string[] | null | undefined {
    const bytes = this.#bytes(1);
    if (bytes === null || bytes === undefined) return bytes;
    return wordsOf(bytes);
  }

  get exe(): string | null | undefined {
    return this.#text(2);
  }

  get cwd(): string | null | undefined {
    return this.#text(3);
  }

  get user(): number | null | undefined {
    const user = this.#number(5);
    if (Number.isNaN(user)) return undefined;
    return user < 0 ? null : user;
  }

  get environment(): ReadonlyMap<string, string> | null | undefined {
    const bytes = this.#bytes(4);
    if (bytes === null || bytes === undefined) return bytes;
    const variables = new Map<string, string>();
    for (const entry of wordsOf(bytes)) {
      const equals = entry.indexOf('=');
      const name = entry.slice(0, equals);
      // The first one counts, as for getenv.
      if (equals > 0 && !variables.has(name)) variables.set(name, entry.slice(equals + 1));
    }
    return variables;
  }

  get listeners(): readonly NativeListener[] | null | undefined {
    if (!this.#place.asked.asksPorts) return undefined;
    return this.#number(11) < 0 ? null : (this.#place.listeners ?? []);
  }

  get files(): readonly string[] | null | undefined {
    if (this.#place.asked.files.length === 0) return undefined;
    return this.#number(11) < 0 ? null : (this.#place.files ?? []);
  }

  get losses(): readonly NativeLoss[] {
    const losses: NativeLoss[] = [];
    const note = (field: NativeLoss['field'], value: number): void => {
      if (value < 0) losses.push({ field, code: errnoName(-value) });
    };
    note('argv', this.#number(7));
    note('exe', this.#number(8));
    note('cwd', this.#number(9));
    note('environment', this.#number(10));
    note('user', this.#number(5));
    note('descriptors', this.#number(11));
    return losses;
  }

  #text(index: number): string | null | undefined {
    const bytes = this.#bytes(index);
    return bytes === null || bytes === undefined ? bytes : bytes.toString();
  }
}

/** Texts that each end with a NUL. A program that has written over its arguments leaves NULs behind the last. */
function wordsOf(bytes: Buffer): readonly string[] {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end === 0 ? [] : bytes.toString('utf8', 0, end).split('\0');
}
