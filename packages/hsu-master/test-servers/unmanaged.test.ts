import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { DiscoverySpec, Finding, Strategy } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { createFinder, finderTools, nativeSource, realClock } from '@hsu-master/workers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freePort, type Launched, Stage } from '../test/drive.ts';
import { childrenOf, isAlive } from '../test/proc.ts';
import { makeCluster, nginxConfiguration, postgresAccount, postgresProgram, program } from './debian.ts';

const SERVERS = ['redis', 'nginx', 'postgres'] as const;
type Server = (typeof SERVERS)[number];

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const ports = { redis: 0, nginx: 0, postgres: 0 };
const account = postgresAccount();
let stage: Stage;
let data = '';
let conf = '';

/** As it comes from its package, started by somebody else: it puts itself in the background. */
const begin: Readonly<Record<Server, () => Promise<unknown>>> = {
  redis: () =>
    launch([
      program('redis-server', 'redis-server'),
      stage.write(
        'redis.conf',
        `bind 127.0.0.1
port ${ports.redis}
daemonize yes
save ""
dir ${stage.path('redis')}
pidfile ${pidFiles.redis}
unixsocket ${stage.path('redis', 'socket')}
logfile ${stage.path('redis', 'redis.log')}
`,
      ),
    ]),
  nginx: () => launch([program('nginx', 'nginx-light'), '-p', stage.path('nginx'), '-c', conf]),
  postgres: () =>
    launch(
      [
        postgresProgram('pg_ctl'),
        'start',
        '-w',
        '-D',
        data,
        '-l',
        `${data}/server.log`,
        '-o',
        `-h 127.0.0.1 -p ${ports.postgres} -k ''`,
      ],
      isRoot ? { uid: account.uid, gid: account.gid } : {},
    ),
};

const pidFiles = { redis: '', nginx: '', postgres: '' };

async function launch(argv: readonly string[], who: { uid?: number; gid?: number } = {}): Promise<void> {
  const launched = stage.launch(argv, { env: { HSU_TEST_SERVERS: stage.folder }, cwd: '/', ...who });
  const ended = await launched.ended;
  expect(ended, launched.lines.join('\n')).toMatchObject({ code: 0 });
}

function pidOf(server: Server): number {
  try {
    return Number(readFileSync(pidFiles[server], 'utf8').split('\n')[0]);
  } catch {
    return 0;
  }
}

async function start(server: Server): Promise<number> {
  const before = pidOf(server);
  await begin[server]();
  await eventually(() => pidOf(server) > 0 && pidOf(server) !== before && isAlive(pidOf(server)));
  return pidOf(server);
}

function find(strategy: Strategy, differs: Partial<DiscoverySpec> = {}): Promise<Finding> {
  const loaded = loadNative();
  if (!loaded.ok) throw new Error(loaded.reason);
  const { native } = loaded;
  const exec = () => {
    throw new Error('nothing is run');
  };
  const userId = (name: string) => native.lookupUser(name)?.uid ?? null;
  const tools = finderTools({ host: { exec }, userId, mark: 'test' });
  const finder = createFinder({
    source: nativeSource(native),
    tools,
    clock: realClock(),
    ownPid: process.pid,
  });
  const discovery: DiscoverySpec = {
    strategy,
    exclude: [],
    choose: 'only',
    validation: [],
    timeout: 2000,
    interval: 1000,
    ...differs,
  };
  return finder.find(discovery, () => false);
}

beforeAll(async () => {
  stage = new Stage('unmanaged');
  chmodSync(stage.folder, 0o755);
  for (const server of SERVERS) ports[server] = await freePort();
  mkdirSync(stage.path('redis'));
  data = makeCluster(stage, account);
  if (isRoot) chownSync(stage.path('postgres'), account.uid, account.gid);
  conf = nginxConfiguration(stage, ports.nginx, 'on');
  pidFiles.redis = stage.path('redis', 'redis.pid');
  pidFiles.nginx = stage.path('nginx', 'nginx.pid');
  pidFiles.postgres = `${data}/postmaster.pid`;
  for (const server of SERVERS) await start(server);
});
afterAll(() => stage?.clear());

