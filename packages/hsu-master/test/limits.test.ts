import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { eventually, factor, it, rhythm, type Stage } from './drive.ts';
import { type Embedded, embed } from './embedded.ts';

const MEBI = 2 ** 20;
const LIMIT = 24;

/** How often it is looked at, and a span that is several looks long. */
const interval = `${100 * factor}ms`;
const span = `${500 * factor}ms`;

/** A master with one worker `hog`, for which no cgroup holds: it is watched. */
function embedHog(stage: Stage, limits: object, more: object = {}, argv = grows()): Embedded {
  const restart = { policy: 'on-failure', delay: '10ms' };
  const worker = {
    id: 'hog',
    command: argv,
    restart,
    limits: { ...limits, monitoring: { interval } },
    ...more,
  };
  return embed(stage, [worker], { containment: 'off' });
}

/** Takes a mebibyte every five milliseconds, three times what it may have, and then rests. */
function grows(): readonly string[] {
  return creature('grow', String(3 * LIMIT), '5', 'sleep');
}

function memory(policy: string, more: object = {}): object {
  return { memory: { max_rss: LIMIT * MEBI, policy, ...more } };
}

describe.concurrent('a limit on memory that is only watched', () => {
  it('log: is said, with a warning before it, and changes nothing', async ({ stage }) => {
    await using app = embedHog(stage, memory('log', { warning_threshold: '50%' }));
    await app.master.start();
    const warned = await app.event('limit.warned', 'hog');
    const { payload, seq } = await app.event('limit.exceeded', 'hog');
    expect(warned.seq).toBeLessThan(seq);
    expect(payload).toMatchObject({ limit: 'memory.max_rss', allowed: LIMIT * MEBI });
    expect(payload.value).toBeGreaterThan(LIMIT * MEBI);
    expect(payload.reason).toMatch(/^memory [\d.]+MiB of 24MiB/);
    await eventually(() => (app.master.usage('hog')?.usage.rss ?? 0) > 3 * LIMIT * MEBI);
    expect(app.master.worker('hog')).toMatchObject({ phase: 'running', run: 1, throttled: [] });
    expect(app.of('limit.exceeded')).toHaveLength(1);
  });

  it('alert: reaches a program and a webhook', async ({ stage }) => {
    await using hook = await webhook();
    const note = stage.path('alert');
    const alerts = {
      exec: ['/bin/sh', '-c', `env > ${note}.new; mv ${note}.new ${note}`],
      webhook: hook.url,
    };
    await using app = embedHog(stage, { ...memory('alert'), alerts });
    await app.master.start();
    expect(await hook.body).toMatchObject({ worker: 'hog', limit: 'memory.max_rss', maximum: LIMIT * MEBI });
    await eventually(() => readFileSync(note, 'utf8').includes('HSU_ALERT_MESSAGE=worker "hog": memory '));
    expect(app.of('alert.failed')).toEqual([]);
    expect(app.master.worker('hog').phase).toBe('running');
  });

  it('alert: one that does not arrive is said, after a second try', async ({ stage }) => {
    await using app = embedHog(stage, { ...memory('alert'), alerts: { exec: ['/bin/sh', '-c', 'exit 3'] } });
    await app.master.start();
    const { payload } = await app.event('alert.failed', 'hog');
    expect(payload).toEqual({ limit: 'memory.max_rss', to: 'exec', reason: 'exit 3' });
  });

  it('restart: ended and started again by the rule', async ({ stage }) => {
    await using app = embedHog(stage, memory('restart'));
    await app.master.start();
    const { payload } = await app.event('worker.stopping', 'hog', 2);
    expect(payload).toMatchObject({ cause: 'limit', detail: expect.stringMatching(/^memory .* of 24MiB/) });
  });

  it('restart_adjusted: gets more each time, as far as its cap', async ({ stage }) => {
    const adjust = { factor: 2, max_factor: 4 };
    await using app = embedHog(stage, memory('restart_adjusted', { adjust }));
    await app.master.start();
    await app.event('limit.adjusted', 'hog', 2);
    await eventually(() => {
      const seen = app.master.usage('hog');
      return seen?.run === 3 && seen.usage.rss > 3 * LIMIT * MEBI;
    });
    expect(app.master.worker('hog')).toMatchObject({ phase: 'running', run: 3 });
    const allowed = app.of('limit.exceeded').map(({ payload: { allowed: most } }) => (most ?? 0) / MEBI);
    expect(allowed).toEqual([LIMIT, 2 * LIMIT]);
  });

  it('graceful_shutdown: asked to end, and left at rest', async ({ stage }) => {
    await using app = embedHog(stage, memory('graceful_shutdown'));
    await app.master.start();
    const { payload } = await app.event('worker.failed', 'hog');
    expect(payload.failure).toMatchObject({ code: 'E_LIMIT', message: expect.stringContaining('of 24MiB') });
    expect(app.of('worker.exited')).toMatchObject([{ payload: { exit: { signal: 'SIGTERM' } } }]);
  });

  it('immediate_kill: killed, and left at rest', async ({ stage }) => {
    await using app = embedHog(stage, memory('immediate_kill'));
    await app.master.start();
    await app.event('worker.failed', 'hog');
    expect(app.of('worker.killed')).toHaveLength(1);
  });

  it('throttle: held back, its probes suspended, until it is stopped', async ({ stage }) => {
    await using health = await webhook();
    const probes = { liveness: { http: health.url, ...rhythm(100), failure_threshold: 1 } };
    await using app = embedHog(stage, { ...memory('throttle'), throttle_percent: 10 }, { probes });
    await app.master.start();
    await app.event('worker.throttled', 'hog');
    health.refuse();
    const asked = health.asked();
    const looks = app.master.usageHistory('hog').length;
    await eventually(() => app.master.usageHistory('hog').length > looks + 10);
    // One may have been on its way.
    expect(health.asked()).toBeLessThanOrEqual(asked + 1);
    expect(app.of('worker.stopping')).toEqual([]);
    expect((await app.master.stopWorker('hog')).kind).toBe('done');
    expect(app.of('worker.exited')).toMatchObject([{ payload: { exit: { signal: 'SIGTERM' } } }]);
  });

  it('an escalation goes from step to step', async ({ stage }) => {
    const escalation = [
      { policy: 'warn' },
      { policy: 'throttle', after: span },
      { policy: 'graceful_shutdown', after: span },
    ];
    await using app = embedHog(stage, {
      memory: { max_rss: LIMIT * MEBI, escalation },
      throttle_percent: 50,
    });
    await app.master.start();
    await app.event('worker.failed', 'hog');
    const steps = ['limit.exceeded', 'worker.throttled', 'worker.unthrottled', 'worker.stopping'];
    const story = app.events.filter(({ type }) => steps.includes(type));
    expect(story.map(({ type }) => type)).toEqual(steps);
    const [exceeded, throttled, , stopping] = story.map(({ at }) => at);
    expect((throttled ?? 0) - (exceeded ?? 0)).toBeGreaterThanOrEqual(450 * factor);
    expect((stopping ?? 0) - (throttled ?? 0)).toBeGreaterThanOrEqual(450 * factor);
  });
});

