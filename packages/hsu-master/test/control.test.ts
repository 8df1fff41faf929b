import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { clientOf, command, socketOf } from './background.ts';
import { eventually, it, type Stage } from './drive.ts';
import { ofWindows, onWindows } from './windows.ts';

const SLEEPER = { id: 'web', command: 'sleep 1000' };
const CRASHER = { id: 'mailer', command: creature('warn', 'connect ECONNREFUSED', 'exit', '3') };

const UNSENT = 'a body that is announced and does not come';

/** A plain request, to say what the client cannot. */
function ask(
  stage: Stage,
  options: { readonly method?: string; readonly path: string; readonly headers?: Record<string, string> },
  body?: string,
): Promise<{ readonly status: number; readonly text: string; readonly type: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socketOf(stage), ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, type: response.headers['content-type'] ?? '' }),
      );
    });
    sent.on('error', reject);
    // What is refused by its length alone is answered before it is there.
    if (body === UNSENT) sent.flushHeaders();
    else sent.end(body);
  });
}

describe('the control socket', () => {
  it('J6: has mode 0600 in a folder of mode 0700, and is gone after the master', async ({ stage, skip }) => {
    skip(...ofWindows('access to pipes is by a list, which the addon’s own J6 looks at'));
    const run = stage.run([SLEEPER]);
    await run.started('web');
    const path = socketOf(stage);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    await run.stop();
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  it.skipIf(process.getuid?.() !== 0)(
    'J6: refuses another user by the kernel’s word, whatever the modes',
    async ({ stage }) => {
      const run = stage.run([SLEEPER]);
      await run.started('web');
      const path = socketOf(stage);
      for (let folder = dirname(path); folder.startsWith(stage.folder); folder = dirname(folder))
        chmodSync(folder, 0o755);
      chmodSync(path, 0o777);
      const script = `require('node:net').connect(${JSON.stringify(path)}).on('connect', () => console.log('open')).on('error', () => {}).on('close', () => console.log('closed')).resume().write('GET /v1/version HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n')`;
      const other = stage.launch([process.execPath, '-e', script], { uid: 65_534, cwd: '/' });
      await other.end();
      expect(other.stdout).not.toContain('200');
      expect(other.stdout).toContain('closed');
      expect((await clientOf(stage).version()).pid).toBe(run.pid);
    },
  );

  it('H5: that cannot be asked for want of a descriptor is told as that, not as another master', async ({
    stage,
    skip,
  }) => {
    skip(...ofWindows('it has no such bound'));
    const folder = stage.path('run');
    mkdirSync(folder, { mode: 0o700 });
    const path = join(folder, 'control.sock');
    const listens = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const killed = stage.launch([process.execPath, '-e', listens]);
    await killed.line(/^up$/);
    killed.kill();
    await killed.ended;
    const program = join(import.meta.dirname, 'programs', 'socket-without-descriptors.ts');
    const words = ['ulimit -n 128; exec "$@"', 'sh', process.execPath, program, folder];
    const master = stage.launch(['sh', '-c', ...words]);
    await master.end();
    expect(master.lines).toHaveLength(2);
    expect(master.lines[0]).toMatch(/^E_STATE cannot open the control socket .*EMFILE/);
    expect(master.lines[1]).toBe('opened');
  });

  it('H5: of a killed master is replaced; a second master exits 7 and names the first', async ({ stage }) => {
    const first = stage.run([SLEEPER]);
    await first.started('web');
    const second = stage.run([SLEEPER]);
    expect(await second.end()).toEqual({ code: 7, signal: null });
    expect(second.stderr).toContain(`pid ${first.pid}`);
    await first.stop('SIGKILL');
    expect(statSync(socketOf(stage)).isSocket()).toBe(!onWindows);
    const third = stage.run([SLEEPER]);
    await third.line(/holds 1 worker/);
    expect((await clientOf(stage).version()).pid).toBe(third.pid);
  });

  it('J2: where somebody else listens at its place nothing is started, exit 7', async ({ stage }) => {
    const path = socketOf(stage);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n{"pid":4711}')).listen(path);
    try {
      await eventually(() => other.listening);
      const run = stage.run([SLEEPER]);
      expect((await run.end()).code).toBe(7);
      expect(run.stderr).toContain('another master (pid 4711)');
      expect(run.matching(/started/)).toEqual([]);
    } finally {
      other.close();
    }
  });

  it('where a file is in its place the master says so and starts nothing', async ({ stage }) => {
    const path = socketOf(stage);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, 'mine');
    const run = stage.run([SLEEPER]);
    expect((await run.end()).code).toBe(1);
    expect(run.stderr).toContain('is there and is no socket');
  });

  it('I10: works below a folder whose path is too long for a socket, and longer than Windows’ 260', async ({
    stage,
  }) => {
    const long = stage.path('x'.repeat(120), 'y'.repeat(120), 'z'.repeat(60));
    const run = stage.run([SLEEPER], ['--state-dir', long]);
    await run.started('web');
    const ls = await command(stage, ['ls', '-q', '--state-dir', long]);
    expect(ls).toMatchObject({ code: 0, stdout: 'web\n' });
  });
});

describe('REST', () => {
  it('J4 J9: refuses other bodies, long ones, ids that are none, and routes that are none, each with its code', async ({
    stage,
  }) => {
    const run = stage.run([SLEEPER]);
    await run.started('web');
    const path = '/v1/config/validate';
    const json = { 'content-type': 'application/json' };
    const cases = [
      [
        { method: 'POST', path, headers: { 'content-type': 'text/plain' } },
        '{"text":""}',
        415,
        'E_MEDIA_TYPE',
      ],
      [
        { method: 'POST', path, headers: { ...json, 'content-length': '3000000' } },
        UNSENT,
        413,
        'E_TOO_LARGE',
      ],
      [{ method: 'POST', path, headers: json }, '{"text":', 400, 'E_REQUEST'],
      [{ method: 'POST', path, headers: json }, '{"text":7}', 400, 'E_REQUEST'],
      [{ path: '/v1/workers/..%2f..%2fetc' }, undefined, 400, 'E_REQUEST'],
      [{ path: '/v1/workers/%00' }, undefined, 400, 'E_REQUEST'],
      [{ path: `/v1/workers/${'a'.repeat(65)}` }, undefined, 400, 'E_REQUEST'],
      [{ path: '/v1/workers/wep' }, undefined, 404, 'E_UNKNOWN_WORKER'],
      [{ path: '/v1/tickets/none-1' }, undefined, 404, 'E_UNKNOWN_TICKET'],
      [{ path: '/v1/nothing' }, undefined, 404, 'E_UNKNOWN_ROUTE'],
      [{ method: 'DELETE', path: '/v1/version' }, undefined, 404, 'E_UNKNOWN_ROUTE'],
      [{ method: 'POST', path: '/v1/workers/web/start?wait=5' }, undefined, 400, 'E_REQUEST'],
      [{ path: '/v1/logs/search?pattern=(' }, undefined, 400, 'E_REQUEST'],
      [{ path: '/v1/stream' }, undefined, 400, 'E_REQUEST'],
    ] as const;
    for (const [options, body, status, code] of cases) {
      const answer = await ask(stage, options, body);
      expect({ options, status: answer.status, type: answer.type }).toMatchObject({
        options,
        status,
        type: expect.stringContaining('application/problem+json'),
      });
      expect(JSON.parse(answer.text)).toMatchObject({ code, status, next: expect.stringMatching(/\S/) });
    }
    expect(run.matching(/internal error/)).toEqual([]);
  });

  it('protocol garbage on the socket harms nobody', async ({ stage }) => {
    const run = stage.run([SLEEPER]);
    await run.started('web');
    const garbage = [
      '\0\0\0\0',
      'GET / HTTP/9.9\r\n\r\n',
      'x'.repeat(200_000),
      'POST /v1/shutdown HTTP/1.1\r\ncontent-length: -1\r\n\r\n',
    ];
    for (const text of garbage) {
      await new Promise<void>((resolve) => {
        const socket = connect(socketOf(stage));
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        socket.end(text);
        socket.resume();
      });
    }
    expect((await clientOf(stage).workers()).workers.map(({ id, phase }) => [id, phase])).toEqual([
      ['web', 'running'],
    ]);
  });

  it('C1: of 100 starts at once one makes a process, and no ticket is lost', async ({ stage }) => {
    const run = stage.run([
      { ...SLEEPER, enabled: false },
      { id: 'keeper', command: 'sleep 1000' },
    ]);
    await run.started('keeper');
    const client = clientOf(stage);
    const tickets = await Promise.all(Array.from({ length: 100 }, () => client.order('web', 'start', '20s')));
    expect(tickets.map(({ state }) => state)).toEqual(Array.from({ length: 100 }, () => 'done'));
    expect(new Set(tickets.map(({ id }) => id)).size).toBe(100);
    expect((await client.worker('web')).run).toBe(1);
    expect(await client.tickets()).toEqual([]);
    const again = await client.ticket(tickets[7]?.id ?? '');
    expect(again).toEqual(tickets[7]);
    client.close();
  });

  it('C3: a stop during the back-off is at rest at once', async ({ stage }) => {
    const run = stage.run([CRASHER, SLEEPER]);
    await run.line(/next try/);
    const client = clientOf(stage);
    expect(await client.order('mailer', 'stop', '20s')).toMatchObject({ state: 'done' });
    expect(await client.worker('mailer')).toMatchObject({ phase: 'stopped', desired: 'down' });
    client.close();
  });

  it('explains a crash loop with its last words', async ({ stage }) => {
    const run = stage.run([CRASHER, SLEEPER]);
    await run.line(/failure 2 in a row/);
    const client = clientOf(stage);
    const why = await client.why('mailer');
    expect(why.headline).toMatch(/^mailer is not running: it failed \(\d failures in a row\); next try in /);
    expect(why.history[0]).toMatchObject({
      text: expect.stringContaining('exit 3'),
      count: expect.any(Number),
    });
    expect(why.cause).toBe('it ends by itself (exit 3); the last that it said: connect ECONNREFUSED');
    client.close();
  });

  it('reads lines, finds them and follows them', async ({ stage }) => {
    const talker = {
      id: 'talker',
      shell: true,
      command: 'i=0; while :; do echo "line $i"; i=$((i+1)); sleep 0.05; done',
    };
    const run = stage.run([talker]);
    await run.line(/line 3/);
    const client = clientOf(stage);
    const tail = await client.logs({ select: ['talker'], lines: 2 });
    expect(tail).toHaveLength(2);
    const found = await client.searchLogs({ text: 'line 2', limit: 5, order: 'oldest' });
    expect(found.lines.map(({ text }) => text)).toContain('line 2');
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const item of client.followLogs({ select: ['talker'], lines: 1 }, stop.signal)) {
      if ('lost' in item) throw new Error('lost');
      seen.push(item.text);
      if (seen.length === 5) stop.abort();
    }
    const numbers = seen.map((text) => Number(text.slice(5)));
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    client.close();
  });

  it('tells events from a number on, and waits for new ones', async ({ stage }) => {
    const run = stage.run([SLEEPER]);
    await run.started('web');
    const client = clientOf(stage);
    const { seq, events } = await client.events({ select: ['web'] });
    expect(events.map(({ type }) => type)).toContain('worker.started');
    const next = client.events({ since: seq, type: ['worker.exited'], wait: '20s' });
    await client.order('web', 'restart', '20s');
    expect((await next).events).toMatchObject([{ type: 'worker.exited', workerId: 'web', run: 1 }]);
    client.close();
  });

  it('a signal goes to the main process, or to the whole tree', async ({ stage }) => {
    const loop = 'while :; do sleep 0.05; done';
    const command = `trap "echo main heard" USR1; (trap "echo child heard" USR1; ${loop}) & echo ready; ${loop}`;
    const run = stage.run([
      { id: 'web', shell: true, command },
      { ...SLEEPER, id: 'off', enabled: false },
    ]);
    await run.line(/ready/);
    const client = clientOf(stage);
    expect(await client.signal('web', 'SIGUSR1')).toMatchObject({ state: 'done', order: 'signal' });
    await run.line(/main heard/);
    expect(run.matching(/child heard/)).toEqual([]);
    // The short-lived sleep of each loop has no handler, and both go on with the next.
    await client.signal('web', 'SIGUSR1', 'tree');
    await run.line(/child heard/);
    await expect(client.signal('off', 'SIGHUP')).rejects.toMatchObject({
      code: 'E_NOT_RUNNING',
      status: 409,
    });
    await expect(client.signal('web', 'SIGNIX')).rejects.toMatchObject({ code: 'E_REQUEST' });
    client.close();
  });

  it('checks a configuration without touching anything', async ({ stage }) => {
    const run = stage.run([SLEEPER]);
    await run.started('web');
    const client = clientOf(stage);
    const bad = await client.validate(
      'workers:\n  - {id: a, command: sleep 1, nope: 1}\n',
      stage.path('other.yaml'),
    );
    expect(bad).toMatchObject({ ok: false, issues: [{ severity: 'error', line: 2 }] });
    expect(
      await client.validate('workers: [{id: a, command: sleep 1}]', stage.path('other.yaml')),
    ).toMatchObject({ ok: true, workers: ['a'] });
    client.close();
  });

  it('values of the environment are not told', async ({ stage }) => {
    const run = stage.run([{ ...SLEEPER, env: { PASSWORD: 'hunter2' } }]);
    await run.started('web');
    const { text } = await ask(stage, { path: '/v1/workers/web' });
    expect(text).toContain('PASSWORD');
    expect(text).not.toContain('hunter2');
  });
});
