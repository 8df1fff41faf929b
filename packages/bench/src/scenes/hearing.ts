import { appendFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { askByHttp } from '../asking.ts';
import { call, LIMIT_MS, socketOf } from '../calls.ts';
import type { Sample } from '../figures.ts';
import { type Ear, earByGrpc, earByWebSocket, tellLive, tellPast } from '../hearing.ts';
import type { Peer } from '../peer.ts';
import { launcher, ours } from '../peers/ours.ts';
import type { Contender, Contest } from '../scene.ts';
import { type Setting, sleepers, type Trial, withTrial } from '../trial.ts';
import { until, within } from '../wait.ts';
import { SETTLE_MS } from './one.ts';

const SUBSCRIBERS = 10;
/** Few enough that all that becomes of them at once is kept for whoever hears it last. */
const WORKERS = 100;
/** How often they are told all that has been. */
const TELLINGS = 5;

/** How events are heard. */
interface Way {
  readonly name: string;
  readonly peer: Peer;
  /** What opens one connection after the other. */
  opener(trial: Trial, setting: Setting): Promise<() => Promise<Ear>>;
}

const byWebSocket: Way = {
  name: 'ours, WebSocket',
  peer: ours,
  async opener(trial) {
    const socket = await socketOf(trial);
    return () => earByWebSocket(socket);
  },
};

/** With a port for gRPC, and no other bound than what it can do. */
const withPort: Peer = {
  ...ours,
  async prepare(assignment) {
    const prepared = await ours.prepare(assignment);
    await appendFile(`${assignment.dir}/config.yaml`, 'master: { port: 0 }\n');
    return prepared;
  },
};

const byGrpc: Way = {
  name: 'ours, gRPC',
  peer: withPort,
  async opener(trial, setting) {
    const argv = [process.execPath, launcher, 'token', 'create', 'bench', '--role', 'reader', '-o', 'json'];
    const { text } = await call(trial, argv, setting);
    const token = /"token":\s*"([^"]+)"/.exec(text)?.[1];
    const asker = askByHttp(await socketOf(trial), { path: '/v1/events?type=api.listening' });
    const address = /"grpc:\/\/([^"]+)"/.exec(await asker.ask().finally(() => asker.close()))?.[1];
    if (token === undefined || address === undefined) throw new Error(`no token or no port: ${text}`);
    return () => earByGrpc(address, token, LIMIT_MS);
  },
};

/** Opens as many, has them told, and closes them. */
async function withEars<T>(open: () => Promise<Ear>, act: (ears: readonly Ear[]) => Promise<T>): Promise<T> {
  const ears: Ear[] = [];
  try {
    while (ears.length < SUBSCRIBERS) ears.push(await open());
    return await act(ears);
  } finally {
    for (const ear of ears) ear.close();
  }
}

async function hear({ opener }: Way, trial: Trial, setting: Setting): Promise<Sample[]> {
  const { signal } = setting;
  const first = await trial.started();
  await until('the socket', LIMIT_MS, 20, signal, () => socketOf(trial).catch(() => undefined));
  await setTimeout(SETTLE_MS, undefined, { signal });
  const open = await opener(trial, setting);
  const killAll = (): void => {
    for (const { pid } of first) process.kill(pid, 'SIGKILL');
  };
  const told = async (telling: Promise<number>): Promise<number> => {
    const rate = await within(LIMIT_MS, signal, telling);
    if (rate === undefined) throw new Error(`not all was told within ${LIMIT_MS / 1000} s`);
    return rate;
  };
  const live = await withEars(open, (ears) => told(tellLive(ears, 'worker.started', WORKERS, killAll)));
  const samples: Sample[] = [{ figure: 'eventsLive', value: live }];
  for (let at = 0; at < TELLINGS; at++) {
    // Each worker has told of more than one thing.
    const value = await withEars(open, (ears) => told(tellPast(ears, WORKERS)));
    samples.push({ figure: 'eventsTold', value });
  }
  return samples;
}

function contender(way: Way): Contender {
  return {
    name: way.name,
    peer: 'ours',
    missing: () => ours.missing(),
    play: ({ linkage }, setting) =>
      withTrial(way.peer, sleepers(WORKERS, linkage), setting, (trial) => hear(way, trial, setting)),
  };
}

/** What it takes to be told of what happens. */
export const hearing: Contest = {
  name: 'events',
  metric: 'control',
  contenders: [byWebSocket, byGrpc].map(contender),
  rounds: ({ rounds }) => rounds,
};
