import { readFileSync } from 'node:fs';
import type { Place } from '@hsu-master/api/client';
import { CliError, type Wanted } from '@hsu-master/cli';
import { findMaster } from './find-master.ts';

/** The address of the master that is meant: that of `--address`, or of HSU_ADDRESS where nothing names one of this machine; null: it is here. */
export function addressOfMaster({ address, ...here }: Wanted): string | null {
  const { env } = process;
  const isLocal = here.socket ?? here.stateDirectory ?? here.configFile ?? env['HSU_SOCKET'];
  return address ?? (isLocal ? null : env['HSU_ADDRESS'] || null);
}

/**
 * Where the master listens that is meant, over the network or at its socket. A token comes from a file or from HSU_TOKEN, never from the command line, which everybody sees.
 * @throws CliError E_USAGE, E_NO_MASTER, E_WHICH_MASTER
 */
export async function placeOfMaster(wanted: Wanted): Promise<Place> {
  const address = addressOfMaster(wanted);
  if (address === null) return { socket: await findMaster(wanted) };
  const origin = originOf(address);
  const ca = wanted.ca ?? (process.env['HSU_CA'] || null);
  const token = tokenOf(wanted);
  return {
    origin,
    ...(token === null ? {} : { token }),
    ...(ca === null ? {} : { ca: contentOf(ca, '--ca') }),
  };
}

function originOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '')
    return url.origin;
  const next = 'Write it like https://host:7400; the token belongs into HSU_TOKEN or a file.';
  throw new CliError('E_USAGE', `--address takes an address of HTTP, not "${shown(address)}"`, next);
}

/** A token may have been put where it does not belong. */
function shown(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//***@').split('?')[0] ?? '';
}

function tokenOf({ tokenFile }: Wanted): string | null {
  const { HSU_TOKEN, HSU_TOKEN_FILE } = process.env;
  const file = tokenFile ?? (HSU_TOKEN ? null : HSU_TOKEN_FILE || null);
  const token = (file === null ? HSU_TOKEN : contentOf(file, '--token-file'))?.trim();
  if (!token) return null;
  // What is no token must not become a second header.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CliError('E_USAGE', `what was given as a token is none`, 'See hsu-master token create.');
}

function contentOf(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError('E_USAGE', `cannot read the file of ${option}: ${(error as Error).message}`, '');
  }
}
