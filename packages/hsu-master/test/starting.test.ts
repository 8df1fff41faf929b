import { chmodSync, mkdirSync, rmdirSync, symlinkSync } from 'node:fs';
import { delimiter } from 'node:path';
import { zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { freePort, it, type Launched, rhythm } from './drive.ts';
import { ofWindows, ofWine, onWindows } from './windows.ts';

const sleeper = { id: 'sleeper', command: zoo.sleeps().argv };
const asRoot = process.getuid?.() === 0;

/** What a user is told of a worker that cannot be started; it must have been tried once only. */
async function refusal(master: Launched, id: string): Promise<string> {
  const text = await master.line(new RegExp(`^${id}: cannot start`));
  await master.line(new RegExp(`^${id}: failed for good`));
  expect(master.matching(new RegExp(`^${id}: cannot start`))).toHaveLength(1);
  expect(master.matching(new RegExp(`^${id}: started`))).toEqual([]);
  return text;
}

/** The name of a program’s file: on Windows its ending says that it is one. */
const named = (stem: string, ending = 'exe'): string => (onWindows ? `${stem}.${ending}` : stem);

/** Milliseconds of a machine under Wine for each process are many. */
const CROWD = onWindows ? 60 : 500;
const LAYER = CROWD / 10;

/** The head of a program for another machine: of Windows for one, else of 64-bit ARM. */
function armProgram(): Buffer {
  if (onWindows) {
    const head = Buffer.alloc(512);
    head.write('MZ', 'latin1');
    head.writeUInt32LE(64, 0x3c);
    head.write('PE\0\0', 64, 'latin1');
    head.writeUInt16LE(process.arch === 'arm64' ? 0x8664 : 0xaa64, 68);
    return head;
  }
  const head = Buffer.alloc(64);
  head.write('\x7fELF', 'latin1');
  head.set([2, 1, 1], 4);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
  head.writeUInt32LE(1, 20);
  head.writeUInt16LE(64, 52);
  return head;
}

describe.concurrent('programs that cannot be started', () => {
  it('B1: a program that PATH does not hold is named with PATH and near names, and not retried', async ({
    stage,
  }) => {
    stage.write(named('greeter'), '#!/bin/sh\n', 0o755);
    const env = { PATH: [stage.folder, onWindows ? 'C:\\windows' : '/usr/bin'].join(delimiter) };
    const master = stage.run([{ id: 'web', command: 'greetre --all' }], [], { env });
    const text = await refusal(master, 'web');
    expect(text).toContain(`not found in PATH (${env.PATH}); nearest names: greeter`);
    expect((await master.end()).code).toBe(1);
  });

  it('B1: a path that leads nowhere is named with what is near', async ({ stage }) => {
    stage.write(named('server'), '#!/bin/sh\n', 0o755);
    const master = stage.run([{ id: 'web', command: './sever' }]);
    expect(await refusal(master, 'web')).toContain(
      `no such file ${stage.path('sever')}; nearest names: server`,
    );
    expect((await master.end()).code).toBe(1);
  });

  it('B1: retry_failed_start waits for the program to come', async ({ stage }) => {
    const restart = { delay: '20ms', max_retries: 0 };
    const worker = { id: 'late', command: './late', retry_failed_start: true, restart };
    const master = stage.run([worker]);
    await master.until('some tries', () => master.matching(/^late: cannot start/).length > 2);
    const sleeps = onWindows ? '@sleep\r\n' : '#!/bin/sh\nexec sleep 1000\n';
    stage.write(named('late', 'cmd'), sleeps, 0o755);
    await master.started('late');
    expect((await master.stop()).code).toBe(0);
  });

  it('B2: a file that is not executable, and a directory', async ({ stage }) => {
    const plain = stage.write('plain', '#!/bin/sh\n');
    const master = stage.run([
      { id: 'plain', command: './plain' },
      { id: 'folder', command: [stage.folder] },
    ]);
    const why = onWindows ? 'is no program' : `is not executable; chmod +x ${plain} makes it so`;
    expect(await refusal(master, 'plain')).toContain(why);
    expect(await refusal(master, 'folder')).toContain(`${stage.folder} is a directory`);
    expect((await master.end()).code).toBe(1);
  });

  it('B3: a script without a first line runs by the shell, with a warning', async ({ stage, skip }) => {
    skip(...ofWindows('a file is a program by its ending'));
    stage.write('script', 'echo "shell $0"\n', 0o755);
    const master = stage.run([{ id: 'script', command: './script' }]);
    expect((await master.end()).code).toBe(0);
    expect(master.stdout).toMatch(
      /^script: started .*; warning: .* has no "#!" line; it was run by \/bin\/sh$/m,
    );
    expect(master.stdout).toMatch(/^script +\| shell /m);
  });

  it('B3: a bad interpreter, another architecture, garbage and nothing are told apart', async ({ stage }) => {
    stage.write('script', '#!/usr/bin/pyhton3\n', 0o755);
    stage.write(named('arm'), armProgram(), 0o755);
    stage.write(named('garbage'), '\0\x01\x02 garbage', 0o755);
    stage.write(named('empty'), '', 0o755);
    const ids = ['script', 'arm', 'garbage', 'empty'];
    const master = stage.run(ids.map((id) => ({ id, command: `./${id}` })));
    const script = onWindows ? 'is no program' : 'bad interpreter /usr/bin/pyhton3 (line 1 of';
    expect(await refusal(master, 'script')).toContain(script);
    const foreign = process.arch === 'arm64' ? 'x64' : 'arm64';
    expect(await refusal(master, 'arm')).toContain(
      `is built for ${foreign}, this machine is ${process.arch}`,
    );
    expect(await refusal(master, 'garbage')).toMatch(/is neither a program nor a script|is no program/);
    expect(await refusal(master, 'empty')).toContain('is empty');
    expect((await master.end()).code).toBe(1);
  });

  it('B4: a working directory that is missing or a file', async ({ stage }) => {
    stage.write('file', '');
    const master = stage.run([
      { id: 'missing', command: 'true', cwd: 'nowhere/deep' },
      { id: 'file', command: 'true', cwd: 'file' },
    ]);
    expect(await refusal(master, 'missing')).toContain(`${stage.path('nowhere')} does not exist`);
    expect(await refusal(master, 'file')).toContain(`${stage.path('file')} is a file, not a directory`);
    expect((await master.end()).code).toBe(1);
  });

  it.skipIf(!asRoot)('B4: a working directory that the user may not enter', async ({ stage }) => {
    mkdirSync(stage.path('secret'), { mode: 0o700 });
    chmodSync(stage.folder, 0o755);
    const master = stage.run([{ id: 'curious', command: 'true', cwd: 'secret', user: 'nobody' }]);
    const text = await refusal(master, 'curious');
    expect(text).toContain(`"${stage.path('secret')}" may not be entered by user nobody: permission denied`);
    expect((await master.end()).code).toBe(1);
  });

  it('B4: a linked working directory keeps its name in PWD; deleted, it is told where it led', async ({
    stage,
    skip,
  }) => {
    skip(...ofWine('it makes no links, and sees none'));
    mkdirSync(stage.path('real'));
    symlinkSync('real', stage.path('link'));
    const command = ['sh', '-c', 'echo "PWD=$PWD"; exec sleep 1000'];
    const master = stage.run([{ id: 'linked', command, cwd: 'link', restart: { delay: '10ms' } }]);
    await master.line(new RegExp(`^linked +\\| PWD=${stage.path('link')}$`));
    rmdirSync(stage.path('real'));
    process.kill(await master.started('linked'), 'SIGKILL');
    const text = await master.line(/^linked: cannot start/);
    expect(text).toContain(`${stage.path('link')} is a symbolic link to real, which does not exist`);
    await master.stop();
  });

  it('B5: arguments too big are told with sizes and limits; the others run on', async ({ stage }) => {
    const env = { HUGE: 'x'.repeat(3 * 2 ** 20) };
    const master = stage.run([sleeper, { id: 'huge', command: 'true', env }]);
    const text = await refusal(master, 'huge');
    const sizes = onWindows
      ? /variable HUGE has 3145728 characters; Windows takes 32767/
      : /environment 3\S* ?MiB; the largest is HUGE with 3\S* ?MiB; the system takes/;
    expect(text).toMatch(sizes);
    await master.line(/^sleeper +\| up/);
    expect((await master.stop()).code).toBe(1);
    expect(stage.processes()).toEqual([]);
  });

  it('B7: an unknown user or group is refused before anything of it is started', async ({ stage }) => {
    const master = stage.run([
      { id: 'user', command: 'touch half', user: 'nobody-at-all' },
      { id: 'group', command: 'touch half', group: 'no-such-group' },
    ]);
    const [user, group] = onWindows
      ? [/another user or group cannot be had on Windows/, /cannot be had on Windows/]
      : [/user.*nobody-at-all/, /group.*no-such-group/];
    expect(await refusal(master, 'user')).toMatch(user);
    expect(await refusal(master, 'group')).toMatch(group);
    expect((await master.end()).code).toBe(1);
    expect(() => chmodSync(stage.path('half'), 0o644)).toThrow('ENOENT');
  });
});

describe.concurrent('starting', () => {
  it(`B9: ${CROWD} workers at once are all up, in the order of the graph`, async ({ stage }) => {
    const { argv } = zoo.sleeps();
    const workers = Array.from({ length: CROWD }, (_unused, index) => ({
      id: `w${index}`,
      command: argv,
      ...(index < LAYER ? {} : { depends_on: [`w${index - LAYER}`] }),
    }));
    const master = stage.run([...workers].reverse());
    await master.until('all starts', () => master.matching(/^w\d+: started/).length === CROWD);
    const order = master.matching(/^w\d+: started/).map((line) => Number(/^w(\d+)/.exec(line)?.[1]));
    const place = new Map(order.map((index, at) => [index, at]));
    for (let index = LAYER; index < CROWD; index += 1) {
      expect(place.get(index), `w${index}`).toBeGreaterThan(
        place.get(index - LAYER) ?? Number.POSITIVE_INFINITY,
      );
    }
    expect(stage.leftOvers()).toHaveLength(CROWD);
    expect(master.matching(/EMFILE|cannot start/)).toEqual([]);
    expect((await master.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('B11: what never becomes ready is never called so, and its dependents wait', async ({ stage }) => {
    const port = await freePort();
    const readiness = { tcp: `127.0.0.1:${port}`, ...rhythm(100), failure_threshold: 2 };
    const master = stage.run([
      { id: 'db', command: zoo.sleeps().argv, probes: { readiness } },
      { id: 'app', command: zoo.sleeps().argv, depends_on: ['db'] },
    ]);
    await master.line(/^app: waiting for db to be ready/);
    await master.line(/^db: not ready: .*ECONNREFUSED/);
    expect(master.matching(/^(db: ready|app: started)/)).toEqual([]);
    expect((await master.stop()).code).toBe(0);
    expect(master.matching(/^app: started/)).toEqual([]);
  });

  it('B11: what does not pass its startup probe in time is restarted by its policy', async ({ stage }) => {
    const port = await freePort();
    const startup = { tcp: `127.0.0.1:${port}`, ...rhythm(100), failure_threshold: 3 };
    const restart = { delay: '10ms', max_retries: 2, cool_down: '1h' };
    const worker = { id: 'db', command: zoo.sleeps().argv, probes: { startup }, restart };
    const master = stage.run([{ ...worker, startup_grace_period: '0s' }]);
    await master.line(/^db: failed too often \(3 times in a row\)/);
    expect(master.matching(/^db: startup probe failed: .*ECONNREFUSED/)).toHaveLength(3);
    expect(master.matching(/^db: started/)).toHaveLength(3);
    expect(master.matching(/^db: ready/)).toEqual([]);
    expect((await master.stop()).code).toBe(0);
  });
});
