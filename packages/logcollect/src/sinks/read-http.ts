import type { Keys } from './keys.ts';
import type { AuthSpec, HttpPlan } from './spec.ts';
import { PLAIN_TLS, type TlsSpec } from './tls.ts';

interface HttpHabits {
  /** What stands before a token. */
  readonly scheme: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The path where none is given. */
  readonly path?: string;
  /** What the service appends itself, and is taken off where it is given. */
  readonly strip?: RegExp;
}

/** The scheme of a token: `config.token_scheme`. */
export function readToken(config: Keys, otherwise: string): string {
  return config.text('token_scheme') ?? otherwise;
}

export function readHttp(target: Keys, config: Keys, habits: HttpHabits): HttpPlan | null {
  const fromTarget = target.text('endpoint') ?? target.text('url') ?? target.text('path');
  const endpoint = fromTarget ?? config.text('endpoint') ?? config.text('url');
  const { auth, certificate } = readAuth(target, habits.scheme);
  const tls = { ...readTls(config), ...certificate };
  const timeout = Math.max(1, config.duration('timeout', 30_000));
  const gzip = config.flag('compress', true);
  const headers = { ...lowerCased(config.texts('headers')), ...habits.headers };
  const url = endpoint !== null && URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    target.refuse('endpoint', 'must be an http or https address');
    return null;
  }
  const inAddress = authOf(url);
  url.username = '';
  url.password = '';
  if (url.pathname === '/' && habits.path !== undefined) url.pathname = habits.path;
  if (habits.strip !== undefined) url.pathname = url.pathname.replace(habits.strip, '/');
  return { url: url.href, headers, auth: auth ?? inAddress, tls, timeout, gzip };
}

/** User and password in the address. */
function authOf({ username, password }: URL): AuthSpec {
  if (username === '' && password === '') return { kind: 'none' };
  return { kind: 'basic', username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

export function readTls(config: Keys): TlsSpec {
  const skips = config.flag('insecure_skip_verify', false);
  return {
    ...PLAIN_TLS,
    caFile: config.text('ca_file'),
    passphrase: config.text('key_passphrase'),
    verify: !skips,
    serverName: config.text('server_name'),
  };
}

/** The original’s `authentication: {type, username, password, token, cert_file, key_file}`. auth null: it says nothing of that. */
export function readAuth(
  target: Keys,
  scheme: string,
): { auth: AuthSpec | null; certificate: Partial<TlsSpec> } {
  if (!target.has('authentication')) {
    target.inner('authentication');
    return { auth: null, certificate: {} };
  }
  const written = target.inner('authentication');
  const guessed = written.has('token') ? 'token' : written.has('username') ? 'basic' : 'certificate';
  const kind = written.choice('type', ['none', 'basic', 'token', 'certificate'], guessed);
  const [username, password, token, certFile, keyFile] = [
    'username',
    'password',
    'token',
    'cert_file',
    'key_file',
  ].map((key) => written.text(key) ?? '');
  written.end();
  // A certificate may come with any of the others.
  const hasCertificate = Boolean(certFile) && Boolean(keyFile);
  const certificate = hasCertificate ? { certFile: certFile as string, keyFile: keyFile as string } : {};
  if (kind === 'certificate' && !hasCertificate)
    written.refuse('cert_file', 'is needed, and key_file: the certificate and its key, as PEM');
  if (kind === 'basic' && !username) written.refuse('username', 'is needed');
  if (kind === 'token' && !token) written.refuse('token', 'is needed');
  if (kind === 'basic')
    return { auth: { kind, username: username ?? '', password: password ?? '' }, certificate };
  if (kind === 'token') return { auth: { kind, scheme, token: token ?? '' }, certificate };
  return { auth: { kind: 'none' }, certificate };
}

function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
