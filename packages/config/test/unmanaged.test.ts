import type { Strategy, UnmanagedSpec } from '@hsu-master/core';
import { describe, expect, test } from 'vitest';
import { describeConfig } from '../src/describe.ts';
import { accept, corpus, refusals, warnings } from './corpus.ts';

/** One unit, of which these lines tell the discovery and the rest. */
function unit(discovery: string, rest = ''): string {
  return `workers: [{id: web, type: unmanaged, unit: {unmanaged: {discovery: {${discovery}}${rest}}}}]`;
}

function spec(discovery: string, rest = ''): UnmanagedSpec {
  const { unmanaged } = accept(unit(discovery, rest)).workers[0] ?? {};
  if (unmanaged === undefined || unmanaged === null) throw new Error('it is not unmanaged');
  return unmanaged;
}

const strategyOf = (discovery: string): Strategy => spec(discovery).discovery.strategy;

describe('the discovery of a process that others start', () => {
  test('in the original’s words', () => {
    const { discovery, control } = accept(corpus('kinds')).workers[1]?.unmanaged ?? {};
    expect(discovery).toEqual({
      strategy: { kind: 'pid-file', path: '/run/nginx.pid', checkAge: true },
      exclude: [],
      choose: 'only',
      validation: [],
      timeout: 5000,
      interval: 30_000,
    });
    expect(control).toEqual({
      terminate: false,
      restart: false,
      move: false,
      signals: ['SIGHUP'],
      service: { manager: 'systemd', name: 'nginx' },
      commands: { stop: null, restart: null },
    });
    const name = { kind: 'name', name: 'redis-server', pattern: null, args: ['--port'] };
    expect(strategyOf('method: process-name, process_name: redis-server, process_args: ["--port"]')).toEqual(
      name,
    );
    const port = { kind: 'port', protocol: 'udp', port: 53, address: null };
    expect(strategyOf('method: port, port: 53, protocol: udp')).toEqual(port);
    const service = { kind: 'service', manager: null, name: 'web' };
    expect(strategyOf('method: service-name, service_name: web')).toEqual(service);
  });

  test('in the seeds’ words', () => {
    const [, nginx, api] = accept(corpus('documented')).workers;
    expect(nginx?.unmanaged?.discovery).toMatchObject({
      strategy: { kind: 'name', name: null, pattern: 'nginx: master process' },
      validation: [
        { type: 'port-check', protocol: 'tcp', host: '127.0.0.1', port: 80 },
        { type: 'file-exists', path: '/var/run/nginx.pid' },
      ],
    });
    expect(api?.unmanaged?.discovery).toMatchObject({
      strategy: { kind: 'port', protocol: 'tcp', port: 8080 },
      validation: [{ type: 'http-health', url: 'http://localhost:8080/health' }],
    });
  });

  test.each([
    ['strategy: command_line_pattern, pattern: "a b"', { kind: 'command-line', pattern: 'a b' }],
    ['command_line_pattern: x', { kind: 'command-line', pattern: 'x' }],
    ['process_name_pattern: x', { kind: 'name', name: null, pattern: 'x', args: [] }],
    ['port: 80, address: "::1"', { kind: 'port', protocol: 'tcp', port: 80, address: '::1' }],
    ['environment_variable: A=b=c', { kind: 'environment', name: 'A', value: 'b=c', pattern: null }],
    [
      'strategy: environment_variable, environment_variable: A, pattern: "^b"',
      { kind: 'environment', name: 'A', value: null, pattern: '^b' },
    ],
    [
      'working_directory: data, include_subdirectories: yes',
      { kind: 'directory', path: '/etc/hsu/data', below: true },
    ],
    ['strategy: user_based, user: 33', { kind: 'user', user: '33' }],
    ['strategy: resource_based, open_file: /run/x', { kind: 'open-file', path: '/run/x' }],
    ['executable_path: bin/x', { kind: 'executable', path: '/etc/hsu/bin/x' }],
    ['service_name: x, service_manager: openrc', { kind: 'service', manager: 'openrc', name: 'x' }],
    [
      'parent_process: {process_name: supervisor}',
      { kind: 'parent', parent: { kind: 'name', name: 'supervisor', pattern: null, args: [] } },
    ],
  ])('%s', (written, strategy) => expect(strategyOf(written)).toEqual(strategy));

  test('combined: what stands together is all true, any and exclude are lists', () => {
    const { discovery } = spec(
      'process_name: x, user: www, any: [{port: 80}, {port: 443}], exclude: [{command_line_pattern: dev}], filters: [{pid_file: x.pid}], choose: oldest',
    );
    expect(discovery).toMatchObject({
      strategy: {
        kind: 'all',
        of: [
          { kind: 'name', name: 'x' },
          { kind: 'user', user: 'www' },
          { kind: 'pid-file', path: '/etc/hsu/x.pid', checkAge: false },
          { kind: 'any', of: [{ port: 80 }, { port: 443 }] },
        ],
      },
      exclude: [{ kind: 'command-line', pattern: 'dev' }],
      choose: 'oldest',
    });
  });

  test('a pid file is believed whatever its age where something else says who it is', () => {
    expect(strategyOf('pid_file: /x')).toMatchObject({ checkAge: true });
    const check = 'validation: [{type: executable_path, path: /bin/x}]';
    expect(strategyOf(`pid_file: /x, ${check}`)).toMatchObject({ checkAge: false });
  });
});

