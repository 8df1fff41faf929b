import type { Redaction } from '@hsu-master/core';

/** Stands in the place of what must not be read. */
export const MASK = '[redacted]';

/** Makes one kind of secret in a text unreadable. A value is taken to its end, which never fails, so that no text makes these slow. */
export type Redact = (text: string) => string;

export const SECRET_WORDS =
  'password|passwd|passphrase|pwd|secret|token|api[-_ ]?key|access[-_]?key|private[-_]?key|client[-_]?secret|credentials?|authorization|(?:set-)?cookie|session[-_]?id';

/** Whether the name of a field says that its value is secret: `db_password`, `apiKey`, `X-Auth-Token`. */
export function isSecretName(name: string): boolean {
  return name.length <= 128 && SECRET_NAME.test(name);
}
const SECRET_NAME = new RegExp(`(?:${SECRET_WORDS})(?:[-_]?(?:key|value|hash|base64))?$`, 'i');

const VALUE = [
  // Quotes within a text that is quoted itself.
  '\\\\"[^"\\\\]*(?:\\\\")?',
  '(?:(?:bearer|basic|digest|token|negotiate) {1,4})[^\\s,;"\']+',
  '"(?:[^"\\\\]|\\\\[^])*"?',
  "'[^']*'?",
  // Lists and objects, as far as the first one that ends; whole JSON is looked into before.
  '\\[[^\\]]*\\]?',
  '\\{[^}]*\\}?',
  '[^\\s,;&"\'{}()\\[\\]]+',
].join('|');

/** `password=…`, `"token": "…"`, `Authorization: Bearer …`, `--api-key …`; `words` are written as in an expression. */
export function keyValue(words: string): Redact {
  const assigned = new RegExp(
    `((?:${words})(?:[-_]?(?:key|value|hash|base64))?(?:\\\\?["'])?\\s{0,4}(?:=>|[:=])\\s{0,4})(${VALUE})`,
    'gi',
  );
  const option = new RegExp(`(--(?:[a-z0-9]{1,20}-){0,3}(?:${words}) {1,4})([^\\s-]\\S*)`, 'gi');
  const inside = (value: string): string => {
    if (value.startsWith('\\"')) return `\\"${MASK}\\"`;
    const quote = value[0];
    if (quote !== '"' && quote !== "'") return MASK;
    return value.length > 1 && value.endsWith(quote) ? `${quote}${MASK}${quote}` : `${quote}${MASK}`;
  };
  return (text) => {
    const masked = text.replace(assigned, (whole, key: string, value: string) =>
      isPlainWord(value) ? whole : key + inside(value),
    );
    return masked.includes('--') ? masked.replace(option, `$1${MASK}`) : masked;
  };
}

/** Whether a text has, as JSON does, a list or an object in the place of a secret. */
export function hasInnerSecrets(words: string): (text: string) => boolean {
  const inner = new RegExp(
    `(?:${words})(?:[-_]?(?:key|value|hash|base64))?(?:\\\\?["'])?\\s{0,4}:\\s{0,4}[\\[{]`,
    'i',
  );
  return (text) => inner.test(text);
}

/** What stands there when there is no secret. */
function isPlainWord(value: string): boolean {
  return value === 'null' || value === 'undefined' || value === 'true' || value === 'false' || value === MASK;
}

const BEARER = /\b(bearer {1,4})[A-Za-z0-9._~+/-]{16,}={0,2}/gi;
const URL_PASSWORD = /(:\/\/[^\s:@/"']{0,256}:)[^\s/"']{1,1024}@/g;
const AWS = /\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA|AIPA)[A-Z0-9]{16}\b/g;
const JWT = /(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]{5,}/g;
const PRIVATE_KEY =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g;
const CARD = /(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-]|\.\d)/g;

export const PRESETS: Readonly<Record<Redaction, () => Redact>> = {
  bearer: () => (text) => text.replace(BEARER, `$1${MASK}`),
  url_password: () => (text) => (text.includes('://') ? text.replace(URL_PASSWORD, `$1${MASK}@`) : text),
  aws: () => (text) => text.replace(AWS, MASK),
  key_value: () => keyValue(SECRET_WORDS),
  jwt: () => (text) => (text.includes('eyJ') ? text.replace(JWT, MASK) : text),
  private_key: () => (text) => (text.includes('-----') ? text.replace(PRIVATE_KEY, MASK) : text),
  card: () => (text) => text.replace(CARD, (digits) => (isCard(digits) ? MASK : digits)),
};

/** The check digit of payment cards (Luhn). */
function isCard(text: string): boolean {
  let sum = 0;
  let double = false;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) continue;
    const counted = double ? digit * 2 : digit;
    sum += counted > 9 ? counted - 9 : counted;
    double = !double;
  }
  return sum % 10 === 0;
}
