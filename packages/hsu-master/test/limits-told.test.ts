import { once } from 'node:events';
import { createServer } from 'node:http';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { eventually, factor, it, type Launched, type LaunchOptions, type Stage } from './drive.ts';
import { ordinary } from './ordinary.ts';

const OFF = ['--containment', 'off'];
const monitoring = { interval: `${100 * factor}ms` };
const sleeper = creature('print', 'up', 'sleep');

/** What a command says that ends by itself. */
async function says(
  stage: Stage,
  args: readonly string[],
  options: LaunchOptions = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const told: Launched = stage.hsu(args, options);
  const { code } = await told.end();
  return { code, stdout: told.stdout, stderr: told.stderr };
}

describe.concurrent('doctor', () => {
  it('says how workers are held, and with --containment off that they are not', async ({ stage }) => {
    for (const mode of ['auto', 'in-place', 'off']) {
      const { code, stdout, stderr } = await says(stage, ['doctor', '--containment', mode]);
      expect([code, stderr]).toEqual([0, '']);
      for (const feature of ['cgroup2', 'cgroup1', 'kill-tree', 'freeze-tree', 'protected-master']) {
        expect(stdout).toMatch(new RegExp(`^${feature} +(enforced|watched|impossible) +\\S`, 'm'));
      }
      if (mode === 'off') {
        expect(stdout).toMatch(/^cgroup2 +impossible +containment is off$/m);
        expect(stdout).toMatch(/^kill-tree +watched +SIGKILL to each member/m);
      }
    }
  });

  it('tells programs the same', async ({ stage }) => {
    const { stdout } = await says(stage, ['doctor', '-o', 'json', ...OFF]);
    const { findings, capabilities } = JSON.parse(stdout);
    expect(findings).toContainEqual({ about: 'state directory', status: 'good', says: expect.any(String) });
    expect(capabilities).toContainEqual({
      feature: 'cgroup1',
      status: 'impossible',
      reason: 'containment is off',
    });
  });

  it('names what an ordinary user lacks; a directory that cannot be written to is bad', async ({
    stage,
    skip,
  }) => {
    const user = ordinary(stage, skip);
    const good = await says(stage, ['doctor'], user);
    expect(good.code).toBe(0);
    if (process.getuid?.() === 0) {
      expect(good.stdout).toMatch(/^switch-user +impossible +uid 65534 has no CAP_SETUID/m);
      expect(good.stdout).toMatch(/^protected-master +impossible .*CAP_SYS_RESOURCE$/m);
    }
    const bad = await says(stage, ['doctor', '--state-dir', '/proc/1/nowhere'], user);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^state directory +BAD +\/proc\/1\/nowhere: .*set --state-dir or HSU_HOME$/m);
  });

  it('2: a mode or an argument that it does not know', async ({ stage }) => {
    const mode = await says(stage, ['doctor', '--containment', 'firmly']);
    expect([mode.code, mode.stderr]).toEqual([
      2,
      'hsu-master: --containment takes auto, in-place, off, not "firmly"\n',
    ]);
    expect((await says(stage, ['doctor', 'config.yaml'])).code).toBe(2);
    expect((await says(stage, ['doctor', '-o', 'xml'])).stderr).toContain(
      '--output takes table, json, yaml, not "xml"',
    );
  });
});

const CONFIG = `
namespaces: { prod: { limits: { memory: 8GB } } }
groups: { web: { limits: { process: { max_processes: 500 } } } }
workers:
  - id: api
    command: /bin/sleep 1000
    namespace: prod
    worker_group: web
    limits:
      memory: { max_rss: 512MB, max_virtual: 4GB }
      cpu: { max_percent: 150%, affinity: 0 }
      network: { max_connections: 10, max_bandwidth: 1MB/s }
  - { id: shares, command: /bin/sleep 1000, worker_group: web }
  - { id: plain, command: /bin/sleep 1000 }
`;

