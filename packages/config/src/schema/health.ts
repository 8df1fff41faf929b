import { as, forms, list, map, object, type Read, required, scalar, type Written } from './fields.ts';
import { IGNORED } from './ignored.ts';
import { commandLine } from './process.ts';
import { choice, duration, flag, integer, lines, word } from './scalars.ts';

function checkUrl(url: string): Read<string> {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return {
      wrong: `${JSON.stringify(url.slice(0, 80))} is not a URL`,
      hint: 'write it like http://127.0.0.1:8080/health',
    };
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    return { wrong: `${JSON.stringify(url.slice(0, 80))} is neither an http nor an https URL` };
  }
  return { value: url };
}

function checkMethod(method: string): Read<string> {
  if (method === '') return { value: 'GET' };
  if (!/^[A-Za-z]+$/.test(method))
    return { wrong: `${JSON.stringify(method.slice(0, 40))} is not an HTTP method` };
  return { value: method.toUpperCase() };
}

/** `host:port`, `[::1]:port`. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } | null {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(address);
  const port = Number(parts?.[3]);
  if (parts === null || port < 1 || port > 65_535) return null;
  return { host: (parts[1] ?? parts[2]) as string, port };
}

function checkAddress(address: string): Read<{ readonly host: string; readonly port: number }> {
  const split = splitAddress(address);
  if (split === null) return { wrong: `${JSON.stringify(address.slice(0, 80))} is not host:port` };
  return { value: split };
}

export const webAddress = scalar('URL', { type: 'string' }, checkUrl);
const url = as(webAddress, 'Address that must answer with a status from 200 to 299.');
const hostPort = scalar(
  'host:port',
  { type: 'string' },
  checkAddress,
  'Address that must accept a connection.',
);
const portNumber = integer({ min: 1, max: 65_535 }, 'Port.');

const httpKeys = {
  url: required(url),
  method: scalar('HTTP method', { type: 'string' }, checkMethod, 'Method of the request.', 'GET'),
  headers: map(lines(), 'Headers of the request.', checkHeader),
};

function checkHeader(name: string): { wrong: string } | null {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name)
    ? null
    : { wrong: `${JSON.stringify(name)} is not the name of a header` };
}

const http = object(httpKeys, 'A request over HTTP.', { name: 'HttpCheck' });

const tcp = object(
  {
    address: required(word('host', 'Host name or address; host:port where `port` is not given.')),
    port: portNumber,
  },
  'A TCP connection.',
  { name: 'TcpCheck' },
);

const exec = object(
  {
    command: required(word('program', 'Program; exit code 0 within the timeout is success.')),
    args: list(lines(), 'Arguments.'),
  },
  'A program of its own.',
  { name: 'ExecCheck' },
);

function checkDotted(name: string): Read<string> {
  return /^[\w.]*$/.test(name)
    ? { value: name }
    : { wrong: `${JSON.stringify(name.slice(0, 60))} is not the name of a service or method` };
}
const dotted = (meaning: string) => scalar('name', { type: 'string' }, checkDotted, meaning);

const grpc = object(
  {
    address: required(hostPort),
    service: required(dotted('Service of the call, with its package.')),
    method: required(dotted('Method of the call.')),
    headers: map(lines(), 'Metadata of the call.', checkHeader),
  },
  'A gRPC call of an empty message without TLS; grpc.health.v1.Health/Check must answer that it serves, any other must succeed.',
  { name: 'GrpcCheck' },
);

const grpcProbe = forms(
  {
    scalar: hostPort,
    map: object(
      {
        address: required(hostPort),
        service: dotted(
          'What must serve, as grpc.health.v1 knows it; empty: the whole program. With `method`: the service to call.',
        ),
        method: dotted('Calls this method instead, with an empty message; it must succeed.'),
        headers: map(lines(), 'Metadata of the call.', checkHeader),
      },
      'A call over gRPC without TLS.',
      { name: 'GrpcProbe' },
    ),
  },
  'grpc.health.v1 at host:port must answer that it serves; or {address, service, method, headers}.',
);

export const runOptions = object(
  {
    enabled: flag('false switches the check off.', 'true'),
    interval: duration('Time from one check to the next; required where `type` is set.', null, {
      positive: true,
    }),
    timeout: duration('Time one check may take, less than `interval`; required where `type` is set.', null, {
      positive: true,
    }),
    initial_delay: duration('Time from the start of the process to the first check.', '0'),
    retries: integer({ min: 0 }, 'Failures in a row that make the worker unhealthy; 0 counts as 1.', '2'),
  },
  'Rhythm and thresholds.',
  { name: 'RunOptions' },
);

export const CHECK_TYPES = ['http', 'tcp', 'grpc', 'exec', 'process'] as const;

export const healthCheck = object(
  {
    type: choice(
      ['http', 'grpc', 'tcp', 'exec', 'process', ''],
      'What is asked; empty switches the check off.',
    ),
    http,
    grpc,
    tcp,
    exec,
    run_options: runOptions,
  },
  'The original’s check: liveness and readiness at once.',
  { name: 'HealthCheck', ignored: IGNORED.healthCheck },
);
export type WrittenHealthCheck = Written<typeof healthCheck>;

const execForms = forms(
  { scalar: commandLine, list: list(lines(), ''), map: exec },
  'A program: a command line, a list of words, or {command, args}.',
);

const checkKeys = {
  type: choice(CHECK_TYPES, 'Which of the checks is meant; needed only for `process`.'),
  http: forms({ scalar: url, map: http }, 'A request over HTTP: the URL, or {url, method, headers}.'),
  tcp: forms({ scalar: hostPort, map: tcp }, 'A TCP connection: host:port, or {address, port}.'),
  grpc: grpcProbe,
  exec: execForms,
  process: as(object({}, ''), 'Whether the process lives; no keys.'),
};

const rhythm = {
  interval: duration('Time from one check to the next.', '10s', { positive: true }),
  timeout: duration('Time one check may take.', '1s', { positive: true }),
  initial_delay: duration('Time from the start of the process to the first check.', '0'),
  failure_threshold: integer({ min: 1 }, 'Failures in a row that make the verdict bad.', '3'),
  success_threshold: integer({ min: 1 }, 'Successes in a row that make the verdict good.', '1'),
};

const probeMap = object({ ...checkKeys, ...rhythm }, 'A check with its rhythm and thresholds.', {
  name: 'Probe',
});
export type WrittenProbe = Written<typeof probeMap>;

/** `http://…`, `https://…`, `tcp://host:port` or `grpc://host:port`. */
function readTarget(target: string): Read<WrittenProbe> {
  const scheme = /^(tcp|grpc):\/\//.exec(target)?.[1] as 'tcp' | 'grpc' | undefined;
  if (scheme !== undefined) {
    const address = splitAddress(target.slice(scheme.length + '://'.length).replace(/\/$/, ''));
    if (address === null)
      return { wrong: `${JSON.stringify(target.slice(0, 80))} is not ${scheme}://host:port` };
    return { value: scheme === 'tcp' ? { tcp: address } : { grpc: address } };
  }
  if (!/^https?:/.test(target)) {
    return {
      wrong: `${JSON.stringify(target.slice(0, 80))} is nothing that can be checked`,
      hint: 'write http://host:port/path, https://…, tcp://host:port, grpc://host:port, or {exec: "program arguments"}',
    };
  }
  const read = checkUrl(target);
  return 'value' in read ? { value: { http: read.value } } : read;
}

const target = scalar('http://…, https://…, tcp://… or grpc://…', { type: 'string' }, readTarget);

/** A probe, or just the address that it asks. */
export const probe = (meaning: string) => forms({ scalar: target, map: probeMap }, meaning);

export const probes = object(
  {
    startup: probe(
      'May we judge yet: until it has passed, the others wait; its failure restarts the worker.',
    ),
    liveness: probe('Must it be restarted.'),
    readiness: probe('May it get work, and may dependents start.'),
  },
  'Separate checks for three questions.',
  { name: 'Probes' },
);
export type WrittenProbes = Written<typeof probes>;
