import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiError, type Client } from '@hsu-master/api/client';
import { describe, expect } from 'vitest';
import { instanceOf } from '../src/places.ts';
import { clientOf, command, told } from './background.ts';
import { eventually, it, type Stage } from './drive.ts';

const DB = { id: 'db', command: 'sleep 1000' };
const WEB = { id: 'web', command: 'sleep 1000', depends_on: ['db'] };
const OTHER = { ...WEB, command: 'sleep 1001' };

function directoryOf(stage: Stage): string {
  return join(stage.home, 'state', instanceOf(stage.path('config.yaml')));
}

async function up(stage: Stage, workers: readonly object[]): Promise<Client> {
  const started = await command(stage, ['up', '-f', stage.config(workers)]);
  expect(started).toMatchObject({ code: 0, stderr: '' });
  return clientOf(stage);
}

async function pids(client: Client): Promise<Readonly<Record<string, number | undefined>>> {
  const { workers } = await client.workers();
  return Object.fromEntries(workers.map(({ id, process }) => [id, process?.pid]));
}

/** The master dies without a word, and another follows. */
async function killAndFollow(stage: Stage, client: Client): Promise<Client> {
  const { pid } = await client.version();
  client.close();
  process.kill(pid, 'SIGKILL');
  const again = await command(stage, ['up', '-f', stage.path('config.yaml')]);
  expect(again).toMatchObject({ code: 0 });
  return clientOf(stage);
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  );
}

describe('reload', () => {
  it('I3: only what is another restarts; the plan says so, and diff tells whether there is something', async ({
    stage,
  }) => {
    const client = await up(stage, [DB, { ...WEB, env: { PASSWORD: 'hunter2' } }]);
    const before = await pids(client);
    expect(await command(stage, ['diff'])).toMatchObject({ code: 0, stdout: 'nothing changes\n' });
    stage.config([DB, { ...OTHER, env: { PASSWORD: 'hunter3' } }, { id: 'new', command: 'sleep 1000' }]);
    const diff = await command(stage, ['diff', '-o', 'json']);
    expect(diff.code).toBe(1);
    expect(diff.stdout).not.toContain('hunter');
    const { plan } = JSON.parse(diff.stdout) as { plan: { workers: { id: string; action: string }[] } };
    expect(plan.workers.map(({ id, action }) => [id, action])).toEqual([
      ['web', 'restart'],
      ['new', 'start'],
    ]);
    const reload = await command(stage, ['reload', '--wait']);
    expect(reload.code).toBe(0);
    expect(reload.stdout).toMatch(/~ web +changed: it restarts\n[\s\S]*revision 2 is carried out\n$/);
    const after = await pids(client);
    expect(after['db']).toBe(before['db']);
    expect(after['web']).not.toBe(before['web']);
    const { events } = await client.events();
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['config.loaded', 'config.applied']),
    );
    client.close();
  });

  it('I1: what is not valid changes nothing, by a command and by SIGHUP', async ({ stage }) => {
    const client = await up(stage, [DB]);
    const before = await pids(client);
    stage.config('workers:\n  - {id: db, command: sleep 1000}\n  - {id: web, comand: x}\n');
    const reload = await command(stage, ['reload']);
    expect(reload.code).toBe(2);
    expect(reload.stderr).toMatch(/config\.yaml:3:\d+: error/);
    const { pid } = await client.version();
    process.kill(pid, 'SIGHUP');
    await told(client, 'config.rejected', 2);
    expect(await pids(client)).toEqual(before);
    stage.config([DB, WEB]);
    process.kill(pid, 'SIGHUP');
    await told(client, 'config.applied', 1);
    expect(Object.keys(await pids(client))).toEqual(['db', 'web']);
    expect((await client.version()).pid).toBe(pid);
    client.close();
  });

  it('H9: a foreground master ends in order when its terminal is closed', async ({ stage }) => {
    const run = stage.run([DB]);
    await run.started('db');
    process.kill(run.pid, 'SIGHUP');
    expect(await run.end()).toMatchObject({ code: 0 });
    expect(stage.leftOvers()).toEqual([]);
  });

  it('A4: a daemon whose pid file comes late becomes its main process though a reload comes meanwhile', async ({
    stage,
  }) => {
    const pidFile = stage.path('daemon.pid');
    const script = `(setsid sh -c 'echo $$$$ > ${stage.path('pid')}; exec sleep 1000' > /dev/null 2>&1 &) ; sleep 0.2`;
    const daemon = {
      id: 'daemon',
      type: 'managed',
      unit: {
        managed: {
          control: {
            execution: { executable_path: '/bin/sh', args: ['-c', script] },
            main_process: { pid_file: pidFile, timeout: '60s' },
          },
        },
      },
    };
    const started = await command(stage, ['up', '--no-wait', '-f', stage.config([daemon])]);
    expect(started.code).toBe(0);
    const client = clientOf(stage);
    await told(client, 'worker.started', 1);
    stage.config([daemon, DB]);
    expect((await command(stage, ['reload'])).code).toBe(0);
    await eventually(() => /^\d+\n$/.test(readQuietly(stage.path('pid'))));
    writeFileSync(pidFile, readFileSync(stage.path('pid')));
    await client.wait('daemon', 'ready', '60s');
    const { process: main, run } = await client.worker('daemon');
    expect([main?.pid, run]).toEqual([Number(readFileSync(pidFile, 'utf8')), 1]);
    client.close();
  });
});

