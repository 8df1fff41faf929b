import { describe, expect, test } from 'vitest';
import { DEFAULT_QUEUE } from '../../src/sinks/queue-spec.ts';
import { readTarget, type WrittenTarget } from '../../src/sinks/read-target.ts';
import type { SinkSpec } from '../../src/sinks/spec.ts';
import { PLAIN_TLS } from '../../src/sinks/tls.ts';

const place = { name: 'all.2', resolve: (path: string) => `/logs/${path}`, spillFolder: '/state/spill' };

function spec(written: WrittenTarget): SinkSpec {
  const read = readTarget(written, place);
  expect(read.issues).toEqual([]);
  return read.spec as SinkSpec;
}

function issues(written: WrittenTarget): string[] {
  const read = readTarget(written, place);
  expect(read.spec).toBeNull();
  return read.issues.map(({ path, message }) => `${path} ${message}`);
}

const http = {
  headers: {},
  auth: { kind: 'none' },
  tls: PLAIN_TLS,
  timeout: 30_000,
  gzip: true,
};

describe('the original’s targets', () => {
  test('a file, as in the built-in defaults', () => {
    const written = {
      type: 'file',
      path: 'aggregated.log',
      format: 'enhanced_plain',
      prefix: '[AGGREGATED] ',
      rotation: { max_size: '100MB', max_files: 10, max_age: '7d' },
    };
    expect(spec(written)).toEqual({
      name: 'all.2',
      to: {
        kind: 'file',
        path: '/logs/aggregated.log',
        maxSize: 100_000_000,
        maxFiles: 10,
        maxAge: 7 * 86_400_000,
      },
      text: { format: 'enhanced_plain', prefix: '[AGGREGATED] ', controls: 'keep' },
      queue: { ...DEFAULT_QUEUE, spill: null },
    });
  });

  test.each([
    ['master_stdout', 'stdout'],
    ['process_manager_stdout', 'stdout'],
    ['STDERR', 'stderr'],
  ])('%s is the master’s %s, without what would move a terminal', (type, kind) => {
    expect(spec({ type })).toMatchObject({
      to: { kind },
      text: { format: 'enhanced_plain', prefix: null, controls: 'harmless' },
    });
  });

  test('syslog with a facility and no endpoint is the system’s own', () => {
    expect(spec({ type: 'syslog', facility: 'local0' }).to).toEqual({
      kind: 'syslog',
      address: { kind: 'unix-datagram', path: '/dev/log' },
      framing: 'newline',
      standard: 'rfc3164',
      facility: 'local0',
      appName: null,
      structuredData: 'hsu@32473',
      maxBytes: 8192,
      timeout: 30_000,
    });
  });

  test('elasticsearch with an endpoint and a user', () => {
    const authentication = { type: 'basic', username: 'u', password: 'p' };
    const read = spec({ type: 'elasticsearch', endpoint: 'http://elasticsearch:9200', authentication });
    expect(read.to).toEqual({
      kind: 'elasticsearch',
      http: {
        ...http,
        url: 'http://elasticsearch:9200/',
        auth: { kind: 'basic', username: 'u', password: 'p' },
      },
      index: 'logs-hsu-default',
      ids: false,
      pipeline: null,
    });
    expect(read.queue.spill).toEqual({ folder: '/state/spill/all.2e2', maxBytes: 256 * 1024 * 1024 });
  });
});

describe('addresses of syslog', () => {
  const address = (endpoint: string, config = {}) => {
    const { to } = spec({ type: 'syslog', endpoint, config });
    return to.kind === 'syslog' ? [to.address, to.framing, to.standard] : null;
  };
  test.each([
    ['udp://logs:1514', { kind: 'udp', host: 'logs', port: 1514 }, 'newline'],
    ['logs.example', { kind: 'udp', host: 'logs.example', port: 514 }, 'newline'],
    ['tcp://[::1]:80', { kind: 'tcp', host: '::1', port: 80 }, 'newline'],
    ['TLS://logs', { kind: 'tls', host: 'logs', port: 6514, tls: PLAIN_TLS }, 'octet-counting'],
    ['unix:///run/log.sock', { kind: 'unix', path: '/run/log.sock' }, 'newline'],
  ])('%s', (endpoint, expected, framing) => {
    expect(address(endpoint)).toEqual([expected, framing, 'rfc5424']);
  });

  test('protocol, framing and format may be said apart', () => {
    const config = { protocol: 'tcp', framing: 'octet-counting', syslog_format: 'RFC3164' };
    expect(address('logs:601', config)).toEqual([
      { kind: 'tcp', host: 'logs', port: 601 },
      'octet-counting',
      'rfc3164',
    ]);
  });
});

