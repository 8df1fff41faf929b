import { list, object, required, scalar, type Written } from './fields.ts';
import { flag, integer, path, word } from './scalars.ts';

/** Where the API listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

const LOOPBACK = '127.0.0.1';

/** `127.0.0.1:7400`, `[::1]:7400`, `7400`, `:7400`; without an address it is this machine alone. */
const listen = scalar<ListenAddress>(
  'address',
  { type: ['string', 'integer'] },
  (text) => {
    const [, bracketed, plain, digits] =
      /^(?:(?:\[([^\]]*)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text.trim()) ?? [];
    const port = Number(digits);
    if (digits === undefined || port > 65_535)
      return { wrong: `"${text}" is not an address with a port`, hint: 'write it like 127.0.0.1:7400' };
    const host = bracketed ?? plain ?? '';
    return { value: { host: host === '' ? LOOPBACK : host === '*' ? '::' : host, port } };
  },
  'Address and port at which the master answers HTTP besides its socket; a token is needed there always. A port alone means 127.0.0.1.',
);

const tls = object(
  {
    cert: required(path('The certificate with its chain, PEM.')),
    key: required(path('Its private key, PEM.')),
    client_ca: path('Who connects needs a certificate of this authority, besides a token. PEM.'),
  },
  'Encryption of `api.listen` and `master.port`, TLS 1.2 or newer. The files are read again when they change; a pair that cannot be used is told and the one before kept.',
  { name: 'Tls' },
);

const host = word(
  'host',
  'A name that requests may be sent to; `*.` at its beginning stands for any.',
  (text) =>
    /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(text)
      ? null
      : { wrong: `"${text}" is not the name of a host`, hint: 'write it without scheme and port' },
);
const origin = word('origin', 'An origin, `https://ops.example.com`.', (text) => {
  const isOrigin = URL.canParse(text) && new URL(text).origin === text;
  return isOrigin
    ? null
    : { wrong: `"${text}" is not an origin`, hint: 'write it like https://ops.example.com' };
});

export const api = object(
  {
    listen,
    tls,
    allow_plaintext: flag(
      'Listen at other addresses than this machine’s own although nothing is encrypted.',
      'false',
    ),
    allowed_hosts: list(
      host,
      'Names that requests may be sent to, besides `localhost` and addresses: a page of another name cannot be made to speak with the API.',
    ),
    allowed_origins: list(origin, 'Origins whose pages may speak with the API, besides its own.'),
    rate_limit: integer(
      { min: 0, max: 1_000_000 },
      'Requests and messages a second for each token, twice as many at once; 0: any number.',
      '100',
    ),
  },
  'The API over the network. Without it the master is asked over its socket alone.',
  { name: 'Api', renamed: { address: 'the key is called "listen"', port: 'write listen: 127.0.0.1:PORT' } },
);
export type WrittenApi = Written<typeof api>;
