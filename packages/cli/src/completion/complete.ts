import { Client, type Place } from '@hsu-master/api/client';
import type { CommandSpec } from '../command.ts';
import type { Wanted } from '../surroundings.ts';
import { candidates, type Names } from './candidates.ts';

/** A shell that waits for an answer is worse than one without. */
const PATIENCE = 3000;

/**
 * Answers what a shell's script asks: `=CURRENT -- BEFORE…`. Returns lines of a value, a tab and what it means. Never rejects: where
 * nothing is known nothing is offered.
 */
export async function complete(
  asked: readonly string[],
  specs: readonly CommandSpec[],
  locate: (wanted: Wanted) => Promise<Place>,
): Promise<string> {
  const [current = '=', , ...before] = asked;
  const names: Names = { workers: (options) => ask(options, locate).catch(() => []) };
  const { values, paths } = await candidates(specs, before, current.slice(1), names);
  const lines = values.map(({ value, means }) => (means === '' ? value : `${value}\t${oneLine(means)}`));
  return [...lines, ...(paths === null ? [] : [`:${paths}`])].map((line) => `${line}\n`).join('');
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').slice(0, 80);
}

async function ask(
  options: ReadonlyMap<string, string>,
  locate: (wanted: Wanted) => Promise<Place>,
): ReturnType<Names['workers']> {
  const place = await locate({
    socket: options.get('socket') ?? null,
    configFile: options.get('file') ?? null,
    stateDirectory: options.get('state-dir') ?? null,
    address: options.get('address') ?? null,
    tokenFile: options.get('token-file') ?? null,
    ca: options.get('ca') ?? null,
  });
  const client = new Client(place);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const patience = setTimeout(() => reject(new Error('no answer in time')), PATIENCE);
  try {
    return (await Promise.race([client.workers(), late])).workers;
  } finally {
    clearTimeout(patience);
    client.close();
  }
}
