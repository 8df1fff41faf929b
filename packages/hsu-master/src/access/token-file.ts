import {
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  HsuError,
  type Milliseconds,
  RIGHTS,
  type Right,
  ROLES,
  type Role,
  type TokenView,
  type TokenWish,
  type WallTime,
} from '@hsu-master/core';
import type { Native } from '@hsu-master/native';
import { makeDirectory } from '@hsu-master/workers';

/** A token as it is on disk: the SHA-256 of it in hexadecimal digits, and who has it for what. */
export interface KeptToken extends TokenView {
  readonly digest: string;
}

const MOST_TOKENS = 1000;
const LONGEST_LIFE: Milliseconds = 36_525 * 86_400_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
/** Tells people and scanners of repositories what it is. */
const PREFIX = 'hsu_';
const SECRET_BYTES = 32;
const ID_BYTES = 6;

/** Between two looks whether another command has done with the file, and how often. */
const TURN = 25;
const MOST_TURNS = 200;

/** A folder of its own, so that who watches it hears of nothing else. */
export function tokenFolderOf(stateDirectory: string): string {
  return join(stateDirectory, 'access');
}

/** Elsewhere lists of access decide, which the folder has from the one above, and a folder is not synced. */
const HAS_MODES = process.getuid !== undefined;

// Who asks over the socket alone does without it; to load it takes as long as to start ten workers.
const crypto = () => process.getBuiltinModule('node:crypto');

/** The tokens of one master. Whoever may write the state directory may change them; a running master sees it with the next request. */
export class TokenFile {
  readonly folder: string;
  readonly path: string;
  #seen = '';
  #tokens: readonly KeptToken[] = [];
  #digests: readonly Buffer[] = [];

  constructor(stateDirectory: string) {
    this.folder = tokenFolderOf(stateDirectory);
    this.path = join(this.folder, 'tokens.json');
  }