/** Every strategy that tells a server from the others on this machine. */
const ways = (): readonly (readonly [Server, string, Strategy])[] => {
  const port = (server: Server): Strategy => ({
    kind: 'port',
    protocol: 'tcp',
    port: ports[server],
    address: '127.0.0.1',
  });
  const file = (server: Server): Strategy => ({ kind: 'pid-file', path: pidFiles[server], checkAge: true });
  // redis and nginx write over their environments as well as over their arguments.
  const place: Readonly<Record<Server, Strategy>> = {
    redis: { kind: 'directory', path: stage.path('redis'), below: false },
    nginx: { kind: 'command-line', pattern: ` ${stage.folder}/` },
    postgres: { kind: 'environment', name: 'HSU_TEST_SERVERS', value: stage.folder, pattern: null },
  };
  const named = (server: Server, name: string): Strategy => ({
    kind: 'all',
    of: [{ kind: 'name', name, pattern: null, args: [] }, place[server]],
  });
  const program = (server: Server, path: string): Strategy => ({
    kind: 'all',
    of: [{ kind: 'executable', path }, place[server]],
  });
  return [
    ...SERVERS.map((server) => [server, 'port', port(server)] as const),
    ...SERVERS.map((server) => [server, 'pid file', file(server)] as const),
    ['redis', 'command line', { kind: 'command-line', pattern: `redis-server .*:${ports.redis}$` }],
    ['nginx', 'command line', { kind: 'command-line', pattern: `nginx: master process .*${stage.folder}/` }],
    ['postgres', 'command line', { kind: 'command-line', pattern: `postgres -D ${data} ` }],
    ['redis', 'name and directory', named('redis', 'redis-server')],
    ['nginx', 'name and command line', named('nginx', 'nginx')],
    ['postgres', 'name and environment', named('postgres', 'postgres')],
    ['redis', 'program and directory', program('redis', '/usr/bin/redis-server')],
    ['nginx', 'program and command line', program('nginx', '/usr/sbin/nginx')],
    ['postgres', 'program and environment', program('postgres', postgresProgram('postgres'))],
    ['redis', 'working directory', { kind: 'directory', path: stage.path('redis'), below: false }],
    ['postgres', 'working directory', { kind: 'directory', path: data, below: false }],
    ['redis', 'unix socket', { kind: 'open-file', path: stage.path('redis', 'socket') }],
    ['nginx', 'open file', { kind: 'open-file', path: stage.path('nginx', 'error.log') }],
    [
      'postgres',
      'user and directory',
      {
        kind: 'all',
        of: [
          { kind: 'user', user: account.name },
          { kind: 'directory', path: data, below: true },
        ],
      },
    ],
  ];
};

