import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runsOn } from '../test/adoption.ts';
import { factor, freePort, type Launched, Stage } from '../test/drive.ts';
import { childrenOf, isAlive } from '../test/proc.ts';
import { makeCluster, nginxConfiguration, postgresAccount, postgresProgram, program } from './debian.ts';

const LIVES = 10;
const SERVERS = ['redis', 'nginx', 'postgres'] as const;
type Server = (typeof SERVERS)[number];

const run = promisify(execFile);
const ports = { redis: 0, nginx: 0, postgres: 0 };
let stage: Stage;
let config: string;
let master: Launched;
/** How often each was started under the present master. */
const lives = { redis: 0, nginx: 0, postgres: 0 };

async function redis(...words: readonly string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-e', '-p', String(ports.redis), ...words]);
  return stdout.trim();
}

async function sql(text: string): Promise<string> {
  const where = ['-h', '127.0.0.1', '-p', String(ports.postgres), '-U', 'postgres', '-d', 'postgres'];
  const { stdout } = await run(postgresProgram('psql'), [...where, '-X', '-A', '-t', '-q', '-c', text]);
  return stdout.trim();
}

async function page(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${ports.nginx}/`)).text();
}

function configuration(): object {
  const account = postgresAccount();
  const data = makeCluster(stage, account);
  const conf = nginxConfiguration(stage, ports.nginx);
  mkdirSync(stage.path('redis'));
  const often = { interval: `${100 * factor}ms`, timeout: `${90 * factor}ms` };
  const common = { restart: { delay: '10ms', backoff_rate: 1, max_retries: 0 }, startup_grace_period: '0s' };
  const address = ['--bind', '127.0.0.1', '--port', String(ports.redis)];
  const durable = ['--dir', stage.path('redis'), '--appendonly', 'yes', '--save', ''];
  const where = ['-h', '127.0.0.1', '-p', String(ports.postgres)];
  return {
    workers: [
      {
        id: 'redis',
        ...common,
        command: [program('redis-server', 'redis-server'), ...address, ...durable],
        probes: {
          readiness: {
            exec: [program('redis-cli', 'redis-tools'), '-e', '-p', String(ports.redis), 'ping'],
            interval: '200ms',
            timeout: '190ms',
          },
          liveness: {
            tcp: `127.0.0.1:${ports.redis}`,
            interval: '1s',
            timeout: '900ms',
            initial_delay: '5s',
          },
        },
      },
      {
        id: 'nginx',
        ...common,
        command: [program('nginx', 'nginx-light'), '-p', stage.path('nginx'), '-c', conf],
        probes: {
          startup: { tcp: `127.0.0.1:${ports.nginx}`, ...often, failure_threshold: 1000 },
          readiness: { http: `http://127.0.0.1:${ports.nginx}/`, ...often },
          liveness: { http: `http://127.0.0.1:${ports.nginx}/health`, ...often, failure_threshold: 3 },
        },
      },
      {
        id: 'postgres',
        ...common,
        command: [postgresProgram('postgres'), '-D', data, ...where, '-k', ''],
        ...(process.getuid?.() === 0 ? { user: account.name } : {}),
        // Fast shutdown: SIGTERM would wait for the clients.
        stop_signal: 'SIGINT',
        probes: {
          readiness: { exec: [postgresProgram('pg_isready'), ...where], interval: '300ms', timeout: '290ms' },
        },
      },
      {
        id: 'app',
        depends_on: [...SERVERS],
        command: ['sh', '-c', 'psql -X -A -t -U postgres -d postgres -c "SELECT 41 + 1" && exec sleep 1000'],
        env: { PGHOST: '127.0.0.1', PGPORT: String(ports.postgres) },
      },
    ],
  };
}

/** Resolves when a server was started for the `n`-th time and has then become ready. */
async function ready(server: Server, n: number): Promise<number> {
  const pid = await master.started(server, n);
  const since = master.lines.indexOf(`${server}: started (pid ${pid})`);
  await master.until(
    `${server} ready in its life ${n}`,
    () => master.lines.indexOf(`${server}: ready`, since) > since,
  );
  return pid;
}

/** All that a server and its children wrote. */
function logs(): string {
  const folder = stage.path('logs', 'workers');
  const files = readdirSync(folder).map((name) => `${folder}/${name}`);
  return [...files, stage.path('nginx', 'error.log')].map((file) => readFileSync(file, 'utf8')).join('\n');
}

/** Kills the leader of a server, and returns when the next one is ready; by then nothing of the former lives. */
async function killAndWait(server: Server): Promise<void> {
  const pid = await ready(server, lives[server]);
  const family = [pid, ...childrenOf(pid)];
  process.kill(pid, 'SIGKILL');
  lives[server] += 1;
  await master.started(server, lives[server]);
  expect(family.filter(isAlive), `what is left of ${server}`).toEqual([]);
  await ready(server, lives[server]);
}