  /** @throws HsuError E_STATE for a file that cannot be trusted: nobody is let in by it */
  all(): readonly KeptToken[] {
    const found = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    const mark = found === undefined ? '' : `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
    if (mark === this.#seen) return this.#tokens;
    this.#tokens = [];
    this.#digests = [];
    this.#seen = 'damaged';
    if (found !== undefined) {
      if (HAS_MODES && (found.mode & 0o022n) !== 0n)
        throw new HsuError('E_STATE', `${this.path} may be written by others; make it 0600`, {});
      this.#tokens = parse(this.path, readFileSync(this.path, 'utf8'));
    }
    this.#digests = this.#tokens.map(({ digest }) => Buffer.from(digest, 'hex'));
    this.#seen = mark;
    return this.#tokens;
  }

  /** The token of this text. Each is compared in full, so that the time tells nothing of how near it came. */
  find(text: string): KeptToken | null {
    const { createHash, timingSafeEqual } = crypto();
    const shown = createHash('sha256').update(text).digest();
    const tokens = this.all();
    let found: KeptToken | null = null;
    for (const [at, digest] of this.#digests.entries()) {
      if (timingSafeEqual(shown, digest)) found = tokens[at] ?? null;
    }
    return found;
  }

  /** As they were when `all` or `find` looked last: who was let in is asked about many workers at once. */
  known(id: string): KeptToken | null {
    return this.#tokens.find((token) => token.id === id) ?? null;
  }

  /**
   * Makes a token. Its text is nowhere but in what is returned.
   * @throws HsuError E_USAGE for a name that is none or is taken, or an end that is none; E_STATE
   */
  async create(
    wish: TokenWish,
    now: WallTime,
    native: Native | null,
  ): Promise<{ text: string; token: TokenView }> {
    if (!NAME.test(wish.name))
      throw new HsuError('E_USAGE', `"${wish.name}" is no name for a token: 1 to 64 of A-Z a-z 0-9 . _ @ -`);
    const expiresAt = endOf(wish, now);
    const { createHash, randomBytes } = crypto();
    const text = `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const digest = createHash('sha256').update(text).digest('hex');
    const { name, role, plus, minus, workers, namespaces } = wish;
    const id = randomBytes(ID_BYTES).toString('hex');
    const token = { id, name, role, plus, minus, workers, namespaces, createdAt: now, expiresAt };
    await this.#change(native, (tokens) => {
      const living = tokens.filter((one) => one.expiresAt === null || one.expiresAt > now);
      if (living.some((one) => one.name === name))
        throw new HsuError(
          'E_USAGE',
          `there is a token "${name}" already; revoke it first, or choose another name`,
        );
      if (living.length >= MOST_TOKENS)
        throw new HsuError('E_USAGE', `there are ${MOST_TOKENS} tokens already; revoke some first`);
      return [...tokens.filter((one) => one.name !== name), { ...token, digest }];
    });
    return { text, token };
  }

  /** @throws HsuError E_USAGE where there is none of that name or id; E_STATE */
  async revoke(nameOrId: string, native: Native | null): Promise<TokenView> {
    let gone: KeptToken | undefined;
    await this.#change(native, (tokens) => {
      gone = tokens.find(({ id, name }) => id === nameOrId || name === nameOrId);
      return tokens.filter((one) => one !== gone);
    });
    if (gone === undefined)
      throw new HsuError('E_USAGE', `there is no token "${nameOrId}"; see hsu-master token list`);
    return gone;
  }

  async #change(
    native: Native | null,
    change: (tokens: readonly KeptToken[]) => readonly KeptToken[],
  ): Promise<void> {
    try {
      makeDirectory(this.folder, 0o700);
      const lock = await locked(join(this.folder, 'tokens.lock'), native);
      try {
        this.#write(change(this.all()));
      } finally {
        if (lock !== null) native?.unlockFile(lock);
      }
    } catch (error) {
      if (error instanceof HsuError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new HsuError('E_STATE', `cannot write the tokens to ${this.path}: ${reason}`, {}, error);
    }
  }

  /** A revoked token must not come back with a power cut. */
  #write(tokens: readonly KeptToken[]): void {
    const next = `${this.path}.new`;
    const { uid, gid } = statSync(dirname(this.folder));
    writeFileSync(next, `${JSON.stringify({ version: 1, tokens }, null, 1)}\n`, { mode: 0o600, flush: true });
    // root does it for a master of another user, who has to read it.
    if (process.getuid?.() === 0 && uid !== 0)
      for (const path of [this.folder, next]) chownSync(path, uid, gid);
    renameSync(next, this.path);
    // Windows syncs files only.
    if (process.getuid === undefined) return;
    if (!HAS_MODES) return;
    const folder = openSync(this.folder, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
}

/** When a token of that wish ends. What no calendar has could not be told of any more. */
function endOf({ expires }: TokenWish, now: WallTime): WallTime | null {
  if (expires === null) return null;
  if (expires > 0 && expires <= LONGEST_LIFE) return Math.ceil(now + expires);
  throw new HsuError('E_USAGE', 'a token expires later than now, and in at most 100 years');
}

async function locked(path: string, native: Native | null): Promise<number | null> {
  if (native === null) return null;
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    const lock = native.lockFile(path);
    if (lock !== null) return lock;
    await new Promise((resolve) => setTimeout(resolve, TURN));
  }
  throw new HsuError('E_STATE', `another command changes the tokens and does not end (${path} is locked)`);
}

function parse(path: string, text: string): readonly KeptToken[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const list = (value as { readonly tokens?: unknown } | null)?.tokens;
  if (!Array.isArray(list) || !list.every(isToken)) {
    const message = `${path} is damaged: nobody is let in by a token. Remove it and make new ones.`;
    throw new HsuError('E_STATE', message, { path });
  }
  return list;
}

function isToken(value: unknown): value is KeptToken {
  const token = value as Partial<Record<keyof KeptToken, unknown>> | null;
  return (
    typeof token?.id === 'string' &&
    typeof token.name === 'string' &&
    isRole(token.role) &&
    isList(token.plus, isRight) &&
    isList(token.minus, isRight) &&
    isList(token.workers, isText) &&
    isList(token.namespaces, isText) &&
    typeof token.createdAt === 'number' &&
    (token.expiresAt === null || typeof token.expiresAt === 'number') &&
    typeof token.digest === 'string' &&
    /^[0-9a-f]{64}$/.test(token.digest)
  );
}

function isList<T>(value: unknown, is: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(is);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function isRole(value: unknown): value is Role {
  return typeof value === 'string' && Object.hasOwn(ROLES, value);
}

export function isRight(value: unknown): value is Right {
  return typeof value === 'string' && Object.hasOwn(RIGHTS, value);
}
