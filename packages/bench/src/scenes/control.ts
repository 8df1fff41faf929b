import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Asker, askByHttp, askPm2 } from '../asking.ts';
import { call, folderOf, LIMIT_MS, outputOf, socketOf } from '../calls.ts';
import type { FigureName, Sample } from '../figures.ts';
import type { Peer, Prepared } from '../peer.ts';
import { floor } from '../peers/floor.ts';
import { launcher, ours } from '../peers/ours.ts';
import { pm2, pm2Program } from '../peers/pm2.ts';
import { supervisord } from '../peers/supervisord.ts';
import { places } from '../places.ts';
import { memoryOf } from '../processes.ts';
import type { Contender, Contest, Extent } from '../scene.ts';
import { percentile } from '../statistics.ts';
import { type Setting, sleepers, type Trial, withTrial } from '../trial.ts';
import { until } from '../wait.ts';
import { SETTLE_MS } from './one.ts';

/** Calls of a command in each trial, after one that is not counted. */
const CALLS = 5;
/** Requests over a kept connection in each trial, after some that are not counted. */
const REQUESTS = 500;
const FIRST_REQUESTS = 50;
/** What ours tells of a worker in its list, about. */
const BYTES_OF_WORKER = 420;

/** How a supervisor is asked. */
interface Asked {
  readonly name: string;
  readonly peer: Peer;
  /** The command that lists all workers. */
  command(trial: Trial, setting: Setting, count: number): Promise<readonly string[]>;
  /** What its output must have in it. */
  readonly mark: (count: number) => string;
  /** A connection to be kept. */
  connect?(trial: Trial): Promise<Asker>;
  /** Milliseconds of each request, where another than the bench asks. */
  requests?(trial: Trial, setting: Setting): Promise<readonly number[]>;
  /** Only its own. */
  more?(trial: Trial, figure: FigureName, setting: Setting): Promise<readonly Sample[]>;
}

async function calls(
  asked: Asked,
  trial: Trial,
  count: number,
  setting: Setting,
): Promise<readonly number[]> {
  const argv = await asked.command(trial, setting, count);
  const taken: number[] = [];
  for (let at = 0; at <= CALLS; at++) {
    const { ms, text } = await call(trial, argv, setting);
    if (!text.includes(asked.mark(count)))
      throw new Error(`${argv.join(' ')}: no ${asked.mark(count)} in ${text.slice(-500)}`);
    if (at > 0) taken.push(ms);
  }
  return taken;
}

async function ask(asker: Asker, mark: string): Promise<readonly number[]> {
  try {
    const taken: number[] = [];
    for (let at = 0; at < FIRST_REQUESTS + REQUESTS; at++) {
      const from = performance.now();
      const text = await asker.ask();
      const ms = performance.now() - from;
      if (!text.includes(mark)) throw new Error(`no ${mark} in ${text.slice(0, 500)}`);
      if (at >= FIRST_REQUESTS) taken.push(ms);
    }
    return taken;
  } finally {
    asker.close();
  }
}

/** Asks by floor/ask.c. */
async function requestsInC(trial: Trial, setting: Setting, socket: string): Promise<readonly number[]> {
  const times = String(FIRST_REQUESTS + REQUESTS);
  const { text } = await call(trial, [setting.programs.ask, socket, '/v1/workers', times], setting);
  return Array.from(text.matchAll(/^took (\d+)$/gm), ([, took]) => Number(took) / 1e6).slice(FIRST_REQUESTS);
}

function contender(asked: Asked): Contender {
  const { name, peer } = asked;
  const sizes = ({ n }: Extent): readonly (readonly [number, FigureName])[] => [
    [100, 'ls100'],
    [n, 'lsN'],
  ];
  const playOne = async (
    trial: Trial,
    count: number,
    figure: FigureName,
    setting: Setting,
  ): Promise<Sample[]> => {
    await trial.started();
    const own = (await asked.more?.(trial, figure, setting)) ?? [];
    const taken = await calls(asked, trial, count, setting);
    const samples = [...own, ...taken.map((value) => ({ figure, value }))];
    if (figure !== 'ls100') return samples;
    const requests = asked.connect
      ? await ask(await asked.connect(trial), asked.mark(count))
      : ((await asked.requests?.(trial, setting)) ?? []);
    const [p50, p99] = [percentile(requests, 50), percentile(requests, 99)];
    if (p50 === undefined || p99 === undefined) return samples;
    return [...samples, { figure: 'status100', value: p50 }, { figure: 'status100P99', value: p99 }];
  };
  return {
    name,
    peer: peer.name,
    missing: () => peer.missing(),
    version: () => peer.version(),
    async play(extent, setting) {
      const samples: Sample[] = [];
      for (const [count, figure] of sizes(extent)) {
        const load = sleepers(count, extent.linkage);
        samples.push(
          ...(await withTrial(peer, load, setting, (trial) => playOne(trial, count, figure, setting))),
        );
      }
      return samples;
    },
  };
}

