import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { awaitCalm, watchCalm } from './calm.ts';
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
import type { Scene } from './scene.ts';
import { scenes } from './scenes/index.ts';
import type { Setting } from './trial.ts';

const tell = (line: string) => process.stderr.write(`${line}\n`);

/** Those of the peers that are here, or could be installed; says what is missing of the others. */
async function readyPeers(wanted: readonly Peer[]): Promise<readonly Peer[]> {
  const ready: Peer[] = [];
  for (const peer of wanted) {
    let lack = await peer.missing();
    if (lack?.supply) {
      tell(`${peer.name}: ${lack.what}; installing it`);
      lack = await lack.supply().then(
        () => peer.missing(),
        (error: unknown) => ({ what: `cannot be installed: ${String(error)}` }),
      );
    }
    if (lack) tell(`${peer.name} is left out: ${lack.what}`);
    else ready.push(peer);
  }
  return ready;
}

interface Outcome {
  readonly values: Values;
  readonly failures: readonly Failure[];
}

/** All trials: in each round every scene, in each scene one peer after the other, so that the machine's moods meet all alike. */
async function playAll(chosen: readonly Peer[], options: Options, setting: Setting): Promise<Outcome> {
  const values: Values = new Map();
  const failures: Failure[] = [];
  const play = async (scene: Scene, peer: Peer, round: number) => {
    if (failures.some((failure) => failure.peer === peer.name && failure.scene === scene.name)) return;
    if (options.calmSeconds > 0) await awaitCalm(options.calmSeconds * 1000, setting.signal);
    tell(`round ${round + 1} of ${options.rounds}: ${scene.name}, ${peer.name}`);
    let cpu = 0n;
    const used = (more: bigint) => {
      cpu += more;
    };
    const wasCalm = watchCalm();
    try {
      const samples = await scene.play(peer, round, options, { ...setting, used });
      collect(values, peer.name, samples, options.calmSeconds === 0 || wasCalm(cpu));
    } catch (error) {
      setting.signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      tell(`  failed: ${message}`);
      failures.push({ peer: peer.name, scene: scene.name, round, message });
    }
  };
  for (let round = 0; round < options.rounds; round++) {
    for (const scene of scenes) {
      if (!isAsked(scene, round, options)) continue;
      for (const peer of chosen) await play(scene, peer, round);
      if (scene.withBareNode && options.metrics.has('memory')) await play(scene, bareNode, round);
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
  const chosen = await readyPeers(peers.filter(({ name }) => options.peers.includes(name)));
  const versions: Record<string, string> = {};
  for (const peer of chosen) {
    await peer.makeReady?.();
    versions[peer.name] = await peer.version();
  }
  const dir = await mkdtemp(join(tmpdir(), 'hsu-bench-'));
  try {
    const { loggers, containment } = options;
    const setting = { programs, dir, loggers, containment, used: () => {}, signal };
    const outcome = await playAll(chosen, options, setting);
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
  const options = readOptions(
    process.argv.slice(2),
    peers.map(({ name }) => name),
  );
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
