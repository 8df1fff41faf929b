import type {
  NativeListener,
  NativeLoss,
  NativeProcess,
  NativeProcesses,
  NativeProcessQuery,
} from '../processes.ts';
import type { FlatText, WindowsAddon } from './addon.ts';
import { splitCommandLine } from './command-line.ts';
import { windowsCode } from './errors.ts';
import { checkedPid } from './identity.ts';
import type { WindowsProcess } from './native.ts';
import { decodeProcesses } from './rows.ts';

/** Fields of `look` in native/windows/src/process_glue.cc. */
const BITS = { argv: 1, exe: 2, cwd: 4, environment: 8, user: 16 } as const;
type Field = keyof typeof BITS;

const TCP = 6;

/** The processes that may be seen, with what the query asks. Files that they have open Windows does not tell. */
export function lookAtWindows(addon: WindowsAddon, query: NativeProcessQuery): NativeProcesses {
  const wanted = query.pids === undefined ? null : new Set(query.pids.map(checkedPid));
  const rows = decodeProcesses(addon.processTable()).filter(({ pid }) => wanted?.has(pid) !== false);
  const listeners = query.ports === undefined ? null : listenersByPid(addon, query.ports);
  let bits = 0;
  for (const field of Object.keys(BITS) as Field[]) if (query[field] === true) bits |= BITS[field];
  const processes = rows.flatMap((row) => {
    const seen = new Seen(addon, row, bits, query, listeners);
    return seen.isGone ? [] : [seen];
  });
  return { processes, hidden: false };
}

/** One variable; null: not set, gone, or not ours to read. Names are the same whatever their case. */
export function variableOf(addon: WindowsAddon, pid: number, name: string): string | null {
  const [, , , , environment] = addon.look(pid, BITS.environment);
  if (typeof environment !== 'string') return null;
  const wanted = name.toUpperCase();
  for (const entry of environment.split('\0')) {
    const equals = entry.indexOf('=', 1);
    if (equals > 0 && entry.slice(0, equals).toUpperCase() === wanted) return entry.slice(equals + 1);
  }
  return null;
}

function listenersByPid(
  addon: WindowsAddon,
  ports: NonNullable<NativeProcessQuery['ports']>,
): ReadonlyMap<number, readonly NativeListener[]> {
  const [numbers, texts] = addon.listeners();
  const addresses = texts.split(' ');
  const found = new Map<number, NativeListener[]>();
  for (let at = 0; at < numbers.length; at += 3) {
    const [pid = 0, number = 0, port = 0] = numbers.subarray(at, at + 3);
    const protocol = number === TCP ? 'tcp' : 'udp';
    const isAsked = ports === 'all' || ports.some((one) => one.protocol === protocol && one.port === port);
    if (!isAsked) continue;
    const all = found.get(pid) ?? [];
    all.push({ protocol, port, address: addresses[at / 3] as string });
    found.set(pid, all);
  }
  return found;
}

/** One process. What is asked for is read when the first of it is wanted, and then all at once. */
class Seen implements NativeProcess {
  readonly #addon: WindowsAddon;
  readonly #row: WindowsProcess;
  readonly #bits: number;
  readonly #query: NativeProcessQuery;
  readonly #listeners: ReadonlyMap<number, readonly NativeListener[]> | null;
  #texts: ReturnType<WindowsAddon['look']> | null = null;

  constructor(
    addon: WindowsAddon,
    row: WindowsProcess,
    bits: number,
    query: NativeProcessQuery,
    listeners: ReadonlyMap<number, readonly NativeListener[]> | null,
  ) {
    this.#addon = addon;
    this.#row = row;
    this.#bits = bits;
    this.#query = query;
    this.#listeners = listeners;
  }

  /** It ended before it could be asked, or its pid is another’s by now. */
  get isGone(): boolean {
    if (this.#bits === 0) return this.#row.state === 'Z';
    const [startTime] = this.#read();
    return startTime !== 0 && String(startTime) !== this.#row.startTime;
  }

  get pid(): number {
    return this.#row.pid;
  }

  get ppid(): number {
    return this.#row.ppid;
  }

  get startTime(): string {
    return this.#row.startTime;
  }

  get state(): string {
    return this.#row.state;
  }

  /** Windows’ own: the system itself, and what has no image of a program. */
  get isKernelThread(): boolean {
    return this.#row.pid === 4 || this.#row.name === '';
  }

  get name(): string {
    return this.#row.name;
  }

  get argv(): readonly string[] | null | undefined {
    const line = this.#text('argv');
    return typeof line === 'string' ? splitCommandLine(line) : line;
  }

  get exe(): string | null | undefined {
    return this.#text('exe');
  }

  get cwd(): string | null | undefined {
    return this.#text('cwd');
  }

  /** Users have no numbers here. */
  get user(): number | null | undefined {
    return this.#query.user === true ? null : undefined;
  }

  get environment(): ReadonlyMap<string, string> | null | undefined {
    const block = this.#text('environment');
    if (typeof block !== 'string') return block;
    const variables = new Map<string, string>();
    for (const entry of block.split('\0')) {
      // Those whose names begin with it are the system’s own: =C:=C:\somewhere.
      const equals = entry.indexOf('=', 1);
      if (equals > 0) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
    }
    return variables;
  }

  get listeners(): readonly NativeListener[] | null | undefined {
    return this.#listeners === null ? undefined : (this.#listeners.get(this.#row.pid) ?? []);
  }

  get files(): readonly string[] | null | undefined {
    return (this.#query.files ?? []).length === 0 ? undefined : null;
  }

  get losses(): readonly NativeLoss[] {
    const losses: NativeLoss[] = [];
    for (const field of ['argv', 'exe', 'cwd', 'environment'] as const) {
      const found = this.#raw(field);
      if (typeof found === 'number') losses.push({ field, code: windowsCode(found) });
    }
    if (this.user === null) losses.push({ field: 'user', code: 'ENOTSUP' });
    if (this.files === null) losses.push({ field: 'descriptors', code: 'ENOTSUP' });
    return losses;
  }

  #read(): ReturnType<WindowsAddon['look']> {
    this.#texts ??= this.#addon.look(this.#row.pid, this.#bits);
    return this.#texts;
  }

  #raw(field: Field): FlatText {
    if ((this.#bits & BITS[field]) === 0) return undefined;
    const [, argv, exe, cwd, environment, user] = this.#read();
    return { argv, exe, cwd, environment, user }[field];
  }

  #text(field: Field): string | null | undefined {
    const found = this.#raw(field);
    return typeof found === 'number' ? null : found;
  }
}