/** The floor keeps no state that could be asked for: floor/ask.c answers beside it, with as many bytes as ours. */
const inC: Asked = {
  name: 'floor',
  peer: floor,
  async command(trial, { programs, signal }, count) {
    const socket = join(folderOf(trial), 'ask.sock');
    trial.beside([programs.ask, 'serve', socket, String(count * BYTES_OF_WORKER)]);
    const isThere = async () => (await readdir(folderOf(trial))).includes('ask.sock') || undefined;
    await until('a socket', LIMIT_MS, 5, signal, isThere);
    return [programs.ask, socket, '/v1/workers', '1'];
  },
  mark: () => 'took',
  requests: (trial, setting) => requestsInC(trial, setting, join(folderOf(trial), 'ask.sock')),
};

/** Nothing but the start of Node. */
const nothingInNode: Asked = {
  name: 'node -e 0',
  peer: floor,
  command: async () => [process.execPath, '-e', '0'],
  mark: () => '',
};

const list = async (trial: Trial): Promise<Asker> =>
  askByHttp(await socketOf(trial), { path: '/v1/workers' });

/** The memory before and after the first request. */
async function memory(trial: Trial, figure: FigureName, { signal }: Setting): Promise<readonly Sample[]> {
  if (figure !== 'ls100') return [];
  await until('the socket', LIMIT_MS, 20, signal, () => socketOf(trial).catch(() => undefined));
  await setTimeout(SETTLE_MS, undefined, { signal });
  const unasked = memoryOf(trial.supervisors()).uss;
  const asker = await list(trial);
  await asker.ask().finally(() => asker.close());
  await setTimeout(SETTLE_MS, undefined, { signal });
  return [
    { figure: 'ussUnasked', value: unasked },
    { figure: 'ussAsked', value: memoryOf(trial.supervisors()).uss },
  ];
}

const byOurs: Asked = {
  name: 'ours',
  peer: ours,
  command: async () => [process.execPath, launcher, 'ls'],
  mark: (count) => `w${count - 1}`,
  connect: list,
  more: memory,
};

const byOursInC: Asked = {
  name: 'ours, asked in C',
  peer: ours,
  command: async (trial, { programs }) => [programs.ask, await socketOf(trial), '/v1/workers', '1'],
  mark: () => 'took',
  requests: async (trial, setting) => requestsInC(trial, setting, await socketOf(trial)),
};

const byPm2: Asked = {
  name: 'pm2',
  peer: pm2,
  command: async () => [process.execPath, pm2Program, 'ls'],
  mark: (count) => `w${count - 1}`,
  connect: async (trial) => askPm2(join(folderOf(trial), 'pm2')),
};

/** With the socket that supervisorctl asks at, and no other. */
const listening: Peer = {
  ...supervisord,
  async prepare(assignment): Promise<Prepared> {
    const { dir } = assignment;
    const prepared = await supervisord.prepare(assignment);
    const socket = join(dir, 'supervisor.sock');
    const factory = 'supervisor.rpcinterface:make_main_rpcinterface';
    const lines = [
      '[unix_http_server]',
      `file=${socket}`,
      '[rpcinterface:supervisor]',
      `supervisor.rpcinterface_factory=${factory}`,
      '[supervisorctl]',
      `serverurl=unix://${socket}`,
      '',
    ];
    await appendFile(join(dir, 'supervisord.conf'), lines.join('\n'));
    return prepared;
  },
};

const XML_RPC =
  '<?xml version="1.0"?><methodCall><methodName>supervisor.getAllProcessInfo</methodName></methodCall>';

const bySupervisord: Asked = {
  name: 'supervisord',
  peer: listening,
  command: async (trial) => ['supervisorctl', '-c', join(folderOf(trial), 'supervisord.conf'), 'status'],
  mark: (count) => `w${count - 1}`,
  connect: async (trial) => {
    const headers = { 'content-type': 'text/xml', 'content-length': XML_RPC.length };
    const options = { method: 'POST', path: '/RPC2', headers };
    return askByHttp(join(folderOf(trial), 'supervisor.sock'), options, XML_RPC);
  },
};

const READ = 100;

/** A master in a program that holds it and reads how its workers are. */
const embedding: Peer = {
  ...ours,
  async prepare(assignment) {
    const config = join(assignment.dir, 'config.yaml');
    const argv = [process.execPath, places.embedder, config, assignment.containment, String(READ)];
    return { ...(await ours.prepare(assignment)), argv };
  },
};

function reader(name: string, peer: string, group: 1 | 2): Contender {
  return {
    name,
    peer,
    play: ({ linkage }, setting) =>
      withTrial(embedding, sleepers(READ, linkage), setting, async (trial) => {
        await trial.started();
        const value = await until('the reads', LIMIT_MS, 50, setting.signal, async () => {
          const text = /^read (\S+) (\S+)$/m.exec(await outputOf(trial))?.[group];
          return text === undefined ? undefined : Number(text);
        });
        return [{ figure: 'read100', value }];
      }),
  };
}

/** What it takes to ask how workers are. */
export const control: Contest = {
  name: 'control plane',
  metric: 'control',
  contenders: [inC, nothingInNode, byOurs, byOursInC, byPm2, bySupervisord].map(contender),
  rounds: ({ rounds }) => rounds,
};

/** The same in an application that is a master itself. */
export const embedded: Contest = {
  name: 'embedded master',
  metric: 'control',
  contenders: [reader('ours', 'ours', 1), reader('a Map', 'ours', 2)],
  rounds: ({ rounds }) => rounds,
};
