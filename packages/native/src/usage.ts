import type { Addon } from './addon.ts';
import { boolean, integer, pid, text } from './check.ts';
import type {
  NativeGroupUsage,
  NativePressure,
  NativeProcessCount,
  NativeProcessUsage,
  NativeTree,
  NativeTreeUsage,
  NativeUsageDetail,
} from './native.ts';

/** In the order of `Controller` in native/linux/src/group_usage.h. */
const controllers: Readonly<Record<string, number>> = { memory: 0, cpuacct: 1, cpu: 2, pids: 3, blkio: 4 };

/** Numbers of a `GroupUsage` and of a `ProcessUsage` in native/linux/src. */
const groupWidth = 19;
const processWidth = 14;
/** Where in a `ProcessUsage` the numbers are that can be added up. */
const countAt: Readonly<Record<NativeProcessCount, number>> = {
  rss: 4,
  virtual: 5,
  threads: 6,
  readBytes: 7,
  writtenBytes: 8,
  readOps: 9,
  writeOps: 10,
  pss: 11,
  descriptors: 12,
  connections: 13,
};

/** Two crossings for all trees: their paths, each ended by a NUL, and their numbers. */
export function sampleTrees(
  addon: Addon,
  trees: readonly NativeTree[],
  detail: NativeUsageDetail,
): NativeTreeUsage[] {
  if (!Array.isArray(trees)) throw new TypeError('trees must be an array');
  const paths: string[] = [];
  const numbers: number[] = [];
  for (const tree of trees as readonly NativeTree[]) flatten(tree, paths, numbers);
  const flat = addon.sampleTrees(paths.join(''), Float64Array.from(numbers), ...asked(detail));
  return decodeTrees(flat, detail.pressure);
}

/** In the order of `read_detail` in native/shared/hsu/glue/usage_object.cc. */
export function asked(detail: NativeUsageDetail): [boolean, boolean, boolean, boolean, boolean] {
  return [
    boolean(detail.pss, 'detail.pss'),
    boolean(detail.connections, 'detail.connections'),
    boolean(detail.pressure, 'detail.pressure'),
    boolean(detail.descriptors, 'detail.descriptors'),
    boolean(detail.peak, 'detail.peak'),
  ];
}

/** Adds a tree to what the addon is given. */
export function flatten(tree: NativeTree, paths: string[], numbers: number[]): void {
  if (typeof tree !== 'object' || tree === null) throw new TypeError('a tree must be an object');
  paths.push(tree.cgroup === null ? '\0' : `${text(tree.cgroup, 'cgroup')}\0`);
  const countAt = numbers.push(0) - 1;
  for (const name in tree.controllers) {
    const number = controllers[name];
    if (number === undefined) continue;
    numbers[countAt] = (numbers[countAt] as number) + 1;
    numbers.push(number);
    paths.push(`${text(tree.controllers[name], `controllers.${name}`)}\0`);
  }
  if (!Array.isArray(tree.pids)) throw new TypeError('pids must be an array');
  numbers.push(integer(tree.pids.length, 'pids.length', 0, Number.MAX_SAFE_INTEGER));
  for (const member of tree.pids) numbers.push(pid(member));
}

export function decodeTrees(flat: Float64Array, withPressure: boolean): NativeTreeUsage[] {
  const trees: NativeTreeUsage[] = [];
  for (let at = 0; at < flat.length; ) {
    let group: NativeGroupUsage | null = null;
    if (flat[at++] === 1) {
      group = decodeGroup(flat, at, withPressure);
      at += groupWidth;
    }
    const count = flat[at++] as number;
    trees.push(new Tree(flat, at, count, group));
    at += count * processWidth;
  }
  return trees;
}

/** One tree of a sample. Its processes become objects when they are asked for: who only wants their sums need not wait for that. */
class Tree implements NativeTreeUsage {
  readonly group: NativeGroupUsage | null;
  readonly count: number;
  readonly #flat: Float64Array;
  readonly #at: number;
  #processes: readonly NativeProcessUsage[] | null = null;

  constructor(flat: Float64Array, at: number, count: number, group: NativeGroupUsage | null) {
    this.#flat = flat;
    this.#at = at;
    this.count = count;
    this.group = group;
  }

  get processes(): readonly NativeProcessUsage[] {
    this.#processes ??= Array.from({ length: this.count }, (_, index) =>
      decodeProcess(this.#flat, this.#at + index * processWidth),
    );
    return this.#processes;
  }

  only(keep: (process: NativeProcessUsage) => boolean): NativeTreeUsage {
    const kept = this.processes.flatMap((process, index) => (keep(process) ? [index] : []));
    if (kept.length === this.count) return this;
    const rows = kept.flatMap((index) => [
      ...this.#flat.subarray(this.#at + index * processWidth, this.#at + (index + 1) * processWidth),
    ]);
    return new Tree(new Float64Array(rows), 0, kept.length, this.group);
  }

  total(key: NativeProcessCount): number | null {
    let total: number | null = null;
    const end = this.#at + this.count * processWidth;
    for (let at = this.#at + countAt[key]; at < end; at += processWidth) {
      const value = this.#flat[at] as number;
      if (!Number.isNaN(value)) total = (total ?? 0) + value;
    }
    return total;
  }
}

/** NaN stands for what is not known. */
function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

function decodeGroup(flat: Float64Array, at: number, withPressure: boolean): NativeGroupUsage {
  return {
    memory: known(flat[at]),
    memoryPeak: known(flat[at + 1]),
    swap: known(flat[at + 2]),
    cpuMs: known(flat[at + 3]),
    cpuThrottled: known(flat[at + 4]),
    readBytes: known(flat[at + 5]),
    writtenBytes: known(flat[at + 6]),
    readOps: known(flat[at + 7]),
    writeOps: known(flat[at + 8]),
    processes: known(flat[at + 9]),
    memoryHits: known(flat[at + 10]),
    processHits: known(flat[at + 11]),
    oomKills: known(flat[at + 12]),
    pressure: withPressure
      ? {
          cpu: decodePressure(flat, at + 13),
          memory: decodePressure(flat, at + 15),
          io: decodePressure(flat, at + 17),
        }
      : null,
  };
}

function decodePressure(flat: Float64Array, at: number): NativePressure | null {
  const some = known(flat[at]);
  return some === null ? null : { some, full: flat[at + 1] as number };
}

function decodeProcess(flat: Float64Array, at: number): NativeProcessUsage {
  return {
    pid: flat[at] as number,
    startTime: String(flat[at + 1]),
    cpuMs: flat[at + 2] as number,
    childrenCpuMs: flat[at + 3] as number,
    rss: flat[at + 4] as number,
    virtual: flat[at + 5] as number,
    threads: flat[at + 6] as number,
    readBytes: known(flat[at + 7]),
    writtenBytes: known(flat[at + 8]),
    readOps: known(flat[at + 9]),
    writeOps: known(flat[at + 10]),
    pss: known(flat[at + 11]),
    descriptors: known(flat[at + 12]),
    connections: known(flat[at + 13]),
  };
}
