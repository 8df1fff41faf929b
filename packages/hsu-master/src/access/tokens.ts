import { type Audit, type Caller, type Clock, HsuError, type Tokens } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import type { TokenFile } from './token-file.ts';

/** The tokens of a file as surfaces ask for them. */
export function tokensOf(
  file: TokenFile,
  audit: Pick<Audit, 'record'>,
  clock: Pick<Clock, 'wallNow'>,
): Tokens {
  const native = () => {
    const loaded = loadNative();
    return loaded.ok ? loaded.native : null;
  };
  const note = (by: Caller, action: string, on: string, why: string | null): void =>
    audit.record({ by, action, on, result: 'done', why });
  return {
    list: () => file.all(),
    async create(wish, by) {
      const now = clock.wallNow();
      const end = by.kind === 'token' ? (file.known(by.tokenId)?.expiresAt ?? null) : null;
      // Else whoever is trusted for an hour makes himself trusted for ever.
      if (end !== null && (wish.expires === null || now + wish.expires > end))
        throw new HsuError('E_FORBIDDEN', `${by.name} may make no token that ends later than his own`);
      const made = await file.create(wish, now, native());
      note(by, 'token.create', wish.name, wish.role);
      return made;
    },
    async revoke(nameOrId, by) {
      const gone = await file.revoke(nameOrId, native());
      note(by, 'token.revoke', gone.name, null);
      return gone;
    },
  };
}
