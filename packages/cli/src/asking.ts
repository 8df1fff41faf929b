import { ApiError, Client } from '@hsu-master/api/client';
import { CliError } from './cli-error.ts';
import type { Surroundings, Wanted } from './surroundings.ts';

/** Options that name a master. */
export interface MasterOptions {
  readonly socket?: string;
  readonly file?: string;
  readonly stateDir?: string;
  readonly address?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

/** Options that all commands take. */
export interface CommonOptions extends MasterOptions {
  readonly namespace?: string;
  readonly output?: string;
  readonly quiet?: boolean;
}

/** A command at work. */
export interface Asking {
  readonly client: Client;
  readonly to: Surroundings;
  readonly format: Format;
  readonly namespace: string | undefined;
  /** The master is asked over the network. */
  readonly isElsewhere: boolean;
}

const FORMATS = ['table', 'wide', 'json', 'yaml', 'jsonl', 'name'] as const;
export type Format = (typeof FORMATS)[number];

/** @throws CliError E_USAGE */
export function formatOf({ output = 'table', quiet }: Pick<CommonOptions, 'output' | 'quiet'>): Format {
  if (quiet === true) return 'name';
  const format = FORMATS.find((name) => name === output);
  if (format !== undefined) return format;
  throw new CliError('E_USAGE', `--output takes ${FORMATS.join(', ')}, not "${output}"`, '');
}

/** The master that the options name. */
export function wantedOf(options: MasterOptions): Wanted {
  return {
    socket: options.socket ?? null,
    configFile: options.file ?? null,
    stateDirectory: options.stateDir ?? null,
    address: options.address ?? null,
    tokenFile: options.tokenFile ?? null,
    ca: options.ca ?? null,
  };
}

/** Finds the master, does the work, lets go. */
export async function ask(
  to: Surroundings,
  options: CommonOptions,
  work: (asking: Asking) => Promise<number>,
): Promise<number> {
  const format = formatOf(options);
  return withClient(to, options, (client, isElsewhere) =>
    work({ client, to, format, namespace: options.namespace, isElsewhere }),
  );
}

/** Has a master asked; what is to be done where none answers depends on where that should be. */
export async function withClient<T>(
  to: Surroundings,
  options: MasterOptions,
  work: (client: Client, isElsewhere: boolean) => Promise<T>,
): Promise<T> {
  const place = await to.locate(wantedOf(options));
  const client = new Client(place);
  try {
    return await work(client, 'origin' in place);
  } catch (error) {
    if ('socket' in place || !(error instanceof ApiError) || error.code !== 'E_NO_MASTER') throw error;
    const next = `Look there whether it runs, and whether its api.listen and the network let you reach ${place.origin}.`;
    throw new CliError(error.code, error.message, next);
  } finally {
    client.close();
  }
}