test('services take addresses with and without their own paths, tokens in their own schemes', () => {
  const token = { type: 'token', token: 't' };
  const base = 'https://h:1/x';
  const of = (type: string, endpoint: string, config = {}) => {
    const { to } = spec({ type, endpoint, authentication: token, config });
    return 'http' in to ? [to.http.url, to.http.auth] : null;
  };
  const auth = (scheme: string) => ({ kind: 'token', scheme, token: 't' });
  expect(of('loki', `${base}/loki/api/v1/push`)).toEqual([`${base}/`, auth('Bearer')]);
  expect(of('splunk', `${base}/services/collector/event`)).toEqual([`${base}/`, auth('Splunk')]);
  expect(of('otlp', 'http://h:4318')).toEqual(['http://h:4318/v1/logs', auth('Bearer')]);
  expect(of('otlp', 'http://h:4318/own')).toEqual(['http://h:4318/own', auth('Bearer')]);
  expect(of('opensearch', base)).toEqual([base, auth('ApiKey')]);
  expect(of('elasticsearch', base, { token_scheme: 'Bearer' })).toEqual([base, auth('Bearer')]);
  expect(of('webhook', `${base}?k=v`)).toEqual([`${base}?k=v`, auth('Bearer')]);
});

test('a certificate, an authority, and user and password in the address', () => {
  const { to } = spec({
    type: 'http',
    endpoint: 'https://me:p%40@h/in',
    authentication: { type: 'certificate', cert_file: '/c.pem', key_file: '/k.pem' },
    config: { ca_file: '/ca.pem', key_passphrase: 'x', server_name: 'h.example', headers: { 'X-A': 1 } },
  });
  expect(to).toEqual({
    kind: 'webhook',
    http: {
      ...http,
      url: 'https://h/in',
      headers: { 'x-a': '1' },
      tls: {
        caFile: '/ca.pem',
        certFile: '/c.pem',
        keyFile: '/k.pem',
        passphrase: 'x',
        verify: true,
        serverName: 'h.example',
      },
    },
  });
});

test('sizes and the age of files may have been read before', () => {
  const rotation = { max_size: 5000, max_age: 60_000 };
  expect(spec({ type: 'file', path: 'a', rotation }).to).toMatchObject({ maxSize: 5000, maxAge: 60_000 });
});

test('the queue is set in config', () => {
  const config = {
    buffer_size: '1MiB',
    batch_lines: 10,
    batch_size: '64KiB',
    flush_interval: '5s',
    retry_delay: '2s',
    max_retry_delay: '5m',
    when_full: 'drop_newest',
    spill_size: '1GiB',
    spill_directory: '/var/spill',
  };
  expect(spec({ type: 'loki', endpoint: 'http://h', config }).queue).toEqual({
    memory: 1024 * 1024,
    batchCount: 10,
    batchBytes: 65_536,
    batchAge: 5000,
    firstRetry: 2000,
    longestRetry: 300_000,
    whenFull: 'drop-newest',
    spill: { folder: '/var/spill/all.2e2', maxBytes: 1024 * 1024 * 1024 },
  });
  expect(spec({ type: 'loki', endpoint: 'http://h', config: { spill_size: 0 } }).queue.spill).toBeNull();
});

test('what cannot be used is said, each with its path', () => {
  expect(issues({ type: 'kafka' })[0]).toMatch(/^type must be one of file, stdout/);
  expect(issues({})).toEqual(['path is needed: the file to write']);
  expect(issues({ type: 'file' })).toEqual(['path is needed: the file to write']);
  expect(
    issues({ type: 'file', path: 'a', rotation: { max_age: '3 days', max_files: -1, compress: true } }),
  ).toEqual([
    'rotation.max_files must be a whole number from 0 to 1000',
    'rotation.max_age must be a duration with its unit, as 10s or 7d',
    'rotation.compress is not known here',
  ]);
  expect(issues({ type: 'loki', endpoint: 'loki:3100', config: { labels: ['a'], timeout: 30 } })).toEqual([
    'config.timeout must be a duration with its unit, as 10s or 7d',
    'endpoint must be an http or https address',
    'config.labels must be a mapping of texts',
  ]);
  expect(issues({ type: 'splunk', endpoint: 'http://h', format: 'xml', colour: 'red' })).toEqual([
    'authentication must be of type token: the collector’s token',
    'format must be one of plain, enhanced_plain, json, structured_json',
    'colour is not known here',
  ]);
  expect(
    issues({ type: 'webhook', endpoint: 'http://h', authentication: { type: 'certificate' }, config: 'x' }),
  ).toEqual([
    'config must be a mapping',
    'authentication.cert_file is needed, and key_file: the certificate and its key, as PEM',
  ]);
  expect(
    issues({ type: 'syslog', endpoint: 'ftp://h', facility: 'local9', authentication: { username: 'u' } }),
  ).toEqual([
    'authentication.type must be certificate: syslog knows no other',
    'endpoint must begin with udp://, tcp://, tls://, unix:// (a stream socket) or unixgram:// (a datagram socket)',
    expect.stringMatching(/^facility must be one of kern, /),
  ]);
  expect(issues({ type: 'http', endpoint: 'http://h', authentication: { type: 'token' } })).toEqual([
    'authentication.token is needed',
  ]);
});