function launchMaster(): Launched {
  return stage.hsu(['run', config, '--log-dir', stage.path('logs')]);
}

async function startMaster(): Promise<void> {
  master = launchMaster();
  for (const server of SERVERS) {
    await ready(server, 1);
    lives[server] = 1;
  }
}

beforeAll(async () => {
  stage = new Stage('servers');
  chmodSync(stage.folder, 0o755);
  for (const server of SERVERS) ports[server] = await freePort();
  config = stage.config(configuration());
  await startMaster();
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail')
    console.error(master.lines.slice(-80).join('\n'), '\n', logs().slice(-4000));
});
afterAll(() => stage?.clear());

describe('real servers under one master', () => {
  it('what depends on them is started when all are ready', async () => {
    await master.line(/^app +\| 42$/);
    const order = master.lines.filter((line) => /^(redis|nginx|postgres): ready$|^app: started/.test(line));
    expect(order.at(-1)).toMatch(/^app: started/);
    expect(order).toHaveLength(4);
  });

  it(`redis is killed ${LIVES} times, comes back each time, and keeps what was written`, async () => {
    for (let life = 1; life <= LIVES; life += 1) {
      expect(await redis('SET', `key-${life}`, `value-${life}`)).toBe('OK');
      await killAndWait('redis');
      expect(await redis('GET', `key-${life}`)).toBe(`value-${life}`);
    }
    expect(await redis('DBSIZE')).toBe(String(LIVES));
  });

  it(`nginx is killed ${LIVES} times, comes back each time, and its children never outlive it`, async () => {
    for (let life = 1; life <= LIVES; life += 1) {
      expect(await page()).toBe('hello\n');
      expect(childrenOf(await master.started('nginx', lives.nginx)).length).toBeGreaterThanOrEqual(3);
      await killAndWait('nginx');
    }
    expect(await page()).toBe('hello\n');
  });

  it(`PostgreSQL is killed ${LIVES} times with a client at work, comes back, and keeps what was committed`, async () => {
    await sql('CREATE TABLE lives (life integer)');
    for (let life = 1; life <= LIVES; life += 1) {
      await sql(`INSERT INTO lives VALUES (${life})`);
      const client = sql('SELECT pg_sleep(1000)').catch(() => 'cut off');
      const sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
      while ((await sql(sleeping)) !== '1');
      await killAndWait('postgres');
      expect(await client).toBe('cut off');
      expect(await sql('SELECT 1')).toBe('1');
      expect(await sql('SELECT count(*) FROM lives')).toBe(String(life));
    }
  });

  it('no server met what an earlier run of it had left', () => {
    expect(logs()).not.toMatch(
      /address already in use|could not bind|still in use|lock file .* already exists/i,
    );
  });

  it('a health endpoint that starts failing leads to exactly one restart', async () => {
    const before = lives.nginx;
    rmSync(stage.path('www', 'health'));
    await master.next(/^nginx: liveness probe failed: .*404/);
    await master.next(/^nginx: stopping it, since its liveness probe failed/);
    stage.write('www/health', 'well\n');
    await ready('nginx', before + 1);
    // Long enough for several more verdicts: after three failed checks the next restart would have come.
    await new Promise((resolve) => setTimeout(resolve, 1500 * factor));
    expect(master.matching(/^nginx: started/)).toHaveLength(before + 1);
    expect(master.matching(/^nginx: liveness probe failed/)).toHaveLength(1);
    expect(await page()).toBe('hello\n');
    lives.nginx = before + 1;
  });

  it('a master that is killed leaves them running, and the next one takes charge of the same', async () => {
    await redis('SET', 'master', 'first');
    const leaders = await Promise.all(SERVERS.map((server) => master.started(server, lives[server])));
    await master.stop('SIGKILL');
    expect(leaders.every(isAlive)).toBe(true);
    expect(await redis('GET', 'master')).toBe('first');
    master = launchMaster();
    expect(await Promise.all(SERVERS.map((server) => runsOn(master, server)))).toEqual(leaders);
    await runsOn(master, 'app');
    expect(master.matching(/: starting|: started/)).toEqual([]);
    expect(await redis('GET', 'master')).toBe('first');
    expect(await sql('SELECT count(*) FROM lives')).toBe(String(LIVES));
    expect(await page()).toBe('hello\n');
    expect(logs()).not.toMatch(/address already in use|could not bind|still in use/i);
  });

  it('Ctrl-C leaves no process of any of them, with exit code 0', async () => {
    const all = stage.processes().map(({ pid }) => pid);
    expect(all.length).toBeGreaterThan(10);
    expect(await master.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(stage.processes()).toEqual([]);
    expect(all.filter(isAlive)).toEqual([]);
    for (const server of SERVERS) {
      const stopped = master.lines.indexOf(`${server}: stopping`);
      expect(master.lines.indexOf('app: stopped')).toBeLessThan(stopped);
    }
    expect(logs()).toContain('database system is shut down');
  });
});
