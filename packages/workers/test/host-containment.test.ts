import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type {
  Capability,
  LimitReport,
  LimitsSpec,
  ProcessIdentity,
  QuotaSpec,
  UsageDetail,
} from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { attachRequest, creature, creaturePath } from '@hsu-master/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireContainment, type Containment } from '../src/host/cgroup/acquire.ts';
import { createNativeHost, type NativeHost } from '../src/host/native.ts';
import { realClock } from '../src/real-clock.ts';
import { type Differs, newMark, Watched } from './host-watch.ts';
import { limitsOf, MiB } from './limit-settings.ts';

const TIME = 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);
const loaded = loadNative({});
const INSTANCE = `test-${process.pid}`;
const PLAIN: UsageDetail = {
  pss: false,
  connections: false,
  pressure: false,
  descriptors: false,
  peak: false,
};
const clock = realClock();
const program = join(import.meta.dirname, 'programs', 'contained.ts');

/** An escapee: two forks, each with a session of its own, and no environment. */
const escapee = (...words: string[]) =>
  creature(
    'orphan',
    '{',
    'session',
    'orphan',
    '{',
    'session',
    'wipe',
    ...words,
    'print',
    'out',
    'sleep',
    '}',
    '}',
    'sleep',
  );

function find(): Containment {
  return acquireContainment({ instance: INSTANCE, mayMove: true, mayAskSystemd: false });
}

function open(containment: Containment | null = find()): NativeHost {
  if (!loaded.ok) throw new Error(loaded.reason);
  const environment = { PATH: process.env.PATH };
  const given = containment === null ? {} : { containment };
  return createNativeHost(loaded.native, { environment, reapOrphans: false, clock, ...given });
}

/** Directories of this test’s masters in all hierarchies. */
function traces(): readonly string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line));
  return mounts.flatMap((line) => below(line.split(' ')[4] ?? '')).filter((path) => path.includes(INSTANCE));
}

function below(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  const inside = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const seen = inside.filter(({ name }) => !name.startsWith('hsu-master.') || name.includes(INSTANCE));
  return seen.flatMap(({ name }) => [join(directory, name), ...below(join(directory, name))]);
}

