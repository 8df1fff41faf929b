import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { awaitCalm, watchCalm } from './calm.ts';
import type { Sample } from './figures.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import type { Peer } from './peer.ts';
import { bareNode } from './peers/bare-node.ts';
import { peers } from './peers/index.ts';
import { compilePrograms } from './programs.ts';
import {
  collect,
  type Failure,
  machine,
  type Report,
  renderReport,
  reportedFigures,
  type Values,
} from './report.ts';
import type { Contender, Contest, Scene } from './scene.ts';
import { contests, scenes } from './scenes/index.ts';
import type { Setting } from './trial.ts';

const tell = (line: string) => process.stderr.write(`${line}\n`);

/** Those of them that are here, or could be installed; says what is missing of the others. */
async function readyOnes<T extends Peer | Contender>(wanted: readonly T[]): Promise<readonly T[]> {
  const ready: T[] = [];
  for (const peer of wanted) {
    let lack = await peer.missing?.();
    if (lack?.supply) {
      tell(`${peer.name}: ${lack.what}; installing it`);
      lack = await lack.supply().then(
        () => peer.missing?.(),
        (error: unknown) => ({ what: `cannot be installed: ${String(error)}` }),
      );
    }
    if (lack) tell(`${peer.name} is left out: ${lack.what}`);
    else ready.push(peer);
  }
  return ready;
}

/** Those of the contenders that are asked for and here. */
async function readyContests(options: Options): Promise<readonly Contest[]> {
  const ready: Contest[] = [];
  for (const contest of contests.filter(({ metric }) => options.metrics.has(metric))) {
    const asked = contest.contenders.filter(({ peer }) => options.peers.includes(peer));
    ready.push({ ...contest, contenders: await readyOnes(asked) });
  }
  return ready;
}

interface Outcome {
  readonly values: Values;
  readonly failures: readonly Failure[];
}

type Act = (setting: Setting) => Promise<readonly Sample[]>;

/** All trials: in each round every scene, in each scene one peer after the other, so that the machine's moods meet all alike. */
async function playAll(
  chosen: readonly Peer[],
  contested: readonly Contest[],
  options: Options,
  setting: Setting,
): Promise<Outcome> {
  const values: Values = new Map();
  const failures: Failure[] = [];
  const play = async (scene: string, peer: string, round: number, act: Act) => {
    if (failures.some((failure) => failure.peer === peer && failure.scene === scene)) return;
    if (options.calmSeconds > 0) await awaitCalm(options.calmSeconds * 1000, setting.signal);
    tell(`round ${round + 1} of ${options.rounds}: ${scene}, ${peer}`);
    let cpu = 0n;
    const used = (more: bigint) => {
      cpu += more;
    };
    const wasCalm = watchCalm();
    try {
      const samples = await act({ ...setting, used });
      collect(values, peer, samples, options.calmSeconds === 0 || wasCalm(cpu));
    } catch (error) {
      setting.signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      tell(`  failed: ${message}`);
      failures.push({ peer, scene, round, message });
    }
  };
  const playScene = (scene: Scene, peer: Peer, round: number) =>
    play(scene.name, peer.name, round, (given) => scene.play(peer, round, options, given));
  for (let round = 0; round < options.rounds; round++) {
    for (const scene of scenes) {
      if (!isAsked(scene, round, options)) continue;
      for (const peer of chosen) await playScene(scene, peer, round);
      if (scene.withBareNode && options.metrics.has('memory')) await playScene(scene, bareNode, round);
    }
    for (const { name, contenders, rounds } of contested) {
      if (round >= rounds(options)) continue;
      for (const one of contenders) await play(name, one.name, round, (given) => one.play(options, given));
    }
  }
  return { values, failures };
}

function isAsked(scene: Scene, round: number, options: Options): boolean {
  const asked = scene.metrics.filter((metric) => options.metrics.has(metric));
  return asked.some((metric) => metric !== 'idle' || round < options.idleRounds);
}

async function bench(options: Options, signal: AbortSignal): Promise<Report> {
  const programs = await compilePrograms();
  const isSupervising = scenes.some(({ metrics }) => metrics.some((metric) => options.metrics.has(metric)));
  const wanted = isSupervising ? peers : peers.filter(({ name }) => name === 'floor' || name === 'ours');
  const chosen = await readyOnes(wanted.filter(({ name }) => options.peers.includes(name)));
  const contested = await readyContests(options);
  const versions: Record<string, string> = {};
  for (const peer of chosen) {
    await peer.makeReady?.();
    versions[peer.name] = await peer.version();
  }
  for (const { peer, version } of contested.flatMap(({ contenders }) => contenders)) {
    if (version) versions[peer] = await version();
  }
  const dir = await mkdtemp(join(tmpdir(), 'hsu-bench-'));
  try {
    const { loggers, containment } = options;
    const setting = { programs, dir, loggers, containment, used: () => {}, signal };
    const outcome = await playAll(chosen, contested, options, setting);
    const { peers: _peers, json: _json, ...extent } = options;
    return {
      at: new Date().toISOString(),
      machine: machine(),
      extent: { ...extent, metrics: [...extent.metrics] },
      versions,
      figures: reportedFigures(outcome.values, options.n),
      failures: outcome.failures,
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const contending = contests.flatMap(({ contenders }) => contenders.map(({ peer }) => peer));
  const options = readOptions(process.argv.slice(2), [
    ...new Set([...peers.map(({ name }) => name), ...contending]),
  ]);
  if (!options) {
    process.stdout.write(USAGE);
    return 0;
  }
  const interruption = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interruption.abort());
  // A reader that went away: nobody is left to measure for.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interruption.abort());
  try {
    const report = await bench(options, interruption.signal);
    process.stdout.write(`${renderReport(report)}\n`);
    // pnpm runs this in the package's folder and keeps the caller's in INIT_CWD.
    const json = options.json && resolve(process.env['INIT_CWD'] ?? '.', options.json);
    if (json) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
    return report.failures.length > 0 ? 1 : 0;
  } catch (error) {
    if (interruption.signal.aborted) return 130;
    throw error;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
