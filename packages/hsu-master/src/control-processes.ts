import { maskWords, type ProcessIdentity, type ProcessView } from '@hsu-master/core';
import { loadNative, type Native } from '@hsu-master/native';
import { NOTHING, nativeSource } from '@hsu-master/workers';

const BARE = { pss: false, connections: false, pressure: false, descriptors: false, peak: false };

/** These processes with what the system tells of them; who has ended meanwhile is left out. */
export function processesOf(members: readonly ProcessIdentity[]): readonly ProcessView[] {
  const loaded = loadNative();
  return loaded.ok ? looked(loaded.native, members) : members.map(unknown);
}

function looked(native: Native, members: readonly ProcessIdentity[]): readonly ProcessView[] {
  if (members.length === 0) return [];
  const pids = members.map(({ pid }) => pid);
  const starts = new Map(members.map(({ pid, startedAt }) => [pid, startedAt]));
  const [tree] = native.sampleTrees([{ cgroup: null, controllers: {}, pids }], BARE);
  const used = new Map(tree?.processes.map((one) => [one.pid, one]));
  const { processes } = nativeSource(native).look({ ...NOTHING, argv: true, user: true }, pids);
  return processes
    .filter(({ pid, startedAt }) => starts.get(pid) === startedAt)
    .map(({ pid, startedAt, ppid, state, argv, name, user = null }) => {
      const usage = used.get(pid);
      return {
        pid,
        startedAt,
        ppid,
        state,
        // Who has none, as a process that is about to end, is called by its name.
        argv: argv === null || argv === undefined || argv.length === 0 ? [name] : maskWords(argv),
        user,
        cpu: usage?.cpuMs ?? null,
        memory: usage?.rss ?? null,
      };
    });
}

function unknown({ pid, startedAt }: ProcessIdentity): ProcessView {
  return { pid, startedAt, ppid: null, state: null, argv: [], user: null, cpu: null, memory: null };
}