async function until<T>(what: string, look: () => T | false | null | undefined): Promise<T> {
  const end = performance.now() + TIME / 2;
  for (;;) {
    const seen = look();
    if (seen !== false && seen !== null && seen !== undefined) return seen;
    if (performance.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  } catch {
    return 'X';
  }
}

/** Its program runs and has said so, and the host has heard that it runs. */
async function says(watched: Watched, text: string): Promise<void> {
  await watched.says(text);
  await watched.first('spawned');
}

/** An escapee and its leader: those between them are on their way out. */
function pair({ run }: Watched): Promise<readonly ProcessIdentity[]> {
  return until('both', () => (run.members().length === 2 ? run.members() : null));
}

const isDead = (pid: number): boolean => 'XZ'.includes(stateOf(pid));
const byLimit = (reports: readonly LimitReport[]) =>
  Object.fromEntries(reports.map((one) => [one.limit, one.status]));

const probed = loaded.ok && process.getuid?.() === 0 ? find() : null;
const tree2 = probed?.facilities.tree2 ?? null;
const trees1: ReadonlyMap<string, string> = probed?.facilities.trees1 ?? new Map();
probed?.release();
const groups = tree2 !== null || trees1.size > 0;
const has = (controller: 'cpu' | 'memory' | 'pids'): boolean =>
  tree2?.controllers.has(controller) === true || trees1.has(controller);

describe.runIf(groups)('a tree that a cgroup holds', { timeout: TIME }, () => {
  let host: NativeHost;
  beforeAll(() => void creaturePath());
  beforeEach(() => {
    host = open();
  });
  afterEach(async () => {
    for (const { run } of started.splice(0)) run.signalTree('SIGKILL');
    await until('the end of all workers', () => traces().every((path) => !/\/(w|a|b)(~\d)?$/.test(path)));
    host.close();
    await until('the end of all traces', () => traces().length === 0);
  }, TIME);

  const started: Watched[] = [];
  const start = (argv: readonly string[], differs: Differs = {}) => {
    const watched = new Watched(host, argv, differs);
    started.push(watched);
    return watched;
  };
  const limited = (values: LimitsSpec['values'], rest: Partial<LimitsSpec> = {}) => ({
    limits: limitsOf(values, rest),
  });

  async function end(watched: Watched): Promise<void> {
    watched.run.signalTree('SIGKILL');
    await watched.over();
  }

  test('begins in its own directory, which is gone when it is over', async () => {
    const watched = start(['cat', '/proc/self/cgroup'], { workerId: 'one' });
    await watched.over();
    await watched.until('its output', () => watched.output.ended.length === 2);
    expect(watched.output.text('stdout')).toContain(`hsu-master.${INSTANCE}/one\n`);
    expect(traces().filter((path) => path.endsWith('/one'))).toEqual([]);
    await start(['true'], { workerId: 'one' }).over();
  });

  test('A6: SIGTERM reaches who called setsid twice and has no environment', async () => {
    const watched = start(escapee());
    await says(watched, 'out');
    const members = await pair(watched);
    watched.run.signalTree('SIGTERM');
    await watched.over();
    expect(members.filter(({ pid }) => !isDead(pid))).toEqual([]);
  });

  test('A6: what ignores SIGTERM there keeps the tree alive, and SIGKILL ends it', async () => {
    const watched = start(escapee('ignore', 'TERM'));
    await says(watched, 'out');
    const members = await pair(watched);
    watched.run.signalTree('SIGTERM');
    const exited = await watched.first('exited');
    expect(exited.remaining).toHaveLength(1);
    watched.run.signalTree('SIGKILL');
    await watched.over();
    expect(members.filter(({ pid }) => !isDead(pid))).toEqual([]);
  });

  test('frozen it does nothing; a signal thaws it', async () => {
    const watched = start(creature('print', 'up', 'spin'));
    await says(watched, 'up');
    const [member] = watched.run.members();
    expect(watched.run.freeze(true)).toBe(true);
    const cpu = () => host.sample([watched.run], PLAIN)[0]?.cpuTime ?? -1;
    await until('a standstill', () => {
      const before = cpu();
      const wait = performance.now() + 50;
      while (performance.now() < wait);
      return cpu() === before;
    });
    expect(watched.run.freeze(false)).toBe(true);
    const resumed = cpu();
    await until('more CPU time', () => cpu() > resumed + 30);
    watched.run.freeze(true);
    watched.run.signalTree('SIGTERM');
    await watched.over();
    expect(isDead(member?.pid ?? 0)).toBe(true);
  });

  test('frozen it can be killed', async () => {
    const watched = start(escapee());
    await says(watched, 'out');
    watched.run.freeze(true);
    watched.run.signalTree('SIGKILL');
    await watched.over();
  });

  test('closing the host leaves nothing frozen', async () => {
    const watched = start(creature('print', 'up', 'sleep'));
    await says(watched, 'up');
    const [member] = watched.run.members();
    watched.run.freeze(true);
    host.close();
    await until('a thaw', () => 'SR'.includes(stateOf(member?.pid ?? 0)));
    host = open();
    const again = new Watched(host, ['true']);
    await again.over();
    host.endForgotten();
    await until('its end', () => isDead(member?.pid ?? 0));
  });

  test.runIf(has('memory'))('memory.max_rss: who needs more is killed by its limit', async () => {
    const watched = start(creature('hog', '64', 'sleep'), limited({ 'memory.max_rss': 24 * MiB }));
    const { exit } = await watched.first('exited');
    expect(exit).toMatchObject({ signal: 'SIGKILL', oomKilled: 'limit' });
    await watched.over();
  });

  test.runIf(has('memory'))('a SIGKILL from elsewhere is no want of memory', async () => {
    const watched = start(creature('print', 'up', 'sleep'), limited({ 'memory.max_rss': 24 * MiB }));
    await says(watched, 'up');
    process.kill(watched.recorded[0]?.pid ?? 0, 'SIGKILL');
    const { exit } = await watched.first('exited');
    expect(exit).toMatchObject({ signal: 'SIGKILL', oomKilled: null });
  });

  const childIsKilled = async (): Promise<Watched> => {
    const hungry = creature('child', '{', 'hog', '64', 'sleep', '}', 'print', 'up', 'sleep');
    const watched = start(hungry, limited({ 'memory.max_rss': 24 * MiB }));
    await says(watched, 'up');
    await until('a kill in a sample', () => (host.sample([watched.run], PLAIN)[0]?.oomKills ?? 0) > 0);
    return watched;
  };

  test.runIf(has('memory'))(
    'memory.max_rss: a sample tells of a kill of who is not the main one',
    async () => {
      const watched = start(creature('print', 'up', 'sleep'), limited({ 'memory.max_rss': 24 * MiB }));
      await says(watched, 'up');
      expect(host.sample([watched.run], PLAIN)[0]).toMatchObject({ oomKills: 0 });
      await end(watched);
      const killed = await childIsKilled();
      expect(killed.reports.map(({ kind }) => kind)).not.toContain('exited');
      await end(killed);
    },
  );

  test.runIf(has('memory'))('a SIGKILL from elsewhere is none either after a kill of the past', async () => {
    const watched = await childIsKilled();
    const past = performance.now() + 1500;
    await until('the kill is of the past', () => performance.now() > past);
    process.kill(watched.recorded[0]?.pid ?? 0, 'SIGKILL');
    const { exit } = await watched.first('exited');
    expect(exit).toMatchObject({ signal: 'SIGKILL', oomKilled: null });
  });

  test.runIf(has('pids'))(
    'process.max_processes: no more than that are made, and a sample tells it',
    async () => {
      const watched = start(creature('forks', '20', 'sleep'), limited({ 'process.max_processes': 8 }));
      await says(watched, 'forks 7 EAGAIN');
      const [usage] = host.sample([watched.run], PLAIN);
      expect(usage).toMatchObject({ processes: 8 });
      expect(usage?.hits?.processes).toBeGreaterThan(0);
      expect(byLimit(watched.run.limitReports())).toEqual({ 'process.max_processes': 'enforced' });
      await end(watched);
    },
  );

  test.runIf(has('cpu'))('cpu.max_percent: a spinner gets no more', async () => {
    const watched = start(creature('print', 'up', 'spin'), limited({ 'cpu.max_percent': 20 }));
    await says(watched, 'up');
    const from = host.sample([watched.run], PLAIN)[0];
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const to = host.sample([watched.run], PLAIN)[0];
    if (!from || !to) throw new Error('no sample');
    const percent = ((to.cpuTime - from.cpuTime) / (to.at - from.at)) * 100;
    expect(percent).toBeLessThan(30);
    await end(watched);
  });

  test.runIf(has('cpu'))('throttled it gets the given share, and all again after', async () => {
    const watched = start(creature('print', 'up', 'spin'));
    await says(watched, 'up');
    watched.run.throttle(10);
    const measured = await share(watched, 1000);
    watched.run.throttle(null);
    expect(measured).toBeLessThan(25);
    const resumed = cpuOf(watched);
    await until('more', () => cpuOf(watched) > resumed + 300);
    await end(watched);
  });

  const cpuOf = ({ run }: Watched): number => host.sample([run], PLAIN)[0]?.cpuTime ?? 0;

  async function share(watched: Watched, ms: number): Promise<number> {
    const from = host.sample([watched.run], PLAIN)[0];
    await new Promise((resolve) => setTimeout(resolve, ms));
    const to = host.sample([watched.run], PLAIN)[0];
    if (!from || !to) throw new Error('no sample');
    return ((to.cpuTime - from.cpuTime) / (to.at - from.at)) * 100;
  }

  test.runIf(has('memory'))('limits change while it runs, by its files and for each process', async () => {
    const watched = start(
      creature('child', '{', 'sleep', '}', 'print', 'up', 'sleep'),
      limited({ 'memory.max_rss': 24 * MiB, 'process.max_file_descriptors': 64 }),
    );
    await says(watched, 'up');
    const reports = watched.run.setLimits(
      limitsOf({ 'memory.max_rss': 48 * MiB, 'process.max_file_descriptors': 32, 'cpu.nice': 3 }),
    );
    expect(byLimit(reports)).toMatchObject({ 'memory.max_rss': 'enforced', 'cpu.nice': 'enforced' });
    const members = await until('two', () =>
      watched.run.members().length === 2 ? watched.run.members() : null,
    );
    for (const { pid } of members) {
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/Max open files\s+32\s+32\s/);
    }
    const file = traces()
      .flatMap((path) => ['memory.max', 'memory.limit_in_bytes'].map((name) => join(path, name)))
      .find((path) => path.includes('/w/') && existsSync(path));
    expect(readFileSync(file ?? '', 'utf8').trim()).toBe(String(48 * MiB));
    expect(watched.run.limitReports()).toEqual(reports);
    await end(watched);
  });

  test.runIf(has('memory'))(
    'limits that come before the process is made are those of its group',
    async () => {
      const watched = start(creature('print', 'up', 'sleep'));
      const reports = watched.run.setLimits(limitsOf({ 'memory.max_rss': 48 * MiB }));
      expect(byLimit(reports)).toMatchObject({ 'memory.max_rss': 'enforced' });
      await says(watched, 'up');
      expect(watched.run.limitReports()).toEqual(reports);
      await end(watched);
    },
  );

  test.runIf(has('pids'))('A13: a fork bomb stays within its number and ends whole', async () => {
    const bomb = 'b() { b | b & }; echo up; while :; do b; done';
    const watched = start(['bash', '-c', bomb], limited({ 'process.max_processes': 40 }));
    await says(watched, 'up');
    await until('the number', () => (host.sample([watched.run], PLAIN)[0]?.hits?.processes ?? 0) > 5);
    expect(host.sample([watched.run], PLAIN)[0]?.processes).toBeLessThanOrEqual(40);
    await end(watched);
  });

  test('a required limit that cannot be enforced fails the start', async () => {
    const watched = start(['true'], limited({ 'network.max_bandwidth': 1e6 }, { required: true }));
    const { failure, transient } = await watched.first('spawn-failed');
    expect(failure.code).toBe('E_LIMIT_REQUIRED');
    expect(failure.message).toContain('network.max_bandwidth');
    expect(transient).toBe(false);
    expect(watched.recorded).toEqual([]);
  });

  test.runIf(has('pids'))('several share a quota, which is gone with the last of them', async () => {
    const quota: QuotaSpec = {
      kind: 'namespace',
      id: 'team',
      limits: limitsOf({ 'process.max_processes': 6 }),
    };
    const first = start(creature('forks', '3', 'sleep'), { workerId: 'a', quotas: [quota] });
    await says(first, 'forks 3 ok');
    const second = start(creature('forks', '3', 'sleep'), { workerId: 'b', quotas: [quota] });
    await says(second, 'forks 1 EAGAIN');
    await end(first);
    expect(traces().some((path) => path.endsWith('/ns.team'))).toBe(true);
    await end(second);
    await until('the end of the quota', () => traces().every((path) => !path.endsWith('/ns.team')));
  });

  test.runIf(has('memory'))('controllers that a run needs later are those of its quota too', async () => {
    const quota: QuotaSpec = {
      kind: 'namespace',
      id: 'team',
      limits: limitsOf({ 'memory.max_rss': 64 * MiB }),
    };
    const watched = start(creature('print', 'up', 'sleep'), { quotas: [quota] });
    await says(watched, 'up');
    watched.run.throttle(10);
    const [leader] = watched.recorded;
    await end(watched);
    expect(isDead(leader?.pid ?? 0)).toBe(true);
    await until('the end of the quota', () => traces().every((path) => !path.endsWith('/ns.team')));
  });

  test('directories of the master that somebody has removed are made again', async () => {
    const quota: QuotaSpec = { kind: 'group', id: 'team', limits: limitsOf({ 'memory.max_rss': 64 * MiB }) };
    for (const differs of [{}, limited({ 'memory.max_rss': 24 * MiB }), { quotas: [quota] }]) {
      await until('no worker', () => traces().every((path) => path.endsWith(INSTANCE)));
      for (const path of traces()) rmdirSync(path);
      const watched = start(creature('print', 'up', 'sleep'), differs);
      await says(watched, 'up');
      expect(traces().some((path) => path.endsWith('/w'))).toBe(true);
      await end(watched);
    }
  });

  test('what an earlier master left is attached with its group, and all of it ends by one signal', async () => {
    const mark = newMark();
    const watched = start(escapee(), { mark });
    await says(watched, 'out');
    const members = await pair(watched);
    const [leader] = watched.recorded;
    host.close();
    expect(members.filter(({ pid }) => isDead(pid))).toEqual([]);
    host = open();
    const reports: string[] = [];
    if (leader === undefined) throw new Error('nothing recorded');
    const found = host.attach(attachRequest(leader, mark), ({ kind }) => reports.push(kind));
    host.endForgotten();
    await until('both', () => found.members().length === 2);
    found.signalTree('SIGTERM');
    await until('the end', () => members.every(({ pid }) => isDead(pid)));
    await until('the report', () => reports.length > 0);
  });

  test('with a group that is claimed the directories of its quotas go', async () => {
    const quotas: QuotaSpec[] = [{ kind: 'group', id: 'team', limits: limitsOf({}) }];
    const mark = newMark();
    const watched = start(creature('print', 'up', 'sleep'), { mark, quotas });
    await says(watched, 'up');
    host.close();
    host = open();
    const [leader] = watched.recorded;
    if (leader === undefined) throw new Error('nothing recorded');
    const found = host.attach(attachRequest(leader, mark), () => {});
    found.throttle(null);
    found.signalTree('SIGTERM');
    await until('no directory', () => traces().every((path) => path.endsWith(INSTANCE)));
  });

  test('what an earlier master left and nobody claims is killed and removed, frozen or not', async () => {
    const watched = start(escapee('ignore', 'TERM'));
    await says(watched, 'out');
    const members = await pair(watched);
    host.close();
    host = open();
    host.endForgotten();
    await until('the end', () => members.every(({ pid }) => isDead(pid)));
    await until('no directory', () => traces().every((path) => !path.endsWith('/w')));
  });

  test('of a master that was killed nothing is left: frozen, throttled or limited', async () => {
    host.close();
    const master = execFile(process.execPath, [program, 'killed', INSTANCE]);
    const said = await new Promise<string>((resolve) => master.stdout?.once('data', resolve));
    const members = JSON.parse(said) as ProcessIdentity[];
    expect(members.length).toBeGreaterThanOrEqual(5);
    const gone = new Promise((resolve) => master.once('exit', resolve));
    master.kill('SIGKILL');
    await gone;
    expect(members.filter(({ pid }) => isDead(pid))).toEqual([]);
    host = open();
    host.endForgotten();
    await until('the end', () => members.every(({ pid }) => isDead(pid)));
    await until('no directory', () => traces().every((path) => path.endsWith(INSTANCE)));
  });

  test('a worker may have groups of its own', async () => {
    const script = 'd=$0/inner; mkdir $d && echo $$ > $d/cgroup.procs && echo in && sleep 100';
    const base = tree2?.base ?? trees1.get('freezer') ?? '';
    const watched = start(['sh', '-c', script, join(base, 'w')]);
    await says(watched, 'in');
    expect(watched.run.members().length).toBeGreaterThan(0);
    await end(watched);
  });

  test('a directory that is in the way costs nothing but the name', async () => {
    const base = tree2?.base ?? trees1.get('freezer') ?? '';
    mkdirSync(join(base, 'w', 'inner'), { recursive: true });
    const watched = start(['cat', '/proc/self/cgroup']);
    await watched.over();
    await watched.until('its output', () => watched.output.ended.length === 2);
    expect(watched.output.text('stdout')).toContain('/w~1\n');
    rmdirSync(join(base, 'w', 'inner'));
    rmdirSync(join(base, 'w'));
  });

  test('a helper is in no group', async () => {
    const outcome = await host.exec({
      command: {
        argv: ['cat', '/proc/self/cgroup'],
        cwd: '/',
        env: {},
        umask: null,
        user: null,
        group: null,
        groups: null,
      },
      mark: newMark(),
      timeout: TIME,
      maxOutput: 4096,
    }).outcome;
    expect(outcome).toMatchObject({ kind: 'exited' });
    expect(JSON.stringify(outcome)).not.toContain(`${INSTANCE}/`);
  });

  test('capabilities name the directory and what it can do', () => {
    const rows = new Map(host.capabilities().map((one) => [one.feature, one]));
    expect(rows.get('freeze-tree')?.status).toBe('enforced');
    expect([rows.get('cgroup2')?.status, rows.get('cgroup1')?.status]).toContain('enforced');
  });
});

