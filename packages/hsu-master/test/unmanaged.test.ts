import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { yamlOf } from '../src/yaml-text.ts';
import { clientOf } from './background.ts';
import { eventually, freePort, it, type Launched, type Stage } from './drive.ts';
import { isAlive } from './proc.ts';

/** Starts a server of somebody else: no child of ours or of the master, with its pid in a file. */
async function startForeign(stage: Stage, port: number): Promise<number> {
  const program = stage.write(
    'server.mjs',
    `import { writeFileSync, renameSync } from 'node:fs';
     import { createServer } from 'node:http';
     createServer((_, response) => response.end('hello')).listen(${port}, '127.0.0.1', () => {
       writeFileSync('server.pid.new', String(process.pid));
       renameSync('server.pid.new', 'server.pid');
     });`,
  );
  writeFileSync(stage.path('server.pid'), '');
  const line = `setsid ${process.execPath} ${program} > /dev/null 2>&1 &`;
  await stage.launch(['sh', '-c', line]).ended;
  await eventually(() => pidOf(stage) > 0);
  return pidOf(stage);
}

function pidOf(stage: Stage): number {
  return Number(readFileSync(stage.path('server.pid'), 'utf8'));
}

const unit = (unmanaged: object) => [{ id: 'web', type: 'unmanaged', unit: { unmanaged } }];

function attached(master: Launched, pid: number): Promise<unknown> {
  return master.until(`attached to ${pid}`, () =>
    master.lines.some((line) => line.startsWith(`web: found (pid ${pid},`)),
  );
}