describe('servers that somebody else has started', () => {
  it('are each found by every strategy that tells them apart, and by no other server’s', async () => {
    const found: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const [server, how, strategy] of ways()) {
      const finding = await find(strategy);
      found[`${server} by ${how}`] = finding.kind === 'found' ? finding.process.pid : finding;
      expected[`${server} by ${how}`] = pidOf(server);
    }
    expect(found).toEqual(expected);
  });

  it('have children that are found by their parents', async () => {
    for (const server of ['nginx', 'postgres'] as const) {
      const parent: Strategy = { kind: 'pid-file', path: pidFiles[server], checkAge: true };
      const finding = await find({ kind: 'parent', parent }, { choose: 'oldest' });
      const pid = finding.kind === 'found' ? finding.process.pid : 0;
      expect(childrenOf(pidOf(server))).toContain(pid);
      expect((await find({ kind: 'parent', parent })).kind).toBe('ambiguous');
    }
  });

  it('are validated: port, program, answer', async () => {
    const file: Strategy = { kind: 'pid-file', path: pidFiles.nginx, checkAge: true };
    const check = async (...validation: DiscoverySpec['validation']) => {
      const finding = await find(file, { validation });
      return finding.kind === 'invalid' ? finding.reason : finding.kind;
    };
    const at = { type: 'port-check', protocol: 'tcp', host: '127.0.0.1' } as const;
    const health = { type: 'http-health', url: `http://127.0.0.1:${ports.nginx}/health` } as const;
    expect(await check({ ...at, port: ports.nginx }, health)).toBe('found');
    expect(await check({ type: 'executable', path: '/usr/sbin/nginx' })).toBe('found');
    expect(await check({ ...at, port: ports.redis })).toMatch(/is held by pid \d+ \(redis-server\)/);
  });

  it('K3: are attached, attached again under new pids, and left alone at the end', async () => {
    const unit = (id: Server, discovery: object, rest: object = {}) => ({
      id,
      type: 'unmanaged',
      unit: { unmanaged: { discovery: { check_interval: '500ms', ...discovery }, ...rest } },
    });
    const restart = [program('nginx', 'nginx-light'), '-p', stage.path('nginx'), '-c', conf];
    const master = stage.run([
      unit(
        'redis',
        { strategy: 'port_based', port: ports.redis },
        { log_files: [stage.path('redis/redis.log')] },
      ),
      unit(
        'nginx',
        {
          strategy: 'process_name_pattern',
          pattern: `nginx: master process .*${stage.folder}`,
          validation: [{ type: 'port_check', port: ports.nginx }],
        },
        {
          control: {
            can_restart: true,
            restart_command: ['sh', '-c', `kill -QUIT $(cat ${pidFiles.nginx}); exec ${restart.join(' ')}`],
          },
        },
      ),
      unit('postgres', { method: 'pid-file', pid_file: pidFiles.postgres }),
      { id: 'app', depends_on: [...SERVERS], command: ['sh', '-c', 'echo all there; exec sleep 1000'] },
    ]);
    const attached = (server: Server): Promise<void> => {
      const line = `${server}: found (pid ${pidOf(server)},`;
      return master.until(line, () => master.lines.some((said) => said.startsWith(line)));
    };
    for (const server of SERVERS) await attached(server);
    await master.line(/^app +\| all there$/);
    for (const server of SERVERS) {
      const pid = pidOf(server);
      const family = [pid, ...childrenOf(pid)];
      process.kill(pid, 'SIGKILL');
      // The workers of a killed nginx live on and have the port; whoever starts it anew ends them.
      if (server === 'nginx') for (const child of family.slice(1)) process.kill(child, 'SIGKILL');
      // PostgreSQL takes a zombie for a server that runs.
      await eventually(() => !family.some((one) => existsSync(`/proc/${one}`)));
      await start(server);
      await attached(server);
    }
    const pids = SERVERS.map(pidOf);
    expect(await master.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(pids.every(isAlive)).toBe(true);
    expect(master.matching(/watched no longer/)).toHaveLength(3);
    expect(master.lines.some((line) => /^redis +\| .*Ready to accept connections/.test(line))).toBe(true);
  });

  it.runIf(isRoot)(
    'K2: can only be watched by an ordinary user, who is told what he may not see',
    async () => {
      const home = stage.path('ordinary');
      mkdirSync(home);
      chownSync(home, 65_534, 65_534);
      const config = stage.config(
        {
          workers: [
            {
              id: 'nginx',
              type: 'unmanaged',
              unit: {
                unmanaged: { discovery: { pid_file: pidFiles.nginx }, control: { can_terminate: true } },
              },
            },
            {
              id: 'redis',
              type: 'unmanaged',
              unit: { unmanaged: { discovery: { strategy: 'port_based', port: ports.redis } } },
            },
          ],
        },
        'ordinary.yaml',
      );
      chmodSync(config, 0o644);
      const master: Launched = stage.hsu(['run', config], {
        uid: 65_534,
        env: { HOME: home, HSU_HOME: home },
        cwd: '/',
      });
      await master.line(/^nginx: found \(pid/);
      await master.line(/^nginx: can only be watched: process \d+ belongs to another user$/);
      expect(await master.stop('SIGINT')).toMatchObject({ code: 0 });
      expect(isAlive(pidOf('nginx'))).toBe(true);
      const adopt = stage.hsu(['adopt', '--port', String(ports.redis)], {
        uid: 65_534,
        env: { HOME: home },
        cwd: '/',
      });
      expect(await adopt.ended).toMatchObject({ code: 1 });
      expect(adopt.lines.join(' ')).toMatch(
        /open files and sockets of \d+ processes may not be read by this user/,
      );
    },
  );

  it('have stanzas written that name them again', async () => {
    for (const server of SERVERS) {
      const adopt = stage.hsu(['adopt', '--port', String(ports[server]), '-o', 'json']);
      expect(await adopt.ended).toMatchObject({ code: 0 });
      expect(JSON.parse(adopt.lines.join('\n'))).toMatchObject({
        process: { pid: pidOf(server) },
        worker: { type: 'unmanaged', unit: { unmanaged: { discovery: { port: ports[server] } } } },
      });
    }
    await run(postgresProgram('pg_isready'), ['-h', '127.0.0.1', '-p', String(ports.postgres)]);
  });
});