describe('workers one by one', () => {
  it('are added, described otherwise and removed, and outlive masters that are killed', async ({ stage }) => {
    let client = await up(stage, [DB, WEB]);
    const created = await client.create(
      { id: 'tmp', command: 'sleep 1000', env: { TOKEN: 's3cret' } } as never,
      {
        wait: '30s',
      },
    );
    expect([created.id, created.state, created.revision]).toEqual(['tmp', 'done', 2]);
    expect(await refusal(client.create({ id: 'tmp', command: 'true' } as never))).toBe('E_DUPLICATE_WORKER');
    expect(await refusal(client.create({ id: 'bad', comand: 'true' } as never))).toBe('E_CONFIG');
    expect(await refusal(client.remove('db'))).toBe('E_CONFIG');
    await client.replace('web', OTHER, { wait: '30s' });
    const config = await client.config();
    expect(config).toMatchObject({ source: 'file', created: ['tmp'], replaced: ['web'], removed: [] });
    expect(JSON.stringify(config)).not.toContain('s3cret');
    const before = await pids(client);
    client = await killAndFollow(stage, client);
    expect(await pids(client)).toEqual(before);
    expect((await client.worker('web')).argv).toEqual(['sleep', '1001']);
    // A reload makes what is of the file as the file says, and leaves alone what is not.
    await client.reload({ wait: '30s' });
    const after = await pids(client);
    expect([after['tmp'], after['db']]).toEqual([before['tmp'], before['db']]);
    expect((await client.worker('web')).argv).toEqual(['sleep', '1000']);
    const gone = await command(stage, ['delete', 'tmp', 'web']);
    expect(gone).toMatchObject({ code: 0, stderr: '' });
    expect(Object.keys(await pids(client))).toEqual(['db']);
    client = await killAndFollow(stage, client);
    expect(await pids(client)).toEqual({ db: before['db'] });
    client.close();
  });

  it('a change that is based on another revision is refused, exit 7', async ({ stage }) => {
    const client = await up(stage, [DB]);
    await client.create({ id: 'a', command: 'sleep 1000' } as never, { revision: 1, wait: '30s' });
    expect(await refusal(client.remove('a', { revision: 1 }))).toBe('E_STALE');
    const stale = await command(stage, ['apply', stage.path('config.yaml'), '--revision', '1']);
    expect(stale.code).toBe(7);
    client.close();
  });
});

describe('apply', () => {
  it('H1: what was applied holds under the next master, until the file is another one', async ({ stage }) => {
    let client = await up(stage, [DB]);
    const next = stage.config([DB, WEB], 'next.yaml');
    expect((await command(stage, ['apply', next, '--wait'])).code).toBe(0);
    const before = await pids(client);
    expect((await client.config()).source).toBe('applied');
    client = await killAndFollow(stage, client);
    expect(await pids(client)).toEqual(before);
    const { pid } = await client.version();
    client.close();
    process.kill(pid, 'SIGKILL');
    stage.config([DB, { id: 'third', command: 'sleep 1000' }]);
    expect((await command(stage, ['up', '-f', stage.path('config.yaml')])).code).toBe(0);
    client = clientOf(stage);
    expect(Object.keys(await pids(client))).toEqual(['db', 'third']);
    expect((await pids(client))['db']).toBe(before['db']);
    await eventually(
      () => stage.processes().filter(({ command }) => command.startsWith('sleep')).length === 2,
    );
    client.close();
  });

  it('A16: a master that is killed in the midst of a change is followed by one that finishes it', async ({
    stage,
  }) => {
    // Asked once it goes on, asked again it ends.
    const asked = stage.path('asked');
    const stubborn = {
      id: 'old',
      shell: true,
      command: `trap 'test -e ${asked} && exit; : > ${asked}' TERM; echo on; while :; do sleep 0.1; done`,
      stop_timeout: '60s',
    };
    let client = await up(stage, [DB, stubborn]);
    const before = await pids(client);
    stage.config([DB, { id: 'new', command: 'sleep 1000' }]);
    const reloaded = await client.reload();
    expect(reloaded.state).toBe('pending');
    await eventually(() => existsSync(asked));
    client = await killAndFollow(stage, client);
    const after = await pids(client);
    expect([Object.keys(after), after['db']]).toEqual([['db', 'new'], before['db']]);
    await told(client, 'supervisor.left-over-ended', 1);
    client.close();
  });

  it('what is kept and damaged is set aside and told of, and the file counts', async ({ stage }) => {
    let client = await up(stage, [DB]);
    await client.create({ id: 'a', command: 'sleep 1000' } as never, { wait: '30s' });
    const { pid } = await client.version();
    client.close();
    process.kill(pid, 'SIGKILL');
    const kept = join(directoryOf(stage), 'configuration.json');
    writeFileSync(kept, readFileSync(kept, 'utf8').replace('"revision":2', '"revision":3'));
    expect((await command(stage, ['up', '-f', stage.path('config.yaml')])).code).toBe(0);
    client = clientOf(stage);
    expect(Object.keys(await pids(client))).toEqual(['db']);
    expect(readFileSync(`${kept}.refused`, 'utf8')).toContain('"revision":3');
    const said = await command(stage, ['events', '--type', 'config.rejected']);
    expect(said.stdout).toContain(`was set aside as ${kept}.refused`);
    rmSync(kept, { force: true });
    client.close();
  });
});

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
