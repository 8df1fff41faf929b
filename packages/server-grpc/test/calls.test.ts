import { PLAIN_ORDERS } from '@hsu-master/core';
import { describe, expect } from 'vitest';
import { it, LINE, NOW } from './rig.ts';

const moment = (at: number) => ({ seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1e6 });

describe('every method answers', () => {
  it('workers', async ({ owner, served: { master } }) => {
    const list = await owner.ask('hsu.v1.WorkerService', 'ListWorkers', { usage: true });
    expect(list).toMatchObject({ master: 'abcd0123', seq: 0 });
    const [web, db] = list.workers;
    expect(web).toEqual({
      id: 'web',
      name: 'web',
      namespace: 'shop',
      enabled: true,
      phase: 'PHASE_RUNNING',
      desired: 'DESIRED_UP',
      doing: 'ready',
      ready: true,
      probed: false,
      completed: false,
      run: 2,
      process: { pid: 42, startedAt: '7' },
      port: 8080,
      startedAt: moment(NOW - 1000),
      restarts: 1,
      failuresInARow: 0,
      breaker: 'BREAKER_HALF_OPEN',
      nextTry: null,
      waiting: [{ id: 'db', condition: 'ready', reason: 'starting' }],
      failure: { code: 'E_EXITED', message: 'it ended' },
      lastEnd: {
        run: 1,
        code: 1,
        says: 'exit 1',
        success: false,
        uptime: { seconds: 0, nanos: 400_000_000 },
        at: moment(NOW - 2000),
      },
      throttled: ['cpu.max_percent'],
      degraded: [],
      usage: { cpuPercent: 1.5, memoryBytes: 1000, processes: 1 },
    });
    expect(db).toMatchObject({ process: null, startedAt: null, lastEnd: null, usage: null });
    expect(db).not.toHaveProperty('namespace');

    const detail = await owner.ask('hsu.v1.WorkerService', 'GetWorker', { id: 'web' });
    expect(detail.worker).toEqual(web);
    expect(detail).toMatchObject({
      argv: ['sleep', '1'],
      environment: ['A'],
      stop: { signal: 'SIGTERM', grace: { seconds: 5, nanos: 500_000_000 } },
      dependsOn: [{ id: 'db', condition: 'ready', restart: false }],
      startup: null,
      readiness: { failureThreshold: 1, check: { fields: { url: { stringValue: 'http://x/' } } } },
      stdoutFile: '/l/a',
    });
    expect(detail.readiness?.check?.fields['headers']).toEqual({
      structValue: { fields: { a: { stringValue: '***' } } },
    });

    const { limits } = await owner.ask('hsu.v1.WorkerService', 'ListLimits', { id: 'web' });
    expect(limits).toEqual([
      { limit: 'memory.max_rss', status: 'SUPPORT_ENFORCED', mechanism: 'cgroup2 memory.max', reason: '' },
    ]);
    const why = await owner.ask('hsu.v1.WorkerService', 'Explain', { id: 'web' });
    expect(why).toEqual({
      worker: 'web',
      headline: 'it runs.',
      history: [{ at: moment(NOW), run: 1, text: 'exit 1', count: 3 }],
      cause: 'a cause',
      lastWords: ['secret words'],
      next: [{ does: 'look', command: 'hsu-master logs web' }],
    });

    const waiting = owner.ask('hsu.v1.WorkerService', 'WaitFor', {
      id: 'db',
      condition: 'CONDITION_RUNNING',
    });
    expect(await waiting).toMatchObject({ met: false, never: true, worker: { id: 'db' } });
    master.change('db', { phase: 'starting' });
    const timeout = { seconds: 0, nanos: 1_000_000 };
    const short = { id: 'db', condition: 'CONDITION_READY', timeout } as const;
    expect(await owner.ask('hsu.v1.WorkerService', 'WaitFor', short)).toMatchObject({
      met: false,
      never: false,
    });
    const later = owner.ask('hsu.v1.WorkerService', 'WaitFor', { id: 'db', condition: 'CONDITION_READY' });
    master.change('db', { phase: 'running', ready: true });
    expect(await later).toMatchObject({ met: true, worker: { phase: 'PHASE_RUNNING', ready: true } });
  });

  it('states as they change', async ({ owner, served: { master } }) => {
    const heard = owner.stream('hsu.v1.WorkerService', 'WatchWorkers', { select: ['web'] });
    await heard.until((messages) => messages.length === 1);
    expect(heard.messages[0]?.states?.workers.map(({ id }) => id)).toEqual(['web']);
    master.change('db', { doing: 'not asked for' });
    master.change('web', { phase: 'stopping' });
    await heard.until((messages) => messages.length === 2);
    expect(heard.messages[1]).toMatchObject({ changed: { seq: 2, worker: { phase: 'PHASE_STOPPING' } } });
    master.workersNow.delete('web');
    master.events.publish({ type: 'worker.removed', payload: { runs: 2 } }, NOW, 'web', null);
    await heard.until((messages) => messages.length === 3);
    expect(heard.messages[2]).toEqual({ removed: { seq: 3, id: 'web' } });
    heard.call.cancel();
    expect((await heard.ended)?.code).toBe(1);
  });

  it('orders and tickets', async ({ owner, served: { master } }) => {
    for (const kind of PLAIN_ORDERS) {
      const method = (kind[0]?.toUpperCase() + kind.slice(1)) as 'Start';
      const wait = { seconds: 5, nanos: 0 };
      const ticket = await owner.ask('hsu.v1.OrderService', method, { id: 'web', wait });
      expect(ticket).toMatchObject({
        worker: 'web',
        order: `ORDER_KIND_${kind.toUpperCase()}`,
        state: 'TICKET_STATE_DONE',
        settledAt: moment(NOW + 5),
        failure: null,
      });
    }
    const signal = await owner.ask('hsu.v1.OrderService', 'Signal', { id: 'web', signal: 'SIGHUP' });
    expect(signal).toMatchObject({ order: 'ORDER_KIND_SIGNAL', state: 'TICKET_STATE_DONE' });
    expect(master.asked).toEqual([
      'start web',
      'stop web',
      'restart web',
      'reset web',
      'kill web',
      'signal web',
    ]);

    master.settle = () => new Promise(() => {});
    const pending = await owner.ask('hsu.v1.OrderService', 'Stop', { id: 'db' });
    expect(pending).toMatchObject({ state: 'TICKET_STATE_PENDING', settledAt: null });
    const again = await owner.ask('hsu.v1.OrderService', 'GetTicket', {
      id: pending.id,
      wait: { seconds: 0, nanos: 1_000_000 },
    });
    expect(again).toEqual(pending);
    const { tickets } = await owner.ask('hsu.v1.OrderService', 'ListTickets', {});
    expect(tickets.map(({ id }) => id)).toContain(pending.id);
    master.workersNow.delete('db');
    expect(await owner.ask('hsu.v1.OrderService', 'GetTicket', { id: pending.id })).toEqual(pending);
    expect((await owner.ask('hsu.v1.OrderService', 'ListTickets', {})).tickets).toEqual(tickets);
  });

  it('the master', async ({ owner }) => {
    expect(await owner.ask('hsu.v1.MasterService', 'GetVersion', {})).toEqual({
      master: 'abcd0123',
      version: '0.1.0',
      pid: 1,
      startedAt: moment(NOW),
      node: '24.0.0',
      platform: 'linux-x64',
      configFile: '/etc/x.yaml',
      stateDirectory: '/s',
      logDirectory: '/l',
    });
    expect(await owner.ask('hsu.v1.MasterService', 'GetHealth', {})).toEqual({
      status: 'STATUS_DEGRADED',
      total: 2,
      wanted: 2,
      ready: 1,
      running: 1,
      backoff: 0,
      blocked: 0,
      failed: 0,
    });
    const { capabilities } = await owner.ask('hsu.v1.MasterService', 'ListCapabilities', {});
    expect(capabilities).toEqual([{ feature: 'cgroup2', status: 'SUPPORT_ENFORCED', reason: '' }]);
    expect(await owner.ask('hsu.v1.MasterService', 'Validate', { text: 'workers: []' })).toEqual({
      ok: false,
      issues: [{ severity: 'SEVERITY_ERROR', line: 1, column: 2, path: 'workers[0]', message: 'm' }],
      workers: [],
    });
    expect(await owner.ask('hsu.v1.MasterService', 'Shutdown', {})).toEqual({
      survivors: [{ pid: 9, startedAt: '1' }],
      forced: true,
    });
  });

  it('trees, environments and the audit', async ({ owner, served: { deeds } }) => {
    const { processes } = await owner.ask('hsu.v1.WorkerService', 'ListProcesses', { select: ['web'] });
    expect(processes).toEqual([
      {
        worker: 'web',
        process: { pid: 42, startedAt: '7' },
        ppid: 1,
        state: 'S',
        argv: ['sleep', '1'],
        user: 0,
        cpu: { seconds: 1, nanos: 500_000_000 },
        memoryBytes: 4096,
      },
      { worker: 'web', process: { pid: 43, startedAt: '8' }, argv: [], cpu: null },
    ]);
    const { workers } = await owner.ask('hsu.v1.WorkerService', 'GetGraph', {});
    expect(workers).toMatchObject([
      { id: 'web', namespace: 'shop', phase: 'PHASE_RUNNING', dependsOn: [{ id: 'db', condition: 'ready' }] },
      { id: 'db', phase: 'PHASE_STOPPED', dependsOn: [] },
    ]);
    expect(await owner.ask('hsu.v1.WorkerService', 'GetEnvironment', { id: 'web' })).toEqual({
      revealed: false,
      argv: ['sleep', '***'],
      variables: [{ name: 'A' }, { name: 'EMPTY', value: '' }],
    });
    expect(deeds).toEqual([]);
    const revealed = await owner.ask('hsu.v1.WorkerService', 'GetEnvironment', { id: 'web', reveal: true });
    expect(revealed).toMatchObject({ revealed: true, argv: ['sleep', 'secret'] });
    const { entries } = await owner.ask('hsu.v1.MasterService', 'ListAudit', { limit: 5 });
    expect(entries).toEqual([
      {
        at: moment(NOW),
        by: 'all',
        from: 'grpc 127.0.0.1',
        action: 'worker.reveal',
        on: 'web',
        result: 'RESULT_DONE',
      },
    ]);
  });

  it('the configuration and its changes', async ({ owner, served: { master } }) => {
    const config = await owner.ask('hsu.v1.ConfigService', 'GetConfig', {});
    expect(config).toMatchObject({
      revision: 7,
      source: 'SOURCE_APPLIED',
      created: ['web'],
      removed: ['old'],
    });
    expect(config.workers[0]?.fields).toEqual({
      id: { stringValue: 'web' },
      env: { structValue: { fields: { A: { stringValue: '***' } } } },
      depends: {
        listValue: { values: [{ numberValue: 1 }, { boolValue: true }, { nullValue: 'NULL_VALUE' }] },
      },
    });
    const plan = {
      workers: [
        {
          id: 'web',
          kind: 'changed',
          action: 'restart',
          parts: [{ path: 'command', before: '["a"]', effective: 'restart' }],
        },
      ],
      unchanged: ['db'],
      settings: [{ path: 'master.port', effective: 'next-start' }],
    };
    const planned = await owner.ask('hsu.v1.ConfigService', 'Plan', { text: 'workers: []' });
    expect(planned).toEqual({ ok: true, issues: [], workers: ['web'], revision: 7, plan });
    await owner.ask('hsu.v1.ConfigService', 'Plan', {});

    const wait = { seconds: 60, nanos: 0 };
    const applied = await owner.ask('hsu.v1.ConfigService', 'Apply', { text: 'x', basedOn: 7, wait });
    const failures = [{ worker: 'web', code: 'E_SURVIVORS', message: 'alive' }];
    expect(applied).toEqual({ revision: 8, plan, warnings: [], state: 'STATE_FAILED', failures });
    master.settle = () => new Promise(() => {});
    expect(await owner.ask('hsu.v1.ConfigService', 'Reload', {})).toMatchObject({
      state: 'STATE_PENDING',
    });
    const worker = {
      fields: { id: { stringValue: 'new' }, list: { listValue: { values: [{ numberValue: 5 }] } } },
    };
    expect(await owner.ask('hsu.v1.ConfigService', 'CreateWorker', { worker })).toMatchObject({ id: 'new' });
    await owner.ask('hsu.v1.ConfigService', 'ReplaceWorker', { id: 'web', worker });
    await owner.ask('hsu.v1.ConfigService', 'RemoveWorker', { id: 'web', basedOn: 7 });
    const stale = owner.ask('hsu.v1.ConfigService', 'RemoveWorker', { id: 'web', basedOn: 6 });
    await expect(stale).rejects.toMatchObject({ code: 10, details: 'revision 7 holds by now' });
    const missing = owner.ask('hsu.v1.ConfigService', 'CreateWorker', {});
    await expect(missing).rejects.toMatchObject({ code: 3 });
    expect(master.asked).toEqual([
      'plan workers: []',
      'plan the file',
      'apply x',
      'reload',
      'create {"id":"new","list":[5]}',
      'replace web {"id":"new","list":[5]}',
      'remove web',
      'remove web',
    ]);
  });

  it('tokens', async ({ owner, served: { master } }) => {
    const grant = { role: 'operator', plus: [], minus: [], workers: ['api-*'], namespaces: [] };
    const ann = { id: 'f0f0f0', name: 'ann', grant, createdAt: moment(NOW), expiresAt: moment(NOW + 1000) };
    expect(await owner.ask('hsu.v1.TokenService', 'ListTokens', {})).toEqual({ tokens: [ann] });
    const wish = { name: 'bob', grant: { ...grant, role: 'reader', plus: ['workers:exec'] } };
    const made = await owner.ask('hsu.v1.TokenService', 'CreateToken', wish);
    expect(made).toEqual({
      text: expect.stringMatching(/^hsu_/),
      token: { ...ann, ...wish, expiresAt: null },
    });
    const expires = { seconds: 7200, nanos: 500_000 };
    const short = await owner.ask('hsu.v1.TokenService', 'CreateToken', { ...wish, expires });
    expect(short.token?.expiresAt).toEqual(moment(NOW + 7_200_001));
    expect(await owner.ask('hsu.v1.TokenService', 'RevokeToken', { token: 'ann' })).toEqual(ann);
    expect(master.asked).toEqual(['token bob by all', 'token bob by all', 'revoke ann']);
  });

  it('a command in the place of a worker, both ways', async ({ owner, served: { master, deeds } }) => {
    const { call, heard } = owner.converse('hsu.v1.ExecService', 'Exec');
    call.write({ start: { id: 'web', argv: ['cat', '-'] } });
    await heard.until((messages) => messages.length === 1);
    expect(heard.messages[0]).toEqual({ begun: { session: 'session-1' } });
    call.write({ input: Buffer.from('one') });
    await heard.until((messages) => messages.length === 2);
    call.end();
    expect(await heard.ended).toBeNull();
    expect(heard.messages.slice(1)).toEqual([{ stdout: Buffer.from('one') }, { exit: { code: 0 } }]);
    expect(deeds).toMatchObject([{ action: 'worker.exec', on: 'web', why: 'cat' }]);

    const other = owner.converse('hsu.v1.ExecService', 'Exec');
    other.call.write({ start: { id: 'web', argv: ['cat'] } });
    other.call.write({ signal: 'SIGINT' });
    expect(await other.heard.ended).toBeNull();
    expect(other.heard.messages.at(-1)).toEqual({ exit: { signal: 'SIGINT' } });

    const wrong = owner.converse('hsu.v1.ExecService', 'Exec');
    wrong.call.write({ start: { id: 'web', argv: ['cat'] } });
    wrong.call.write({ signal: 'kill' });
    expect(await wrong.heard.ended).toMatchObject({ code: 3, details: expect.stringContaining('signal') });
    const unbegun = owner.converse('hsu.v1.ExecService', 'Exec');
    unbegun.call.write({ input: Buffer.from('x') });
    expect(await unbegun.heard.ended).toMatchObject({ code: 3 });

    master.asked.length = 0;
    const gone = owner.converse('hsu.v1.ExecService', 'Exec');
    gone.call.write({ start: { id: 'web', argv: ['cat'] } });
    await gone.heard.until((messages) => messages.length === 1);
    gone.call.cancel();
    await expect.poll(() => master.asked).toContain('exec abandoned');
  });

  it('logs', async ({ owner }) => {
    const line = {
      worker: 'web',
      stream: 'OUTPUT_STREAM_STDERR',
      at: moment(NOW),
      stamped: true,
      run: 2,
      text: LINE.text,
    };
    expect(await owner.ask('hsu.v1.LogService', 'TailLogs', { lines: 3 })).toEqual({ lines: [line] });
    const found = await owner.ask('hsu.v1.LogService', 'SearchLogs', {
      text: 'a',
      minLevel: 'warn',
      from: moment(NOW),
      limit: 1,
    });
    expect(found).toEqual({ lines: [line], cursor: 'more' });
    const heard = owner.stream('hsu.v1.LogService', 'FollowLogs', { stream: 'OUTPUT_STREAM_STDERR' });
    expect(await heard.ended).toBeNull();
    expect(heard.messages).toEqual([{ line }, { lost: { worker: 'web', bytes: 10, lines: 1 } }]);
  });

  it('the services of the original', async ({ owner, served }) => {
    expect(await served.caller(null).ask('proto.CoreService', 'Ping', {})).toEqual({});
    expect(await owner.ask('proto.MasterService', 'Status', {})).toEqual({ status: 'hsu-master: OK' });
    await expect(served.caller(null).ask('proto.MasterService', 'Status', {})).rejects.toMatchObject({
      code: 16,
    });
  });
});
