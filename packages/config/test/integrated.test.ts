import { describe, expect, test } from 'vitest';
import { accept, corpus, refusals } from './corpus.ts';

const unit = (keys: string) => `workers:
  - id: svc
    type: integrated
    unit:
      integrated:
        control: {execution: {executable_path: /bin/svc, args: [serve]}}
${keys}`;

const load = (keys: string, surroundings: object = {}) => {
  const [worker] = accept(unit(keys), surroundings).workers;
  if (worker === undefined) throw new Error('no worker');
  return worker;
};

describe('integrated units', () => {
  test('get any free port, `--port`, and are asked whether they live and serve, without a word about it', () => {
    const { listen, probes, restart } = load('');
    expect(listen).toEqual({ range: null, argument: '--port', handOver: 'reserve', isUnit: true });
    expect(probes.liveness).toMatchObject({
      check: { type: 'grpc', host: '127.0.0.1', port: null, call: { kind: 'ping' } },
      interval: 30_000,
      timeout: 5000,
      failureThreshold: 2,
    });
    expect(probes.readiness).toMatchObject({
      check: { type: 'grpc', call: { kind: 'serving' } },
      interval: 1000,
      timeout: 1000,
    });
    expect(probes.startup).toBeNull();
    expect(restart.mode).toBe('on-failure');
  });

  test('the original’s example loads with its rhythm', () => {
    const worker = accept(corpus('kinds')).workers.find(({ id }) => id === 'integrated-service');
    expect(worker?.probes.liveness).toMatchObject({ interval: 30_000, timeout: 5000 });
    expect(worker?.listen?.isUnit).toBe(true);
  });

  test.each([
    ['port: 50100', { first: 50_100, last: 50_100 }],
    ['port: 50100-50199', { first: 50_100, last: 50_199 }],
    ['port: "50100 - 50199"', { first: 50_100, last: 50_199 }],
    ['port: 0', null],
  ])('%s', (key, range) => {
    expect(load(`        ${key}`).listen?.range).toEqual(range);
  });

  test.each(['port: 65536', 'port: 5-4', 'port: 0-7', 'port: http', 'port: -1'])('%s is no port', (key) => {
    expect(refusals(unit(`        ${key}`)).join()).toMatch(/port: ".*" is/);
  });

  test('a port of the short form is told by the environment alone, to a program that need be no unit', () => {
    const short = (key: string) => accept(`workers: [{id: a, command: /bin/a${key}}]`).workers[0];
    const alike = { argument: null, handOver: 'reserve', isUnit: false };
    expect(short('')?.listen).toBeNull();
    expect(short(', port: 0')?.listen).toEqual({ range: null, ...alike });
    expect(short(', port: 8080')?.listen).toEqual({ range: { first: 8080, last: 8080 }, ...alike });
    expect(short(', port: 8080-8089')).toMatchObject({
      listen: { range: { first: 8080, last: 8089 }, ...alike },
      probes: { startup: null, liveness: null, readiness: null },
      processFile: null,
    });
    expect(refusals('workers: [{id: a, command: /bin/a, port: http}]').join()).toMatch(/port: "http" is/);
  });

  test('an argument of another name, none, and a socket instead', () => {
    expect(load('        port_argument: --grpc-port').listen?.argument).toBe('--grpc-port');
    expect(load('        port_argument: ""').listen?.argument).toBeNull();
    expect(load('        port_handover: socket').listen?.handOver).toBe('socket');
  });

  test('the rhythm is that of health_check_run_options, and probes of one’s own go before', () => {
    const slow = load(
      '        health_check_run_options: {interval: 4s, timeout: 1s, retries: 5, initial_delay: 2s}',
    );
    expect(slow.probes.liveness).toMatchObject({
      interval: 4000,
      timeout: 1000,
      failureThreshold: 5,
      initialDelay: 2000,
    });
    expect(load('        health_check_run_options: {enabled: false}').probes).toEqual({
      startup: null,
      liveness: null,
      readiness: null,
    });
    expect(load('        probes: {readiness: "tcp://localhost:1"}').probes).toMatchObject({
      liveness: { check: { type: 'grpc' } },
      readiness: { check: { type: 'tcp' } },
    });
    expect(refusals(unit('        health_check_run_options: {interval: 1s, timeout: 1s}'))).toEqual([
      expect.stringContaining('timeout must be shorter than interval'),
    ]);
  });
});

