import { type FSWatcher, watch } from 'node:fs';
import {
  type Audit,
  authorizeBy,
  type Clock,
  type Credentials,
  type EventDraft,
  type Gate,
  HsuError,
  type Identity,
  type Resource,
  type Right,
  type WallTime,
} from '@hsu-master/core';
import { makeDirectory } from '@hsu-master/workers';
import { LockOut } from './lock-out.ts';
import { Rate } from './rate.ts';
import type { KeptToken, TokenFile } from './token-file.ts';

export interface GateParts {
  readonly tokens: TokenFile;
  readonly audit: Audit;
  readonly clock: Clock;
  /** Requests a second for each token, and for each address that shows none; 0: as many as come. */
  readonly perSecond: number;
  tell(event: EventDraft): void;
}

/** What tokens can be as long as at all. */
const LONGEST = 512;

/** Lets in who shows a token, for all ways but the owner's socket. */
export class TokenGate implements Gate {
  readonly #parts: GateParts;
  readonly #lockOut = new LockOut();
  readonly #rate: Rate;
  readonly #watched = new Map<() => void, string>();
  #watcher: FSWatcher | null = null;
  #nextExpiry = Number.POSITIVE_INFINITY;
  #cancelExpiry: () => void = () => {};
  #isTold = false;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#rate = new Rate(parts.perSecond);
  }

  admit({ token: text, from }: Credentials): Identity {
    const { clock } = this.#parts;
    const now = clock.now();
    const remaining = this.#lockOut.remaining(from, now);
    if (text === null || text.length > LONGEST) {
      if (remaining > 0) throw lockedOut(remaining);
      if (!this.#rate.takes(from, now)) throw tooMany();
      throw new HsuError('E_UNAUTHENTICATED', 'a token is needed: "authorization: Bearer hsu_…"');
    }
    const token = this.#find(text);
    const isValid = token !== null && (token.expiresAt === null || token.expiresAt > clock.wallNow());
    if (remaining > 0 && !(isValid && this.#lockOut.knows(from, token.id))) throw lockedOut(remaining);
    if (!isValid) throw this.#refuse(token, from);
    if (!this.#rate.takes(token.id, now)) throw tooMany();
    this.#lockOut.right(from, token.id);
    return { kind: 'token', tokenId: token.id, name: token.name, from };
  }

  readonly authorize = (identity: Identity, right: Right, resource: Resource): HsuError | null => {
    if (identity.kind === 'root') return null;
    const token = this.#parts.tokens.known(identity.tokenId);
    const isValid =
      token !== null && (token.expiresAt === null || token.expiresAt > this.#parts.clock.wallNow());
    return authorizeBy(isValid ? token : null, identity, right, resource);
  };

  watch(identity: Identity, ended: () => void): () => void {
    if (identity.kind === 'root') return () => {};
    // A function of its own: one who asks twice is to hear it twice.
    const hear = (): void => ended();
    this.#watched.set(hear, identity.tokenId);
    this.#watchFile();
    const expiresAt = this.#parts.tokens.known(identity.tokenId)?.expiresAt ?? null;
    if (expiresAt !== null && expiresAt < this.#nextExpiry) this.#lookAt(expiresAt);
    return () => {
      this.#watched.delete(hear);
    };
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#cancelExpiry();
    this.#watched.clear();
  }

  /** What is wrong with a token is told to nobody who might have guessed it; that it has expired is known to its bearer. */
  #refuse(token: KeptToken | null, from: string): HsuError {
    const { audit, clock, tell } = this.#parts;
    const span = this.#lockOut.wrong(from, clock.now());
    const name = token?.name ?? 'unknown';
    const why = token === null ? 'a token that is not known' : 'an expired token';
    audit.record({ by: { name, from }, action: 'login', on: 'master', result: 'refused', why });
    if (span > 0) {
      const until = clock.wallNow() + span;
      audit.record({
        by: { name, from },
        action: 'lock-out',
        on: from,
        result: 'done',
        why: `for ${span} ms`,
      });
      tell({ type: 'api.locked-out', payload: { from, until } });
    }
    return new HsuError('E_UNAUTHENTICATED', `the request shows ${why}`);
  }

  #find(text: string): KeptToken | null {
    return this.#trusted(() => this.#parts.tokens.find(text));
  }

  /** A file that cannot be read or trusted lets nobody in; it is told once. */
  #trusted<T>(look: () => T): T | null {
    try {
      const found = look();
      this.#isTold = false;
      return found;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#isTold)
        this.#parts.tell({ type: 'api.tokens-refused', payload: { file: this.#parts.tokens.path, reason } });
      this.#isTold = true;
      return null;
    }
  }

  #watchFile(): void {
    if (this.#watcher !== null) return;
    try {
      makeDirectory(this.#parts.tokens.folder, 0o700);
      this.#watcher = watch(this.#parts.tokens.folder, { persistent: false }, () => this.#look());
      this.#watcher.on('error', () => {});
      // What was changed before it began.
      this.#look();
    } catch {
      // No watch is to be had: those who are revoked are refused with their next request all the same.
    }
  }

  /** Tells those whose tokens are no more, and looks again when the next one expires. */
  #look(): void {
    const { clock, tokens } = this.#parts;
    const now = clock.wallNow();
    const kept = new Map(this.#trusted(() => tokens.all())?.map((token) => [token.id, token]));
    let next = Number.POSITIVE_INFINITY;
    for (const [hear, id] of this.#watched) {
      const token = kept.get(id);
      const expiresAt = token?.expiresAt ?? Number.POSITIVE_INFINITY;
      if (token !== undefined && expiresAt > now) {
        next = Math.min(next, expiresAt);
        continue;
      }
      this.#watched.delete(hear);
      hear();
    }
    this.#lookAt(next);
  }

  #lookAt(expiry: WallTime): void {
    const { clock } = this.#parts;
    this.#cancelExpiry();
    this.#nextExpiry = expiry;
    this.#cancelExpiry = Number.isFinite(expiry)
      ? clock.after(expiry - clock.wallNow(), () => this.#look())
      : () => {};
  }
}

function lockedOut(remaining: number): HsuError {
  const seconds = Math.ceil(remaining / 1000);
  const message = `too many wrong tokens came from this address; it is answered again in ${seconds} s`;
  return new HsuError('E_TOO_MANY', message, { retryAfter: seconds });
}

function tooMany(): HsuError {
  return new HsuError('E_TOO_MANY', 'more requests than the rate limit allows', { retryAfter: 1 });
}