test('what may be done: nothing unless it is said, and signals only with can_terminate or by name', () => {
  const control = (text: string) => spec('port: 1', `, control: {${text}}`).control;
  expect(control('')).toEqual({
    terminate: false,
    restart: false,
    move: false,
    signals: [],
    service: null,
    commands: { stop: null, restart: null },
  });
  expect(control('can_terminate: true, stop_signal: SIGQUIT').signals).toEqual(['SIGQUIT', 'SIGKILL']);
  expect(control('allowed_signals: [1, hup, SIGUSR2, "15"]').signals).toEqual([
    'SIGHUP',
    'SIGUSR2',
    'SIGTERM',
  ]);
  expect(
    control('can_restart: true, restart_command: "bin/x again", stop_command: [x, "a b"]').commands,
  ).toEqual({
    restart: ['/etc/hsu/bin/x', 'again'],
    stop: ['x', 'a b'],
  });
  expect(spec('service_name: a', ', control: {service_manager: init.d}').control.service).toEqual({
    manager: 'init.d',
    name: 'a',
  });
  expect(spec('port: 1', ', log_files: [a.log, /b.log]').logFiles).toEqual(['/etc/hsu/a.log', '/b.log']);
});

test('mistakes are told with what to write instead', () => {
  const wrong = [
    '',
    'strategy: port_based',
    'strategy: pid_file, method: port, pid_file: /x',
    'pattern: x',
    'strategy: user, user: x, pattern: y',
    'process_name_pattern: "("',
    'all: [{}]',
    'parent_process: {}',
    'port: 1, validation: [{type: port_check}]',
    'port: 1, validation: [{type: http_health}]',
    'port: 0',
    'strategy: nothing',
    'pid-file: /x',
  ];
  expect(wrong.map((text) => refusals(unit(text)).join('\n'))).toMatchInlineSnapshot(`
    [
      "1:68 workers[0].unit.unmanaged.discovery: says of no process who it is (write pid_file, process_name, command_line_pattern, port, service_name, …)",
      "1:79 workers[0].unit.unmanaged.discovery.strategy: port_based needs "port" (write port)",
      "1:97 workers[0].unit.unmanaged.discovery.method: the strategy is pid_file, but the method is port; they are two names of one key (keep one)",
      "1:78 workers[0].unit.unmanaged.discovery.pattern: is a pattern of nothing (write process_name_pattern or command_line_pattern, or the strategy)",
      "1:103 workers[0].unit.unmanaged.discovery.pattern: user takes no pattern (write it into all: […])",
      "1:91 workers[0].unit.unmanaged.discovery.process_name_pattern: is a pattern that has a "(" that is never closed; it is about "("",
      "1:75 workers[0].unit.unmanaged.discovery.all[0]: is empty; it tells no process from another",
      "1:85 workers[0].unit.unmanaged.discovery.parent_process: is empty; it says not who the parent is",
      "1:91 workers[0].unit.unmanaged.discovery.validation[0]: port_check needs "port" (write port)",
      "1:91 workers[0].unit.unmanaged.discovery.validation[0]: http_health needs "endpoint" (write endpoint)",
      "1:75 workers[0].unit.unmanaged.discovery.port: 0 is not a number from 1 to 65535",
      "1:79 workers[0].unit.unmanaged.discovery.strategy: "nothing" is none of pid_file, pid-file, process_name, process-name, process_name_pattern, command_line_pattern, command-line, port, port_based, parent_process, parent, environment_variable, environment, working_directory, user, user_based, open_file, resource_based, executable_path, executable, service_name, service-name, service_registry",
      "1:69 workers[0].unit.unmanaged.discovery.pid-file: unknown key "pid-file" (did you mean "pid_file"?)",
    ]
  `);
  expect(
    refusals(unit('port: 1', ', control: {allowed_signals: [SIGNOPE], stop_command: ""}')),
  ).toMatchInlineSnapshot(`
    [
      "1:107 workers[0].unit.unmanaged.control.allowed_signals[0]: "SIGNOPE" is not a signal (write a name like SIGHUP or SIGTERM)",
      "1:131 workers[0].unit.unmanaged.control.stop_command: is empty; it takes a program and its arguments",
    ]
  `);
});

