import type { Client, Token } from '@hsu-master/api/client';
import { CliError, type MasterOptions, type Surroundings, say, withClient } from '@hsu-master/cli';
import { type Deed, ERRORS, HsuError, parseDuration, type TokenView, type WallTime } from '@hsu-master/core';
import { placesOf } from '../create-master.ts';
import { appendToAudit } from './audit-file.ts';
import { TokenFile } from './token-file.ts';
import { tokensOf } from './tokens.ts';

/** What can be done with the tokens of a master, wherever it is. */
export type TokenKeeper = Pick<Client, 'accessTokens' | 'createToken' | 'revokeToken'>;

/** The tokens in the state directory of the master that is meant, running or not; it answers as the API does. */
export async function keptTokens(to: Surroundings, options: MasterOptions): Promise<TokenKeeper> {
  const stateDirectory = await stateDirectoryOf(to, options);
  const clock = { wallNow: () => to.now() };
  const record = (deed: Deed): void => {
    try {
      appendToAudit(stateDirectory, to.now(), deed);
    } catch (error) {
      void say(to.err, `hsu-master: this could not be written to the audit: ${(error as Error).message}`);
    }
  };
  const tokens = tokensOf(new TokenFile(stateDirectory), { record }, clock);
  const by = { kind: 'root', name: `uid ${process.getuid?.() ?? 0}`, from: 'command' } as const;
  const asked = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HsuError)) throw error;
      throw new CliError(error.code, error.message, ERRORS[error.code].next);
    }
  };
  return {
    accessTokens: () => asked(() => tokens.list().map(told)),
    createToken: ({ plus = [], minus = [], workers = [], namespaces = [], expires, ...wish }) =>
      asked(async () => {
        const span = expires === undefined ? null : parseDuration(expires);
        const { text, token } = await tokens.create(
          { ...wish, plus, minus, workers, namespaces, expires: span },
          by,
        );
        return { ...told(token), token: text };
      }),
    revokeToken: (name) => asked(async () => told(await tokens.revoke(name, by))),
  };
}

async function stateDirectoryOf(to: Surroundings, options: MasterOptions): Promise<string> {
  const { file, stateDir } = options;
  if (stateDir === undefined && file === undefined)
    return withClient(to, options, async (client) => (await client.version()).stateDirectory);
  const given = stateDir === undefined ? {} : { stateDirectory: stateDir };
  return placesOf(file ?? 'config.yaml', process.env, given).stateDirectory;
}

/** Everything about it but what is kept of itself. */
function told({ id, name, role, createdAt, expiresAt, ...grant }: TokenView): Token {
  const text = (at: WallTime): string => new Date(at).toISOString();
  return {
    id,
    name,
    role,
    plus: [...grant.plus],
    minus: [...grant.minus],
    workers: [...grant.workers],
    namespaces: [...grant.namespaces],
    createdAt: text(createdAt),
    expiresAt: expiresAt === null ? null : text(expiresAt),
  };
}