/** Whoever spins is above it, also where he shares his processor with twenty others. */
const SPINS = { max_percent: 5, spike_tolerance: 0 };

describe.concurrent('other limits that are watched', () => {
  it('a spinner is throttled and let go when it has become quiet', async ({ stage }) => {
    const limits = { cpu: { ...SPINS, policy: 'throttle' }, throttle_percent: 2 };
    await using app = embedHog(stage, limits, {}, creature('spin'));
    await app.master.start();
    await app.event('worker.throttled', 'hog');
    const { payload } = await app.event('limit.cleared', 'hog');
    expect(payload.value).toBeLessThan(SPINS.max_percent);
    await app.event('worker.unthrottled', 'hog');
  });

  it('a spinner whose limit nobody enforces is held to it, where nothing else is written', async ({
    stage,
  }) => {
    const limits = { cpu: { ...SPINS, policy: 'throttle' } };
    await using app = embedHog(stage, limits, {}, creature('spin'));
    await app.master.start();
    const { payload } = await app.event('worker.throttled', 'hog');
    expect(payload).toEqual({ limit: 'cpu.max_percent', percent: SPINS.max_percent });
  });

  it('children count, and the temporary directory and the log files too', async ({ stage }) => {
    const temp = stage.path('temp');
    const limits = {
      process: { max_child_processes: 2 },
      storage: { temp_directory: temp, max_temp_size: '1MB', max_log_size: '64KiB' },
    };
    const script = `mkdir ${temp}; head -c 2000000 /dev/zero > ${temp}/x; head -c 100000 /dev/zero;
      sleep 1000 & sleep 1000 & sleep 1000 & wait`;
    await using app = embedHog(stage, limits, {}, ['/bin/sh', '-c', script]);
    await app.master.start();
    await eventually(() => app.of('limit.exceeded').length === 3);
    const said = app.of('limit.exceeded').map(({ payload: { limit, reason } }) => `${limit}: ${reason}`);
    expect(said.toSorted()).toEqual([
      'process.max_child_processes: child processes 3 of 2',
      expect.stringMatching(/^storage.max_log_size: log files 97.7KiB of 64KiB/),
      expect.stringMatching(/^storage.max_temp_size: temporary directory 2MB of 1MB/),
    ]);
  });
});

describe.concurrent('what a worker uses', () => {
  it('is told of workers without limits when it is asked for, and is no history', async ({ stage }) => {
    await using app = embed(stage, [{ id: 'plain', command: creature('hog', '16', 'print', 'up', 'sleep') }]);
    await app.master.start();
    await eventually(() => (app.master.usage('plain', { pss: true })?.usage.pss ?? 0) > 16 * MEBI);
    expect(app.master.usageHistory('plain')).toEqual([]);
    expect(app.master.limits('plain')).toEqual([]);
    expect(() => app.master.usage('nobody')).toThrow('there is no worker "nobody"');
  });

  it('is remembered over restarts; limits are told before the first start', async ({ stage }) => {
    await using app = embedHog(stage, memory('log'));
    expect(app.master.limits('hog')).toMatchObject([{ limit: 'memory.max_rss', status: 'watched' }]);
    await app.master.start();
    await eventually(() => app.master.usageHistory('hog').length > 3);
    const begin = app.master.usageHistory('hog')[0]?.at;
    await app.master.restartWorker('hog');
    await eventually(() => app.master.usage('hog')?.run === 2);
    expect(app.master.usageHistory('hog')[0]?.at).toBe(begin);
  });
});

/** A server of this test: the body of the first thing sent to it, and how often it was asked. */
async function webhook() {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  let asked = 0;
  let status = 200;
  const server = createServer((request, response) => {
    asked += 1;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (chunks.length > 0) resolve(JSON.parse(Buffer.concat(chunks).toString()));
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`,
    body: promise,
    asked: () => asked,
    refuse: () => {
      status = 500;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