test('what will not happen is told', () => {
  const told = (discovery: string, control: string) => warnings(unit(discovery, `, control: {${control}}`));
  expect([
    told('port: 1', 'can_restart: true'),
    told('port: 1', 'service_manager: systemd'),
    told('service_name: x, service_manager: windows', 'service_manager: launchd'),
    told('port: 1', 'limits: {memory: {max_rss: 1GiB, policy: throttle}}'),
  ]).toMatchInlineSnapshot(`
    [
      [
        "1:102 workers[0].unit.unmanaged.control.can_restart: nothing says how it is restarted, so that it cannot be (write service_manager and service_name, or restart_command)",
      ],
      [
        "1:106 workers[0].unit.unmanaged.control.service_manager: no service_name says which service it is; not used",
      ],
      [
        "1:103 workers[0].unit.unmanaged.discovery.service_manager: windows manages no services here; not used (write systemd, openrc or init.d)",
        "1:140 workers[0].unit.unmanaged.control.service_manager: launchd manages no services here; not used (write systemd, openrc or init.d)",
      ],
      [
        "1:97 workers[0].unit.unmanaged.control.limits: the policy throttle does nothing to a process that others start (write alert, or restart with can_restart)",
      ],
    ]
  `);
});

test('is told in words', () => {
  expect(describeConfig(accept(corpus('documented')))).toMatchInlineSnapshot(`
    "/etc/hsu/config.yaml: valid, 3 workers

    web-server
      command      /usr/bin/web-server
      directory    /usr/bin
      restart      after a failure: after 5s growing ×1.5 to 5m, 3 times within 10m, then a pause of 1m
      stop         SIGTERM, after 20s SIGKILL
      output       /log/workers/web-server-stdout.log, /log/workers/web-server-stderr.log (10 old files of 100MB, for 7d)
      forwarded to file /var/log/hsu-master/web-server.log, syslog, elasticsearch elasticsearch:9200
      lines        only those that match 2 patterns; without those that match 2 patterns

    nginx-auto-discover
      process      started by others: name ~ nginx: master process
      only if      it has tcp port 80 and /var/run/nginx.pid exists
      looked for   every 5s while it is not there
      may be ended no
      may restart  no
      signals      none

    api-service-discovery
      process      started by others: listens on tcp port 8080
      only if      http://localhost:8080/health answers 2xx
      looked for   every 5s while it is not there
      may be ended no
      may restart  no
      signals      none

    stopping everything takes at most 30s"
  `);
});