describe.concurrent('limits explain', () => {
  it('says of each limit what becomes of it, and starts nothing', async ({ stage }) => {
    const { code, stdout } = await says(stage, ['limits', 'explain', stage.config(CONFIG), ...OFF]);
    expect(code).toBe(0);
    expect(stdout.split('\n\n').map((part) => part.split('\n')[0])).toEqual([
      expect.stringMatching(/^cgroup2/),
      'namespace prod',
      'group web',
      'worker api',
      'worker shares',
    ]);
    expect(stdout).toContain('\nworker api\n  within namespace prod, group web\n');
    expect(stdout).toContain('\nworker shares\n  within group web\n');
    expect(stdout).toMatch(/^ {2}memory\.max_rss +8GB +impossible .*containment is off$/m);
    expect(stdout).toMatch(/^ {2}process\.max_processes +500 +impossible .*containment is off$/m);
    expect(stdout).toMatch(/^ {2}memory\.max_rss +512MB +watched +sampling; containment is off/m);
    expect(stdout).toMatch(/^ {2}memory\.max_virtual +4GB +enforced +RLIMIT_AS; holds for each process$/m);
    expect(stdout).toMatch(/^ {2}cpu\.max_percent +150% +watched +sampling; /m);
    expect(stdout).toMatch(/^ {2}cpu\.affinity +0 +enforced +sched_setaffinity/m);
    expect(stdout).toMatch(/^ {2}network\.max_connections +10 +watched +sampling/m);
    expect(stdout).toMatch(/^ {2}network\.max_bandwidth +1MB\/s +impossible/m);
    expect(stdout).not.toContain('plain');
    expect(stage.processes()).toEqual([]);
  });

  it('tells programs the same', async ({ stage }) => {
    const { stdout } = await says(stage, ['limits', 'explain', stage.config(CONFIG), '-o', 'json', ...OFF]);
    const { containment, limits } = JSON.parse(stdout);
    expect(containment).toContainEqual({
      feature: 'cgroup2',
      status: 'impossible',
      reason: 'containment is off',
    });
    expect(limits.map(({ kind, id }: { kind: string; id: string }) => `${kind} ${id}`)).toEqual([
      'namespace prod',
      'group web',
      'worker api',
      'worker shares',
    ]);
    expect(limits[3]).toEqual({
      kind: 'worker',
      id: 'shares',
      required: false,
      within: [{ kind: 'group', id: 'web' }],
      limits: [],
    });
    expect(limits[2]).toMatchObject({
      required: false,
      limits: expect.arrayContaining([
        {
          limit: 'memory.max_virtual',
          value: '4GB',
          status: 'enforced',
          mechanism: 'RLIMIT_AS',
          reason: 'holds for each process',
        },
      ]),
    });
  });

  it('2: a file that is wrong, missing or not given; a command that is not there', async ({ stage }) => {
    const wrong = stage.config('workers: [{ id: w, command: "true", limits: { memory: 12 apples } }]');
    const told = await says(stage, ['limits', 'explain', wrong]);
    expect([told.code, told.stdout]).toEqual([2, '']);
    expect(told.stderr).toMatch(
      /config\.yaml:1:\d+: error: workers\[0\]\.limits\.memory: "12 apples" is not a size/,
    );
    expect((await says(stage, ['limits', 'explain', stage.path('none.yaml')])).code).toBe(2);
    expect((await says(stage, ['limits', 'explain'])).code).toBe(2);
    expect((await says(stage, ['limits', 'explane', wrong])).code).toBe(2);
    expect((await says(stage, ['limits', 'explain', wrong, '--containment', 'on'])).code).toBe(2);
  });

  it('a configuration without limits', async ({ stage }) => {
    const config = stage.config([{ id: 'plain', command: 'true' }]);
    const { code, stdout } = await says(stage, ['limits', 'explain', config]);
    expect([code, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, 'no worker has limits']);
  });

  it('1: what is required and would not be started', async ({ stage }) => {
    const limits = { memory: '64MB', required: true };
    const config = stage.config([{ id: 'needs', command: 'true', limits }]);
    const { code, stdout } = await says(stage, ['limits', 'explain', config, ...OFF]);
    expect(code).toBe(1);
    expect(stdout).toContain('limits.required: it would not be started here');
  });
});

describe.concurrent('G9: a limit that is not enforced', () => {
  it('is named once, also when the worker is started again, and the worker runs', async ({ stage, skip }) => {
    const limits = { memory: '64MB', process: { max_processes: 10 }, network: { max_connections: 10 } };
    const restart = { delay: '1ms', max_retries: 2 };
    const command = creature('pause', '20', 'exit', '1');
    const master = stage.run(
      [
        { id: 'watched', command, limits, restart },
        { id: 'other', command: sleeper },
      ],
      OFF,
      ordinary(stage, skip),
    );
    await master.line(/^watched: failed too often \(3 times in a row\)/);
    expect(master.matching(/its limit/)).toEqual([
      'watched: its limit memory.max_rss is watched, not enforced: containment is off',
      'watched: its limit process.max_processes is watched, not enforced: containment is off',
    ]);
    expect((await master.stop()).code).toBe(0);
  });

  it('refuses the start where it is required, once and with the reason; others are started', async ({
    stage,
    skip,
  }) => {
    const master = stage.run(
      {
        groups: { web: { limits: { memory: '64MB', required: true } } },
        workers: [
          {
            id: 'needs',
            command: sleeper,
            worker_group: 'web',
            limits: { memory: '64MB', network: { max_connections: 5 }, required: true },
          },
          { id: 'member', command: sleeper, worker_group: 'web' },
          {
            id: 'files',
            command: sleeper,
            limits: { process: { max_file_descriptors: 64 }, required: true },
          },
        ],
      },
      OFF,
      ordinary(stage, skip),
    );
    await master.line(/^files +\| up$/);
    await master.line(/^needs: failed for good/);
    await master.line(/^member: failed for good/);
    const [refused] = master.matching(/^needs: /);
    // Each of them, not the first alone.
    expect(refused).toMatch(
      /^needs: memory\.max_rss is required and only watched here: containment is off; /,
    );
    expect(refused).toContain('; network.max_connections is required and only watched here: ');
    expect(refused).toMatch(/; memory\.max_rss is required and only wished for here: .*\(group "web"\)$/);
    expect(master.matching(/^member: /)[0]).toMatch(/required .*\(group "web"\)$/);
    expect(master.matching(/^(needs|member): started/)).toEqual([]);
    expect((await master.stop()).code).toBe(1);
    expect(stage.processes()).toEqual([]);
  });

  it('that nobody watches either is still told', async ({ stage }) => {
    const limits = { memory: '64MB', monitoring: { enabled: false } };
    const master = stage.run([{ id: 'blind', command: sleeper, limits }], OFF);
    await master.line(/^blind +\| up$/);
    await master.line(/^blind: its limit memory.max_rss is watched, not enforced/);
    expect((await master.stop()).code).toBe(0);
  });
});