describe('pid and port files', () => {
  const managed = (keys: string, surroundings: object) =>
    accept(
      `workers:
  - id: svc
    type: managed
    unit: {managed: {control: {execution: {executable_path: /bin/svc}, process_file: {${keys}}}}}
`,
      surroundings,
    ).workers[0]?.processFile?.directory;
  const linux = { platform: 'linux', uid: 1000, home: '/home/u', exists: () => true };
  const env = { XDG_RUNTIME_DIR: '/run/user/1000' };

  test.each([
    ['', env, '/run/user/1000/hsu-master'],
    ['', {}, '/tmp/hsu-master'],
    ['scenario: system', env, '/run/hsu-master'],
    ['scenario: service', env, '/run/hsu-master'],
    ['scenario: session', env, '/run/user/1000'],
    ['scenario: dev', env, '/tmp/hsu-master-dev'],
    ['scenario: test', { TMPDIR: '/var/tmp' }, '/var/tmp/hsu-master-dev'],
    ['basedirectory: /x, scenario: system', env, '/run/hsu-master'],
    ['basedirectory: /x, servicecontext: user', env, '/x'],
    ['basedirectory: /x, servicecontext: user, usesubdirectory: true, appname: mine', env, '/x/mine'],
    ['basedirectory: pids, servicecontext: user', env, '/etc/hsu/pids'],
    ['servicecontext: system', env, '/run'],
    ['', { ...env, HSU_HOME: '/h' }, '/h/run/hsu-master'],
    ['scenario: dev', { HSU_HOME: '/h' }, '/h/run/hsu-master-dev'],
    ['basedirectory: /x, servicecontext: user', { HSU_HOME: '/h' }, '/x'],
  ])('{%s} with %o on Linux: %s', (keys, variables, directory) => {
    expect(managed(keys, { ...linux, env: variables })).toBe(directory);
  });

  test('elsewhere by that system’s conventions', () => {
    const mac = { ...linux, platform: 'darwin', env: {} };
    expect(managed('', mac)).toBe('/home/u/Library/Application Support/hsu-master');
    expect(managed('scenario: system', mac)).toBe('/var/run/hsu-master');
    const windows = { ...linux, platform: 'win32', env: { LOCALAPPDATA: '/local', PROGRAMDATA: '/data' } };
    expect(managed('', windows)).toBe('/local/hsu-master');
    expect(managed('scenario: daemon', windows)).toBe('/data/hsu-master');
  });

  test('are written for integrated units always, for others where asked for', () => {
    expect(load('', { ...linux, env }).processFile).toEqual({ directory: '/run/user/1000/hsu-master' });
    const [worker] = accept('workers:\n  - {id: a, command: x}').workers;
    expect(worker?.processFile).toBeNull();
  });
});

test('a gRPC check of the original, and as a probe', () => {
  const check = (keys: string) =>
    accept(`workers:
  - {id: a, command: x, ${keys}}`).workers[0]?.probes.readiness?.check;
  const options = 'run_options: {interval: 5s, timeout: 1s}';
  expect(
    check(
      `health_check: {type: grpc, grpc: {address: "localhost:5", service: pkg.Svc, method: Ask}, ${options}}`,
    ),
  ).toEqual({
    type: 'grpc',
    host: 'localhost',
    port: 5,
    call: { kind: 'method', service: 'pkg.Svc', method: 'Ask' },
    headers: {},
  });
  const health = { address: 'localhost:5', service: 'grpc.health.v1.Health', method: 'Check' };
  expect(check(`health_check: {type: grpc, grpc: ${JSON.stringify(health)}, ${options}}`)).toMatchObject({
    call: { kind: 'health', service: '' },
  });
  expect(check('ready: "grpc://localhost:5"')).toMatchObject({
    port: 5,
    call: { kind: 'health', service: '' },
  });
  expect(check('probes: {readiness: {grpc: {address: "localhost:5", service: db}}}')).toMatchObject({
    call: { kind: 'health', service: 'db' },
  });
  expect(
    check('probes: {readiness: {grpc: {address: "localhost:5", service: s.S, method: M, headers: {a: b}}}}'),
  ).toMatchObject({
    call: { kind: 'method', service: 's.S', method: 'M' },
    headers: { a: 'b' },
  });
});