describe.runIf(loaded.ok && process.getuid?.() === 0)('an ordinary user who may make no cgroup', () => {
  test(
    'has the limits of processes, watches the others, and is told why',
    async () => {
      creaturePath();
      const user = { uid: 65534, gid: 65534 };
      const { stdout } = await promisify(execFile)(process.execPath, [program, 'ordinary', INSTANCE], user);
      const answer = JSON.parse(stdout);
      expect(answer.why ?? answer.capabilities[0].reason).toMatch(/EACCES|EROFS|not delegated|is mounted/);
      expect(answer.statuses).toEqual({
        'memory.max_rss': 'watched',
        'memory.max_virtual': 'enforced',
        'cpu.max_percent': 'watched',
        'cpu.nice': 'enforced',
        'process.max_processes': 'watched',
        'process.max_file_descriptors': 'enforced',
      });
      expect(answer).toMatchObject({ processes: 1, frozen: true });
      expect(answer.capabilities.map((one: Capability) => [one.feature, one.status])).toEqual([
        ['cgroup2', 'impossible'],
        ['cgroup1', 'impossible'],
        ['kill-tree', 'watched'],
        ['freeze-tree', 'watched'],
      ]);
      expect(traces()).toEqual([]);
    },
    TIME,
  );
});

describe.runIf(loaded.ok)('a tree that no cgroup holds', { timeout: TIME }, () => {
  let host: NativeHost;
  beforeAll(() => {
    creaturePath();
    host = open(null);
  });
  afterAll(() => host.close());

  test('is throttled by turns, and runs when that ends', async () => {
    const watched = new Watched(host, creature('print', 'up', 'spin'));
    await says(watched, 'up');
    watched.run.throttle(20);
    const pid = watched.recorded[0]?.pid ?? 0;
    for (const turn of ['T', 'R', 'T', 'R']) await until(turn, () => stateOf(pid) === turn);
    watched.run.throttle(null);
    await until('running', () => stateOf(pid) === 'R');
    watched.run.throttle(20);
    await until('stopped', () => stateOf(pid) === 'T');
    watched.run.signalTree('SIGKILL');
    await watched.over();
  });

  test('is frozen by signals', async () => {
    const watched = new Watched(host, creature('child', '{', 'sleep', '}', 'print', 'up', 'sleep'));
    await says(watched, 'up');
    expect(watched.run.freeze(true)).toBe(true);
    const members = watched.run.members();
    await until('all stopped', () => members.every(({ pid }) => stateOf(pid) === 'T'));
    watched.run.signalTree('SIGTERM');
    await watched.over();
  });

  test('the CPU time of children that have ended counts', async () => {
    const watched = new Watched(host, ['sh', '-c', `${creaturePath()} burn 200; echo burnt; sleep 100`]);
    const cpu = () => host.sample([watched.run], PLAIN)[0]?.cpuTime ?? 0;
    await says(watched, 'burnt');
    expect(cpu()).toBeGreaterThanOrEqual(190);
    watched.run.signalTree('SIGKILL');
    await watched.over();
    expect(host.sample([watched.run], PLAIN)).toEqual([null]);
  });

  test('who is born between two samples is in the second, wherever it has gone', async () => {
    const script = 'echo up; read go; sleep 100 & setsid sh -c "setsid sleep 100 & exit" & wait; sleep 100';
    const fifo = join(tmpdir(), `hsu-born-${process.pid}`);
    execFileSync('mkfifo', [fifo]);
    try {
      const watched = new Watched(host, ['sh', '-c', `exec <>${fifo}; ${script}`]);
      await says(watched, 'up');
      const processes = () => host.sample([watched.run], PLAIN)[0]?.processes;
      for (let samples = 0; samples < 3; samples += 1) expect(processes()).toBe(1);
      writeFileSync(fifo, 'go\n');
      // Of those that it starts one leaves its group, and its session, and its parent ends.
      await until('three', () => processes() === 3);
      watched.run.signalTree('SIGKILL');
      await watched.over();
    } finally {
      unlinkSync(fifo);
    }
  });

  test('limits of processes are enforced, those of trees are watched', async () => {
    const limits = limitsOf({ 'process.max_file_descriptors': 20, 'memory.max_rss': 64 * MiB });
    const watched = new Watched(host, creature('opens', '40', 'sleep'), { limits });
    await says(watched, 'EMFILE');
    expect(byLimit(watched.run.limitReports())).toEqual({
      'memory.max_rss': 'watched',
      'process.max_file_descriptors': 'enforced',
    });
    watched.run.signalTree('SIGKILL');
    await watched.over();
  });
});