describe.concurrent('what an operator sees of an excess', () => {
  it('policy none is silent, log one line with numbers of a human, also when it ends', async ({ stage }) => {
    const memory = { max_rss: '8MiB' };
    const command = creature('grow', '24', '10', 'sleep');
    const master = stage.run(
      [
        { id: 'silent', command, limits: { memory: { ...memory, policy: 'none' }, monitoring } },
        { id: 'logged', command, limits: { memory, monitoring } },
      ],
      OFF,
    );
    await master.line(/^logged: exceeds its limit memory\.max_rss: [\d.]+MiB of 8MiB$/);
    await master.line(/^silent +\| grow 24 ok$/);
    expect(master.matching(/^silent: exceeds/)).toEqual([]);
    expect(master.matching(/^logged: exceeds/)).toHaveLength(1);
    expect((await master.stop()).code).toBe(0);
  });

  it('why a worker is ended for good, and why one is started again', async ({ stage }) => {
    const command = creature('forks', '8', 'sleep');
    const limits = (policy: string) => ({ process: { max_child_processes: 4, policy }, monitoring });
    const restart = { delay: '10ms', max_retries: 1 };
    const master = stage.run(
      [
        { id: 'ended', command, limits: limits('graceful_shutdown'), restart },
        { id: 'killed', command, limits: limits('immediate_kill'), restart },
        { id: 'again', command, limits: limits('restart'), restart },
        { id: 'other', command: sleeper },
      ],
      OFF,
    );
    const excess = 'child processes 8 of 4';
    await master.line(new RegExp(`^ended: stopping it for its limit: ${excess}$`));
    await master.line(/^ended: failed for good: ended for its limit process.max_child_processes: /);
    await master.line(new RegExp(`^killed: stopping it for its limit: ${excess}$`));
    await master.line(/^killed: failed for good/);
    await master.started('again', 2);
    await master.line(/^again: failed too often \(2 times in a row\)/);
    expect(master.matching(/^ended: ended \(SIGTERM\)/)).toHaveLength(1);
    expect(master.matching(/^killed: ended \(SIGKILL\)/)).toHaveLength(1);
    expect(stage.leftOvers()).toHaveLength(1);
    expect((await master.stop()).code).toBe(0);
  });

  it('an alert that nobody takes, by its reason; one that is taken leaves no line', async ({
    stage,
    skip,
  }) => {
    const heard: string[] = [];
    const server = createServer((request, response) => {
      heard.push(`${request.method} ${request.url}`);
      response.writeHead(request.url === '/broken' ? 503 : 204).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const address = server.address();
      const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
      const limits = (path: string, exec: readonly string[]) => ({
        process: { max_child_processes: 1, policy: 'alert' },
        monitoring,
        alerts: { webhook: url + path, exec },
      });
      const command = creature('forks', '3', 'sleep');
      const master = stage.run(
        [
          { id: 'taken', command, limits: limits('/taken', ['true']) },
          { id: 'broken', command, limits: limits('/broken', ['sh', '-c', 'echo no pager; exit 7']) },
        ],
        OFF,
        ordinary(stage, skip),
      );
      await master.line(
        /^broken: the alert about process\.max_child_processes did not arrive by webhook: .*503/,
      );
      await master.line(
        /^broken: the alert about process\.max_child_processes did not arrive by exec: exit 7: no pager$/,
      );
      await eventually(() => heard.includes('POST /taken'));
      expect(heard.filter((line) => line.endsWith('/broken'))).toHaveLength(2);
      expect(master.matching(/^taken: the alert/)).toEqual([]);
      expect((await master.stop()).code).toBe(0);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
