import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Client } from '@hsu-master/api/client';
import { expect } from 'vitest';
import { clientOf, command, told } from './background.ts';
import { eventually, it, rhythm, type Stage } from './drive.ts';
import { ordinary } from './ordinary.ts';
import { isAlive } from './proc.ts';

// What accompanies a worker follows what the configuration says of it now.

async function up(stage: Stage, content: object): Promise<Client> {
  const started = await command(stage, ['up', '--no-wait', '-f', stage.config(content)]);
  expect(started).toMatchObject({ code: 0, stderr: '' });
  return clientOf(stage);
}

async function reload(stage: Stage, client: Client, content: object): Promise<void> {
  stage.config(content);
  expect(await client.reload({ wait: '60s' })).toMatchObject({ state: 'done', failures: [] });
}

it('probes and limits of a process that runs on', async ({ stage }) => {
  const sleeper = { id: 'web', command: 'sleep 1000' };
  const asking = (file: string) => ({
    ...sleeper,
    probes: { readiness: { exec: ['test', '-e', stage.path(file)], ...rhythm(300) } },
  });
  const client = await up(stage, [asking('never')]);
  await client.wait('web', 'running', '60s');
  const { process: main, ready } = await client.worker('web');
  expect(ready).toBe(false);
  stage.write('there', '');
  await reload(stage, client, [asking('there')]);
  expect((await client.wait('web', 'ready', '60s')).met).toBe(true);
  await reload(stage, client, [asking('never')]);
  await told(client, 'worker.unready');
  const limited = { ...sleeper, limits: { memory: { max_rss: '256MiB' } }, stop_timeout: '3s' };
  await reload(stage, client, [limited]);
  const now = await client.worker('web');
  expect([now.ready, now.process, now.stop.graceMs, now.run]).toEqual([true, main, 3000, 1]);
  expect((await client.limits('web')).map(({ limit }) => limit)).toContain('memory.max_rss');
  await reload(stage, client, [sleeper]);
  expect([await client.limits('web'), (await client.worker('web')).process]).toEqual([[], main]);
  client.close();
});

it('targets of lines, logs of new workers, and ports', async ({ stage }) => {
  const talker = {
    id: 'talker',
    shell: true,
    command: 'i=0; while :; do i=$((i+1)); echo "said $i."; sleep 0.1; done',
  };
  const config = (workers: readonly object[], targets: readonly object[]) => ({
    workers,
    log_collection: { enabled: true, global_aggregation: { enabled: true, targets } },
  });
  const target = (path: string) => ({ type: 'file', path: stage.path(path), format: 'json' });
  const client = await up(stage, config([talker], []));
  await client.wait('talker', 'running', '60s');
  const { process: main } = await client.worker('talker');
  await reload(stage, client, config([talker], [target('one.log')]));
  await eventually(() => linesIn(stage, 'one.log') > 0);
  const server = { id: 'server', port: '50100-50999', shell: true, command: 'echo "port $PORT"; sleep 1000' };
  await reload(stage, client, config([talker, server], [target('two.log')]));
  await eventually(() => /port 50[1-9]\d\d/.test(readQuietly(stage, 'two.log')));
  await eventually(() => linesIn(stage, 'two.log') > 10);
  const newest =
    readQuietly(stage, 'two.log')
      .match(/said \d+\./g)
      ?.at(-1) ?? 'none';
  expect(readQuietly(stage, 'one.log')).not.toContain(newest);
  expect((await client.worker('talker')).process).toEqual(main);
  await reload(stage, client, config([talker, { ...server, port: '51000-51999' }], [target('two.log')]));
  await eventually(() => /port 51\d\d\d/.test(readQuietly(stage, 'two.log')));
  client.close();
});

it('K3: a process that others started is let go for a change, and looked for by the new description', async ({
  stage,
}) => {
  for (const name of ['one', 'two']) {
    const line = `setsid sh -c 'echo $$ > ${stage.path(`${name}.pid`)}; exec sleep 1000' > /dev/null 2>&1 &`;
    await stage.launch(['sh', '-c', line]).ended;
    await eventually(() => /^\d+\n$/.test(readQuietly(stage, `${name}.pid`)));
  }
  const [one, two] = ['one', 'two'].map((name) => Number(readQuietly(stage, `${name}.pid`)));
  const by = (name: string) => [
    {
      id: 'db',
      type: 'unmanaged',
      unit: { unmanaged: { discovery: { strategy: 'pid_file', pid_file: stage.path(`${name}.pid`) } } },
    },
  ];
  const client = await up(stage, by('one'));
  await client.wait('db', 'running', '60s');
  expect((await client.worker('db')).process?.pid).toBe(one);
  await reload(stage, client, by('two'));
  await told(client, 'worker.attached', 2);
  expect((await client.worker('db')).process?.pid).toBe(two);
  await client.remove('db', { wait: '60s' });
  expect((await client.workers()).workers).toEqual([]);
  // What was one of others is one of ours now, and the other way round.
  await client.create({ id: 'db', command: 'sleep 1000' } as never, { wait: '60s' });
  const { process: own } = await client.worker('db');
  await client.replace('db', by('one')[0] as object, { wait: '60s' });
  await client.wait('db', 'running', '60s');
  expect((await client.worker('db')).process?.pid).toBe(one);
  expect([one, two, own?.pid].map((pid) => isAlive(pid ?? 0))).toEqual([true, true, false]);
  client.close();
});

it('an ordinary user changes his own master, and what he may not run is told and tried again', async ({
  stage,
  skip,
}) => {
  const options = ordinary(stage, skip);
  const file = stage.config([{ id: 'a', command: 'sleep 1000' }]);
  const run = stage.hsu(['run', file], options);
  await run.started('a');
  const hsu = async (...args: readonly string[]) => {
    const launched = stage.hsu(args, options);
    const { code } = await launched.end();
    return { code, text: launched.stdout + launched.stderr };
  };
  const secret = stage.write('next.yaml', '');
  writeFileSync(secret, JSON.stringify({ workers: [{ id: 'b', command: 'sleep 1000', user: 'root' }] }));
  const applied = await hsu('apply', secret, '-f', file);
  expect(applied.code).not.toBe(3);
  expect(existsSync(stage.path('next.yaml'))).toBe(true);
  const back = await hsu('reload', '-f', file, '--wait');
  expect(back).toMatchObject({ code: 0 });
  expect((await hsu('ls', '-f', file, '-o', 'name')).text).toBe('a\n');
});

function readQuietly(stage: Stage, name: string): string {
  try {
    return readFileSync(stage.path(name), 'utf8');
  } catch {
    return '';
  }
}

function linesIn(stage: Stage, name: string): number {
  return readQuietly(stage, name).split('\n').length - 1;
}
