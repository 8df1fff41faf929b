import { join } from 'node:path';
import { Client } from '@hsu-master/api/client';
import { instanceOf } from '../src/places.ts';
import type { Ending, Launched, Stage } from './drive.ts';

/** A command that has ended, with all that it said. */
export interface Said extends Ending {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function command(
  stage: Stage,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const launched: Launched = stage.hsu(args, { env });
  const ending = await launched.end();
  return { ...ending, stdout: launched.stdout, stderr: launched.stderr };
}

/** The socket of the master of the stage's configuration. */
export function socketOf(stage: Stage, config = stage.path('config.yaml')): string {
  return join(stage.home, 'run', instanceOf(config), 'control.sock');
}

/** Asks the master of the stage's configuration; closed with the stage's processes. */
export function clientOf(stage: Stage): Client {
  return new Client({ socket: socketOf(stage) });
}

/** Resolves when the master has told so many events of a type. */
export async function told(client: Client, type: string, count = 1): Promise<void> {
  const seen = new AbortController();
  let left = count;
  for await (const event of client.followEvents({ type: [type], since: 0 }, seen.signal)) {
    if ('lost' in event) continue;
    left -= 1;
    if (left <= 0) seen.abort();
  }
}
