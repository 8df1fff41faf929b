/** What stands in the place of a secret. */
export const MASK = '***';

/** Words of a name, and ends of its words, that say that the value is secret. */
const SECRET_WORDS: ReadonlySet<string> = new Set(
  'pass pwd key keys auth authorization bearer cookie dsn jwt pat salt sig signature'.split(' '),
);
const SECRET_END = /(?:password|passwd|passphrase|passcode|secret|token|apikey|accesskey|credential)s?$/;
/** The same, of two words. */
const SECRET_PAIR = /\b(?:session id|connection string)\b/;

/** Last words that say that it is where the secret is, how long, or how many: `--password-file`, `TOKEN_TTL`. */
const NO_SECRET_LAST: ReadonlySet<string> = new Set(
  'file path dir directory length ttl timeout count max min limit url uri name'.split(' '),
);
const NO_SECRET_FIRST: ReadonlySet<string> = new Set(['max', 'min', 'num', 'public']);

/** Values that are secret whatever they are called: keys of well-known services, JSON web tokens, private keys. */
const SECRET_VALUE =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{8,}|\bAKIA[A-Z0-9]{16}\b|\beyJ[\w-]{8,512}\.[\w-]{8,1024}\.[\w-]{0,512}|\bhsu_[\w-]{43}/;

/** The user's password in an address: `postgres://user:…@host`. All bounded: the time grows with the length of the text alone. */
const PASSWORD_IN_URL = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#:@]{0,256}):([^\s/?#]{0,1024})@/gi;

/** `?token=…&…`, `password=…;`: a name and its value within a text. */
const NAMED_VALUE = /([?&;,\s"']|^)([\w.-]{1,64})=("[^"]*"|'[^']*'|[^\s&;,"']+)/g;

/** Whether what is called so is usually secret: `DB_PASSWORD`, `apiKey`, `x-auth`; not `AUTHOR`, `KEYBOARD`. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  if (NO_SECRET_FIRST.has(words[0] ?? '') || NO_SECRET_LAST.has(words.at(-1) ?? '')) return false;
  return (
    words.some((word) => SECRET_WORDS.has(word) || SECRET_END.test(word)) || SECRET_PAIR.test(words.join(' '))
  );
}

/** A text without the secrets that can be told by how they look or what they are called within it. */
export function maskText(text: string): string {
  let masked = text.includes('://') ? text.replace(PASSWORD_IN_URL, `$1:${MASK}@`) : text;
  if (masked.includes('='))
    masked = masked.replace(NAMED_VALUE, (whole, before: string, name: string) =>
      isSecretName(name) ? `${before}${name}=${MASK}` : whole,
    );
  return SECRET_VALUE.test(masked) ? masked.replace(new RegExp(SECRET_VALUE, 'g'), MASK) : masked;
}

/** The value of a variable or key. */
export function maskValue(name: string, value: string): string {
  return isSecretName(name) && value !== '' ? MASK : maskText(value);
}

/** A command line without its secrets: `--password x`, `--token=x`, `-H 'Authorization: …'`, addresses with a password. */
export function maskWords(words: readonly string[]): readonly string[] {
  let follows = false;
  return words.map((word) => {
    if (follows && !word.startsWith('-')) {
      follows = false;
      return MASK;
    }
    const option = /^--?([A-Za-z][\w.-]*)$/.exec(word)?.[1];
    follows = option !== undefined && isSecretName(option);
    if (follows) return word;
    const header = /^([\w-]+):\s*\S/.exec(word)?.[1];
    if (header !== undefined && !word.includes('://') && isSecretName(header)) return `${header}: ${MASK}`;
    const given = /^--?([A-Za-z][\w.-]*)=/.exec(word)?.[1];
    if (given !== undefined && isSecretName(given)) return `${word.slice(0, word.indexOf('=') + 1)}${MASK}`;
    return maskText(word);
  });
}

/** A value with all texts in it masked; the same where there is nothing to mask. */
export function maskAll<T>(value: T): T {
  if (typeof value === 'string') return maskText(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.entries(value);
  const masked = parts.map(([key, part]) => [key, maskAll<unknown>(part)] as const);
  if (masked.every(([, part], index) => part === parts[index]?.[1])) return value;
  return (Array.isArray(value) ? masked.map(([, part]) => part) : Object.fromEntries(masked)) as T;
}
