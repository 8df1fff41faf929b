import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bareEnvironment } from '../peers/environment.ts';
import { ours as peer } from '../peers/ours.ts';
import { places } from '../places.ts';
import type { LogAssignment, Logger } from './logger.ts';

async function writeConfig(assignment: LogAssignment): Promise<string> {
  const { dir, workers, stamped, rotateAt, keep } = assignment;
  const config = join(dir, 'config.yaml');
  const log = { max_size: rotateAt, max_files: keep, format: stamped ? 'enhanced_plain' : 'plain' };
  const units = workers.map((argv, index) =>
    [
      `  - id: w${index}`,
      `    command: ${JSON.stringify(argv)}`,
      '    restart: { retry_delay: 0s, max_retries: 0 }',
      `    log: ${JSON.stringify(log)}`,
    ].join('\n'),
  );
  await writeFile(config, `workers:\n${units.join('\n')}\n`);
  return config;
}

const held = (argv: (config: string, given: LogAssignment) => readonly string[]): Logger['prepare'] =>
  async function prepare(given) {
    const { dir } = given;
    return {
      argv: [process.execPath, ...argv(await writeConfig(given), given)],
      env: bareEnvironment(dir, { HSU_HOME: join(dir, 'home') }),
      cwd: dir,
      stop: 'SIGTERM',
      background: false,
      tidiesUp: true,
    };
  };

const missing = () => peer.missing();
const version = () => peer.version();

/** A master in a program that only holds it (src/holder.ts): nobody hears the lines, as nobody hears those of a daemon. */
export const ours: Logger = {
  name: 'ours',
  peer: 'ours',
  stamps: 'as asked',
  missing,
  version,
  prepare: held((config, { logs, containment }) => [places.holder, config, logs, containment]),
};

/** `hsu-master run`, which shows the lines on its terminal as well, here a file: as many as it can without holding anybody up. */
export const oursWithView: Logger = {
  name: 'ours, run with its view',
  peer: 'ours',
  stamps: 'as asked',
  missing,
  makeReady: async () => peer.makeReady?.(),
  prepare: held((config, { logs, containment }) => [
    join(places.joined, 'bin/hsu-master.js'),
    'run',
    config,
    '--log-dir',
    logs,
    '--containment',
    containment,
  ]),
};
