import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { freePort, it, type Launched, ROOT, type Stage } from './drive.ts';

const EXAMPLES = join(ROOT, 'examples');

/** A Python that has grpcio; null: there is none. */
const PYTHON =
  ['python3', '/usr/bin/python3'].find((python) => spawnSync(python, ['-c', 'import grpc']).status === 0) ??
  null;

/** The commands that the README of an example prints, without `npm start`, which sets a clone up. */
function commands(example: string): readonly string[] {
  const text = readFileSync(join(EXAMPLES, example, 'README.md'), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.split('\n')).filter((line) => line !== '');
  return lines.filter((line) => line !== 'npm start');
}

/** Runs a command of a README, from the root of the repository as it says. */
function follow(stage: Stage, command: string, env: Record<string, string>): Launched {
  return stage.launch(['sh', '-c', `exec ${command}`], {
    cwd: ROOT,
    env: { npm_config_offline: 'true', ...env },
  });
}

describe.concurrent('examples', () => {
  it('there is a test for each', ({ expect: expectHere }) => {
    expectHere(readdirSync(EXAMPLES).sort()).toEqual([
      'embed',
      'integrated-node',
      'integrated-python',
      'limits',
      'logs',
      'quickstart',
    ]);
  });

  it('quickstart: start, health, a crash, a restart and logs are seen before it ends', async ({ stage }) => {
    const [command = '', ...others] = commands('quickstart');
    expect(others).toEqual([]);
    const master = follow(stage, command, { API_PORT: String(await freePort()) });
    expect(await master.end()).toEqual({ code: 0, signal: null });
    const at = (pattern: RegExp) => {
      const found = master.lines.findIndex((line) => pattern.test(line));
      expect(found, `${pattern}\n${master.stdout}`).toBeGreaterThanOrEqual(0);
      return found;
    };
    expect(at(/^worker: waiting for api to be ready/)).toBeLessThan(at(/^api: ready$/));
    expect(at(/^api: ready$/)).toBeLessThan(at(/^worker: started/));
    at(/^worker \| task 1 done$/);
    expect(at(/^job: exit 1 after/)).toBeLessThan(at(/^job: next try in/));
    expect(master.matching(/^job: started/).length).toBeGreaterThan(1);
    expect(at(/^worker: stopped$/)).toBeLessThan(at(/^api: stopping$/));
    expect(master.lines.at(-1)).toBe('hsu-master: all workers are stopped');
    const folder = /^logs are in (.*)$/m.exec(master.stdout)?.[1] ?? '';
    expect(readFileSync(join(folder, 'workers', 'worker-stdout.log'), 'utf8')).toMatch(/^task 1 done\n/);
    expect(stage.processes()).toEqual([]);
  });

  it('embed: the helper is started, restarted and ended with its application', async ({ stage }) => {
    const [command = '', ...others] = commands('embed');
    expect(others).toEqual([]);
    const application = follow(stage, command, { ECHO_PORT: String(await freePort()) });
    expect(await application.end(), application.stderr).toEqual({ code: 0, signal: null });
    expect(application.matching(/^worker\.started echo$/)).toHaveLength(2);
    expect(application.lines).toContain('state: running');
    expect(application.lines.at(-1)).toBe('survivors: 0');
    expect(stage.processes()).toEqual([]);
  });

  it('limits: the leak is ended at its limit and starts again, the busy loop gets its share', async ({
    stage,
  }) => {
    const [command = '', ...reports] = commands('limits');
    const master = follow(stage, command, {});
    expect(await master.end(), master.stderr).toEqual({ code: 0, signal: null });
    expect(
      master.matching(/^leak: (near|above|killed .* at) its limit memory\.max_rss/).length,
    ).toBeGreaterThan(0);
    expect(master.matching(/^leak: started/).length).toBeGreaterThan(1);
    expect(master.matching(/^busy \| \d+ % of a core$/).length).toBeGreaterThan(0);
    expect(stage.processes()).toEqual([]);
    for (const report of reports) {
      const told = follow(stage, report, {});
      expect(await told.end(), told.stderr).toEqual({ code: 0, signal: null });
      expect(told.stdout).toMatch(
        report.includes('explain') ? /memory\.max_rss.* (enforced|watched) / : /whole-tree/,
      );
    }
  });

  it('logs: lines are parsed, filtered, joined and redacted on their way, and untouched in their own files', async ({
    stage,
  }) => {
    const [command = '', ...others] = commands('logs');
    expect(others).toEqual([]);
    const master = follow(stage, command, {});
    expect(await master.end(), master.stderr).toEqual({ code: 0, signal: null });
    expect(master.matching(/^shop: alert raised: payments: /)).toHaveLength(1);
    const folder = /^logs are in (.*)$/m.exec(master.stdout)?.[1] ?? '';
    const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8');
    expect(read('workers', 'shop-stdout.log')).toMatch(/"debug".*\n.*"password":"swordfish"/);
    const all = read('all.jsonl');
    expect(all).not.toMatch(/swordfish|debug/);
    const records = all
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const first = records.filter(
      ({ fields }) => (fields as { request_id?: string } | undefined)?.request_id === 'order-1',
    );
    expect(new Set(first.map(({ worker }) => worker))).toEqual(new Set(['shop', 'report']));
    expect(records.find(({ stream }) => stream === 'stderr')?.['message']).toMatch(
      /^Error: order-3.*\n +at /,
    );
    expect(stage.processes()).toEqual([]);
  });

  it('integrated-node: a unit gets its port, says when it serves, is found by its file and stops when it is asked', async ({
    stage,
  }) => {
    const [command = '', ...others] = commands('integrated-node');
    expect(others).toEqual([]);
    const files = join(stage.folder, 'files');
    const master = follow(stage, command, { GREETER_FILES: files });
    const ready = await master.line(/^greeter: ready$/);
    const read = (name: string) => readFileSync(join(files, name), 'utf8');
    const port = /^greeter \| .*listening on port (\d+)/m.exec(master.stdout)?.[1];
    expect(read('greeter.port')).toBe(`${port}\n`);
    const pid = /^greeter: started \(pid (\d+)\)/m.exec(master.stdout)?.[1];
    expect(read('greeter.pid')).toBe(`${pid}\n`);
    expect(JSON.parse(read('greeter.identity'))).toMatchObject({
      pid: Number(pid),
      worker: 'greeter',
      run: 1,
    });
    expect(await master.end()).toEqual({ code: 0, signal: null });
    const at = (pattern: RegExp) => {
      const found = master.lines.findIndex((line) => pattern.test(line));
      expect(found, `${pattern}\n${master.stdout}`).toBeGreaterThanOrEqual(0);
      return found;
    };
    expect(ready).toBeDefined();
    expect(at(/^greeter: ready$/)).toBeLessThan(at(/^caller: started/));
    at(/^greeter \| .*has me in its charge as greeter, run 1/);
    at(/^caller +\| hello number 1$/);
    at(/^greeter \| .*asked to stop by (?:the master|SIGTERM)/);
    expect(readdirSync(files)).toEqual([]);
    expect(stage.processes()).toEqual([]);
  });

  it.skipIf(PYTHON === null)(
    'integrated-python: the same contract in another language (needs grpcio: apt-get install python3-grpcio)',
    async ({ stage }) => {
      const [command = '', ...others] = commands('integrated-python');
      expect(others).toEqual([]);
      const master = follow(stage, command, {
        TELLER_FILES: join(stage.folder, 'files'),
        PYTHON: PYTHON ?? '',
      });
      expect(await master.end()).toEqual({ code: 0, signal: null });
      expect(master.matching(/^teller: ready$/)).toHaveLength(1);
      for (const line of ['a master has me in its charge', 'stopped'])
        expect(master.lines).toContain(`teller | ${line}`);
      expect(stage.processes()).toEqual([]);
    },
  );
});
