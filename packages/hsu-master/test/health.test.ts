import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { eventually, freePort, it, rhythm } from './drive.ts';
import { embed } from './embedded.ts';

/** A server of this test that counts what it is asked and answers `status`. */
async function oracle(): Promise<
  { url: string; asked: () => number; answer(status: number): void } & AsyncDisposable
> {
  let asked = 0;
  let status = 200;
  const server: Server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`,
    asked: () => asked,
    answer(next) {
      status = next;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const often = rhythm(100);

describe.concurrent('health', () => {
  it('E7: while readiness fails nothing is restarted; dependents that run go on, new ones wait', async ({
    stage,
  }) => {
    await using health = await oracle();
    // An answer that comes too late on a busy machine would be a failure of its own.
    const readiness = { http: health.url, ...rhythm(300), failure_threshold: 2 };
    await using app = embed(stage, [
      { id: 'api', command: zoo.sleeps().argv, probes: { readiness } },
      { id: 'user', command: zoo.sleeps().argv, depends_on: ['api'] },
    ]);
    await app.master.start();
    await app.event('worker.started', 'user');
    health.answer(503);
    const { payload } = await app.event('worker.unready', 'api');
    expect(payload.reason).toContain('503');
    const seen = health.asked();
    await eventually(() => health.asked() > seen + 10);
    expect(app.master.worker('api')).toMatchObject({ phase: 'running', ready: false, restarts: 0, run: 1 });
    expect(app.master.worker('user').phase).toBe('running');
    await app.master.stopWorker('user');
    const start = app.master.startWorker('user');
    await app.event('worker.blocked', 'user', 2);
    health.answer(200);
    expect((await start).kind).toBe('done');
    expect(app.of('worker.started', 'api')).toHaveLength(1);
  });

  it('E8: liveness that fails as often as it may restarts the worker, once, and says why', async ({
    stage,
  }) => {
    const port = await freePort();
    // Three answers in a row that come too late on a busy machine would restart it once more.
    const liveness = { http: `http://127.0.0.1:${port}/health`, ...rhythm(500) };
    const startup = { tcp: `127.0.0.1:${port}`, ...rhythm(50), failure_threshold: 1000 };
    const worker = {
      id: 'web',
      command: zoo.httpServer(process.execPath, port),
      probes: { startup, liveness: { ...liveness, failure_threshold: 3 } },
      startup_grace_period: '0s',
      restart: { delay: '10ms' },
    };
    const master = stage.run([worker]);
    await master.line(/^web: ready/);
    await fetch(`http://127.0.0.1:${port}/become/500`);
    const reason = await master.line(/^web: liveness probe failed/);
    expect(reason).toContain('500');
    await master.line(/^web: stopping it, since its liveness probe failed/);
    await master.until('ready again', () => master.matching(/^web: ready/).length === 2);
    expect(master.matching(/^web: started/)).toHaveLength(2);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    expect((await master.stop()).code).toBe(0);
    expect(master.matching(/^web: stopping it, since/)).toHaveLength(1);
  });

  it('E8: within the start-up grace no probe restarts', async ({ stage }) => {
    await using health = await oracle();
    health.answer(500);
    const liveness = { http: health.url, ...often, failure_threshold: 1 };
    await using app = embed(stage, [
      { id: 'web', command: zoo.sleeps().argv, probes: { liveness }, startup_grace_period: '1h' },
    ]);
    await app.master.start();
    await eventually(() => health.asked() > 10);
    expect(app.of('worker.stopping')).toEqual([]);
    expect(app.master.worker('web').run).toBe(1);
  });

  it('E8: until the startup probe has passed, the others wait', async ({ stage }) => {
    await using startup = await oracle();
    await using others = await oracle();
    startup.answer(503);
    others.answer(500);
    const probe = { ...often, failure_threshold: 1 };
    await using app = embed(stage, [
      {
        id: 'web',
        command: zoo.sleeps().argv,
        startup_grace_period: '0s',
        restart: { delay: '1h' },
        probes: {
          startup: { http: startup.url, ...often, failure_threshold: 100_000 },
          liveness: { http: others.url, ...probe },
          readiness: { http: others.url, ...probe },
        },
      },
    ]);
    await app.master.start();
    await eventually(() => startup.asked() > 5);
    expect(others.asked()).toBe(0);
    startup.answer(200);
    const { payload } = await app.event('worker.stopping', 'web');
    expect(payload.cause).toBe('liveness');
    expect(others.asked()).toBeGreaterThan(0);
  });

  it('E11: a worker that is stopping or stopped is asked nothing', async ({ stage }) => {
    await using health = await oracle();
    const readiness = { http: health.url, ...rhythm(50) };
    const command = zoo.endsSlowly(400).argv;
    await using app = embed(stage, [{ id: 'slow', command, probes: { readiness } }]);
    await app.master.start();
    await app.event('worker.ready', 'slow');
    const stop = app.master.stopWorker('slow');
    await app.event('worker.stopping', 'slow');
    const asked = health.asked();
    await stop;
    await new Promise((resolve) => setTimeout(resolve, 200));
    // One may have been on its way.
    expect(health.asked() - asked).toBeLessThanOrEqual(1);
  });

  it('an exec probe that hangs is ended with all it started', async ({ stage }) => {
    const command = ['sh', '-c', 'sleep 1000 & echo $! >> pids; sleep 1001'];
    const readiness = { exec: command, ...rhythm(300), failure_threshold: 1 };
    const master = stage.run([{ id: 'web', command: zoo.sleeps().argv, probes: { readiness } }]);
    await master.line(/^web: not ready: .*(timed out|timeout|within|no answer)/i);
    await eventually(() => readFileSync(stage.path('pids'), 'utf8').split('\n').length > 4);
    // The worker, and of the probe at most one shell with its two.
    expect(stage.leftOvers().length).toBeLessThanOrEqual(4);
    expect((await master.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });
});
