import type { Keys } from './keys.ts';
import { readAuth, readTls } from './read-http.ts';
import type { Destination } from './spec.ts';
import { FACILITIES } from './syslog-message.ts';
import type { SyslogAddress } from './syslog-wire.ts';
import type { TlsSpec } from './tls.ts';

const DEFAULT_PORTS = { udp: 514, tcp: 514, tls: 6514 };
const SCHEMES = 'udp://, tcp://, tls://, unix:// (a stream socket) or unixgram:// (a datagram socket)';

/**
 * Reads `endpoint`: `udp://HOST:514`, `tcp://…`, `tls://…`, `unix:///PATH`, `unixgram:///dev/log`, `HOST:PORT` (udp), a bare path (a
 * datagram socket); without one the system’s own, `/dev/log`.
 */
export function readSyslog(target: Keys, config: Keys): Destination | null {
  const endpoint = target.text('endpoint') ?? target.text('path') ?? config.text('address') ?? '/dev/log';
  const { auth, certificate } = readAuth(target, 'Bearer');
  if (auth !== null && auth.kind !== 'none')
    target.refuse('authentication.type', 'must be certificate: syslog knows no other');
  const tls = { ...readTls(config), ...certificate };
  const address = readAddress(endpoint, config.text('protocol'), tls);
  if (address === null) target.refuse('endpoint', `must begin with ${SCHEMES}`);
  // What listens on the system’s own socket knows the old form, and often no other.
  const isLocal = address?.kind === 'unix-datagram';
  const format = config.choice('syslog_format', ['rfc5424', 'rfc3164'], isLocal ? 'rfc3164' : 'rfc5424');
  const isCounted = address?.kind === 'tls';
  const framing = config.choice(
    'framing',
    ['octet_counting', 'newline'],
    isCounted ? 'octet_counting' : 'newline',
  );
  const facility = target.text('facility') ?? config.text('facility') ?? 'local0';
  const known = FACILITIES.find((name) => name === facility.toLowerCase());
  if (known === undefined) target.refuse('facility', `must be one of ${FACILITIES.join(', ')}`);
  const sdId = config.text('structured_data_id') ?? 'hsu@32473';
  const isStructured = config.flag('structured_data', true);
  const appName = config.text('app_name') ?? config.text('tag');
  const maxBytes = Math.max(480, Math.min(config.size('max_message_size', 8192), 65_000));
  const timeout = Math.max(1, config.duration('timeout', 30_000));
  if (address === null || known === undefined) return null;
  return {
    kind: 'syslog',
    address,
    framing: framing === 'newline' ? 'newline' : 'octet-counting',
    standard: format,
    facility: known,
    appName,
    structuredData: isStructured ? sdId : null,
    maxBytes,
    timeout,
  };
}

function readAddress(endpoint: string, protocol: string | null, tls: TlsSpec): SyslogAddress | null {
  const [, written, rest] = /^([a-z+]+):\/\/(.*)$/i.exec(endpoint) ?? [];
  const scheme = (written ?? protocol ?? (endpoint.startsWith('/') ? 'unixgram' : 'udp')).toLowerCase();
  const where = rest ?? endpoint;
  if (scheme === 'unix' || scheme === 'unix-stream') return { kind: 'unix', path: where };
  if (scheme === 'unixgram') return { kind: 'unix-datagram', path: where };
  if (scheme !== 'udp' && scheme !== 'tcp' && scheme !== 'tls') return null;
  if (!URL.canParse(`http://${where}`)) return null;
  const { hostname, port } = new URL(`http://${where}`);
  // 80 is what that scheme leaves out.
  const number = port === '' && !where.endsWith(':80') ? DEFAULT_PORTS[scheme] : Number(port || 80);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return scheme === 'tls' ? { kind: 'tls', host, port: number, tls } : { kind: scheme, host, port: number };
}