describe.concurrent('an unmanaged unit', () => {
  it('H1: is found by the next master as well, and outlives both, killed or ended in order', async ({
    stage,
  }) => {
    const port = await freePort();
    const pid = await startForeign(stage, port);
    const workers = unit({
      discovery: { strategy: 'pid_file', pid_file: 'server.pid' },
      control: { can_terminate: true },
      health_check: {
        type: 'http',
        http: { url: `http://127.0.0.1:${port}/` },
        run_options: { interval: '1s', timeout: '900ms' },
      },
    });
    const first = stage.run(workers);
    await attached(first, pid);
    await first.until('ready', () => first.lines.includes('web: ready'));
    first.kill();
    await first.ended;
    expect(isAlive(pid)).toBe(true);
    const second = stage.run(workers);
    await attached(second, pid);
    second.signal('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0 });
    expect(second.lines).toContain(`web: watched no longer (pid ${pid}); it runs on`);
    expect(isAlive(pid)).toBe(true);
  });

  it('K3: is attached under its new pid; a stale pid file is believed by nobody', async ({ stage }) => {
    const port = await freePort();
    const pid = await startForeign(stage, port);
    const master = stage.run(
      unit({ discovery: { strategy: 'pid_file', pid_file: 'server.pid', check_interval: '200ms' } }),
    );
    await attached(master, pid);
    process.kill(pid, 'SIGKILL');
    await master.until('noticed', () =>
      master.lines.some((line) => line.startsWith('web: killed by SIGKILL')),
    );
    const again = await startForeign(stage, port);
    await attached(master, again);
    expect(again).not.toBe(pid);
  });

  it('without the addon waits, and says why; others run', async ({ stage }) => {
    const worker = { id: 'other', command: 'sleep 1000' };
    const waiting = unit({ discovery: { port: 1 } });
    const master = stage.run([...waiting, worker], [], { env: { HSU_NATIVE: 'off' } });
    await master.line(/find-processes.*unmanaged units wait/);
    await master.started('other');
    const { phase, doing } = await clientOf(stage).worker('web');
    expect(phase).toBe('blocked');
    expect(doing).toContain('processes cannot be looked for here, since the addon is missing');
    await master.stop();
  });

  it('has the lines of its log files taken for its output, over rotations', async ({ stage }) => {
    const pid = await startForeign(stage, await freePort());
    const log = stage.write('server.log', 'of before\n');
    const master = stage.run(unit({ discovery: { pid_file: 'server.pid' }, log_files: ['server.log'] }));
    await attached(master, pid);
    const said = (line: string) => master.until(line, () => master.lines.includes(`web | ${line}`));
    // What is written before somebody looks for the first time is of before.
    await eventually(() => {
      appendFileSync(log, 'one\n');
      return master.lines.includes('web | one');
    });
    renameSync(log, `${log}.1`);
    writeFileSync(log, 'two\n');
    await said('two');
    expect(master.lines).not.toContain('web | of before');
  });

  it('takes the orders that control allows, and no other', async ({ stage }) => {
    const pid = await startForeign(stage, await freePort());
    const master = stage.run(
      unit({
        discovery: { pid_file: 'server.pid' },
        control: { can_terminate: true, allowed_signals: ['SIGTERM', 'SIGCONT'] },
      }),
    );
    await attached(master, pid);
    const client = clientOf(stage);
    await expect(client.signal('web', 'SIGKILL')).rejects.toMatchObject({ code: 'E_UNMANAGED', status: 409 });
    expect(await client.signal('web', 'SIGCONT', 'tree')).toMatchObject({ state: 'done' });
    expect(await client.why('web')).toMatchObject({ worker: 'web', cause: null });
    master.signal('SIGTERM');
    await master.ended;
    expect(isAlive(pid)).toBe(true);
    client.close();
  });

  it('adopt writes a stanza with which a master finds just that process', async ({ stage }) => {
    const port = await freePort();
    const pid = await startForeign(stage, port);
    for (const how of [
      ['--port', String(port)],
      ['--match', stage.path('server.mjs')],
      ['--pid', String(pid)],
    ]) {
      const adopt = stage.hsu(['adopt', ...how, '--id', 'web']);
      expect(await adopt.ended).toMatchObject({ code: 0 });
      const stanza = adopt.lines.join('\n');
      expect(stanza).toMatch(`# pid ${pid}: `);
      const check = stage.hsu(['validate', stage.config(stanza, 'adopted.yaml')]);
      expect(await check.ended).toMatchObject({ code: 0 });
      const master = stage.hsu(['run', stage.path('adopted.yaml')]);
      await attached(master, pid);
      master.signal('SIGTERM');
      expect(await master.ended).toMatchObject({ code: 0 });
    }
    const nobody = stage.hsu(['adopt', '--port', String(await freePort())]);
    expect(await nobody.ended).toMatchObject({ code: 1 });
    expect(nobody.lines[0]).toMatch('there is no such process');
    expect(await stage.hsu(['adopt']).ended).toMatchObject({ code: 2 });
    expect(await stage.hsu(['adopt', '--pid', '0']).ended).toMatchObject({ code: 2 });
    expect(await stage.hsu(['adopt', '--pid', '1']).ended).toMatchObject({ code: 1 });
    const json = stage.hsu(['adopt', '--port', String(port), '-o', 'json']);
    expect(await json.ended).toMatchObject({ code: 0 });
    expect(JSON.parse(json.lines.join('\n'))).toMatchObject({
      process: { pid },
      worker: { type: 'unmanaged' },
    });
  });
});

it.runIf(process.getuid?.() === 0)(
  'hidepid: that others’ processes are hidden is said',
  async ({ stage }) => {
    const script = `mount --make-rprivate / && mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`;
    const through = ['unshare', '-m', 'sh', '-c', script, 'sh'];
    const adopt = stage.hsu(['adopt', '--match', 'hsu-nobody-is-called-so'], { through, cwd: '/' });
    expect(await adopt.ended).toMatchObject({ code: 1 });
    expect(adopt.lines.at(-1)).toMatch('processes of other users are hidden from this user (hidepid)');
  },
);

it('writes YAML that means what it was made of', () => {
  const value = {
    list: [{ a: 'x', b: [1, 'two words'] }, 'no', '${X}', '*', '0777'],
    empty: {},
    deep: { er: true },
  };
  expect(yamlOf(value)).toBe(
    `list:
  - a: x
    b: [1, "two words"]
  - "no"
  - "$\${X}"
  - "*"
  - "0777"
empty: {}
deep:
  er: true
`,
  );
});
