import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { eventually, freePort, it, PATIENCE, ROOT, type Stage, TIMED } from './drive.ts';
import { embed } from './embedded.ts';
import { listen } from './listener.ts';

const jsonLines = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const logs = (stage: Stage) => ['--log-dir', stage.path('logs'), '--state-dir', stage.path('state')];
const say = (...lines: readonly string[]) => ['printf', '%s\\n', ...lines];
const own = (stage: Stage, name: string) => readFileSync(stage.path('logs', 'workers', name), 'utf8');

describe.concurrent('lines on their way', () => {
  it('go to one file for all, filtered and without secrets; the worker’s own file keeps every byte', async ({
    stage,
  }) => {
    const master = stage.run(
      {
        log_collection: {
          global_aggregation: { enabled: true, targets: [{ type: 'file', path: 'all.log', format: 'json' }] },
          default_worker: {
            processing: {
              redact: true,
              filters: { exclude_patterns: ['^GET /health'], level_filter: 'info' },
            },
          },
        },
        workers: [
          {
            id: 'web',
            command: say('GET /health', 'DEBUG x', 'INFO token=abcdef123', 'ERROR \u001b[1m'),
            restart: 'never',
          },
          { id: 'loud', command: ['sh', '-c', 'echo oops >&2'], restart: 'never' },
        ],
      },
      logs(stage),
    );
    expect((await master.end()).code).toBe(0);
    const found = jsonLines(stage.path('logs', 'all.log'));
    const said = (id: string) => found.filter(({ worker }) => worker === id);
    expect(said('web').map(({ message }) => message)).toEqual(['INFO token=[redacted]', 'ERROR \u001b[1m']);
    expect(said('loud')).toEqual([
      { time: expect.any(String) as string, worker: 'loud', stream: 'stderr', message: 'oops' },
    ]);
    expect(own(stage, 'web-stdout.log')).toBe(
      'GET /health\nDEBUG x\nINFO token=abcdef123\nERROR \u001b[1m\n',
    );
  });

  it('go to targets of single streams and workers, and a worker’s own file has its own format', async ({
    stage,
  }) => {
    const master = stage.run(
      {
        log_collection: {
          default_worker: {
            outputs: {
              separate: {
                stdout: [
                  {
                    type: 'file',
                    path: '{worker_id}.log',
                    format: 'enhanced_plain',
                    prefix: '{worker_id}> ',
                  },
                  { type: 'file', path: 'stdout-of-all.log', format: 'plain' },
                ],
              },
            },
          },
        },
        workers: [
          { id: 'a', command: ['sh', '-c', 'echo from a; echo bad a >&2'], restart: 'never' },
          {
            id: 'b',
            command: ['sh', '-c', 'echo from b; echo bad b >&2'],
            restart: 'never',
            log: { forwarding: [{ type: 'file', path: '{worker_id}-both.log', format: 'plain' }] },
          },
        ],
      },
      logs(stage),
    );
    expect((await master.end()).code).toBe(0);
    expect(own(stage, 'stdout-of-all.log').split('\n').sort()).toEqual(['', 'from a', 'from b']);
    expect(own(stage, 'b-both.log').split('\n').sort()).toEqual(['', 'bad b', 'from b']);
    expect(own(stage, 'a.log')).toMatch(/^a> \[\d{4}-\d\d-\d\dT[^\]]+\]\[a\]\[stdout\] from a\n$/);
    expect(own(stage, 'a-stderr.log')).toBe('bad a\n');
  });

  it('reach a service that fails at first, and nobody reads its password', async ({ stage }) => {
    await using service = await listen(503);
    const endpoint = `http://127.0.0.1:${service.port}/in?key=\${KEY}`;
    const config = { retry_delay: '50ms', max_retry_delay: '100ms', flush_interval: '20ms' };
    const authentication = { type: 'basic', username: 'me', password: '${PASSWORD}' };
    const env = { PASSWORD: 'hunter22', KEY: 'hunter33' };
    const document = {
      log_collection: {
        global_aggregation: { targets: [{ type: 'webhook', endpoint, authentication, config }] },
      },
      workers: [{ id: 'web', command: ['sh', '-c', 'echo one; echo two; sleep 100'] }],
    };
    const master = stage.run(document, logs(stage), { env });
    await master.line(/log target webhook:127\.0\.0\.1:\d+#\w+ fails, trying again: .*503/);
    expect(service.taken).toEqual([]);
    service.status = 200;
    await master.line(/works again/);
    await eventually(() => service.taken.length === 2);
    expect(service.taken.map(({ message }) => message)).toEqual(['one', 'two']);
    expect(service.posts[0]?.authorization).toBe(`Basic ${Buffer.from('me:hunter22').toString('base64')}`);
    expect((await master.stop()).code).toBe(0);
    const validated = stage.hsu(['validate', stage.path('config.yaml')], { env });
    expect((await validated.end()).code).toBe(0);
    for (const { stdout, stderr } of [master, validated]) expect(stdout + stderr).not.toMatch(/hunter/);
  });

  it('that wait on disk are sent by the next master, when the first is killed', async ({ stage }) => {
    const port = await freePort();
    const config = {
      spill_size: '10MiB',
      buffer_size: '2MiB',
      retry_delay: '100ms',
      max_retry_delay: '100ms',
    };
    const document = {
      log_collection: {
        global_aggregation: {
          targets: [
            {
              type: 'webhook',
              endpoint: `http://127.0.0.1:${port}`,
              config: { ...config, batch_lines: 500 },
            },
          ],
        },
      },
      workers: [
        {
          id: 'counter',
          command: [
            'sh',
            '-c',
            `i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done; while [ ! -e ${stage.path('go')} ]; do sleep 0.1; done; echo 20001; exec sleep 1000`,
          ],
          stop_timeout: '1s',
        },
      ],
    };
    const flags = logs(stage);
    const first = stage.run(document, flags, { without: /^counter \|/ });
    await first.line(/fails, trying again: .*ECONNREFUSED/);
    await eventually(() => spilled(stage) > 500_000);
    await first.stop('SIGKILL');
    await using service = await listen(200, port);
    const second = stage.run(document, flags, { without: /^counter \|/ });
    await second.line(/gets \d+ lines that an earlier master had left first/);
    await second.line(/^counter: runs on/);
    writeFileSync(stage.path('go'), '');
    const numbers = () => service.taken.map(({ message }) => Number(message));
    await eventually(() => numbers().at(-1) === 20_001);
    expect((await second.stop()).code).toBe(0);
    // What only memory held is lost with the first master; what the disk held is there, in its order.
    const all = numbers();
    expect(all.length).toBeGreaterThan(5000);
    expect(all.filter((number, index) => index > 0 && number <= (all[index - 1] ?? 0))).toEqual([]);
  });

  it('that were written while no master ran are heard by the next', async ({ stage }) => {
    const flags = logs(stage);
    const workers = [
      {
        id: 'job',
        command: [
          'sh',
          '-c',
          `echo before; until [ -e ${stage.path('go')} ]; do sleep 0.1; done; echo between; touch ${stage.path('said')}; exec sleep 1000`,
        ],
      },
    ];
    const document = {
      log_collection: {
        global_aggregation: { targets: [{ type: 'file', path: 'all.log', format: 'json' }] },
      },
      workers,
    };
    const first = stage.run(document, flags);
    const all = stage.path('logs', 'all.log');
    const said = () => (existsSync(all) ? jsonLines(all).map(({ message }) => message) : []);
    await eventually(() => said().includes('before'));
    await first.stop('SIGKILL');
    writeFileSync(stage.path('go'), '');
    await eventually(() => existsSync(stage.path('said')));
    const second = stage.run(document, flags);
    await eventually(() => said().includes('between'));
    await second.stop();
    expect(said().slice(0, 2)).toEqual(['before', 'between']);
  });

  it('raise alerts by pattern and by rate, to event, program and webhook', async ({ stage }) => {
    await using service = await listen();
    const told = stage.path('told');
    const exec = [
      'sh',
      '-c',
      `echo "$HSU_ALERT $HSU_ALERT_RULE $HSU_ALERT_WORKER $HSU_ALERT_LINES" >> ${told}`,
    ];
    await using master = embed(stage, [], {
      config: {
        log_collection: {
          alerts: [{ name: 'disk', pattern: 'disk (?:full|failure)', exec, workers: ['web'] }],
        },
        workers: [
          {
            id: 'web',
            command: say('ERROR one', 'disk full', 'ERROR two', 'ERROR three'),
            restart: 'never',
            log: {
              alerts: [
                {
                  name: 'errors',
                  level: 'error',
                  count: 3,
                  within: '30s',
                  webhook: `http://127.0.0.1:${service.port}`,
                },
                { name: 'never', level: 'error', count: 4, within: '30s', exec },
              ],
            },
          },
          { id: 'other', command: say('disk full'), restart: 'never' },
        ],
      },
    });
    await master.master.start();
    const [first, second] = [
      await master.event('log.alerted', 'web'),
      await master.event('log.alerted', 'web', 2),
    ];
    expect([first.payload, second.payload]).toMatchObject([
      { kind: 'raised', rule: 'disk', lines: 1 },
      { kind: 'raised', rule: 'errors', lines: 3 },
    ]);
    await eventually(() => existsSync(told) && service.posts.length === 1);
    expect(JSON.parse(service.posts[0]?.body ?? '')).toMatchObject({
      alert: 'raised',
      rule: 'errors',
      worker: 'web',
    });
    await master.master.shutdown({ deadline: PATIENCE });
    expect(readFileSync(told, 'utf8')).toBe('raised disk web 1\n');
    expect(master.of('log.alerted', 'other')).toEqual([]);
  });

  it('of a worker that nobody asks for never come to JavaScript', async ({ stage }) => {
    await using quiet = embed(stage, [], {
      config: {
        workers: [
          {
            id: 'asked',
            command: ['sh', '-c', 'echo hello; sleep 100'],
            log: { forwarding: [{ type: 'file', path: 'copy.log' }] },
          },
          { id: 'plain', command: ['sh', '-c', 'echo hello; sleep 100'], log: { format: 'json' } },
        ],
      },
    });
    const { master } = quiet;
    await master.start();
    await eventually(() => master.lastLines('plain', 1, 'stdout').length === 1);
    await eventually(() => master.lineCounters().workers.length === 1);
    expect(master.lineCounters()).toMatchObject({
      heardStreams: 2,
      workers: [{ workerId: 'asked', lines: 1 }],
      // What is written is counted by the addon.
      written: { asked: { bytes: 6, lines: 1 }, plain: { lines: 1, droppedLines: 0 } },
    });
    const heard: string[] = [];
    const stop = master.hearLines(['plain'], ({ text }) => heard.push(text));
    expect(master.lineCounters().heardStreams).toBe(4);
    // Its line may be here before the news that it has started; until then a restart has nothing to end.
    await quiet.event('worker.started', 'plain');
    await master.restartWorker('plain');
    await quiet.event('worker.started', 'plain', 2);
    await eventually(() => heard.length > 0);
    stop();
    expect(heard).toEqual(['hello']);
    expect(master.lineCounters().heardStreams).toBe(2);
    expect(() => master.hearLines(['nobody'], () => {})).toThrow(/nobody/);
  });

  it('are given up at the end in time when a service does not answer, and wait on disk for the next master', async ({
    stage,
  }) => {
    await using service = await listen(503);
    const master = stage.run(
      {
        master: { force_shutdown_timeout: '3s' },
        log_collection: {
          global_aggregation: {
            targets: [{ type: 'webhook', endpoint: `http://127.0.0.1:${service.port}` }],
          },
        },
        workers: [{ id: 'job', command: say('kept'), restart: 'never' }],
      },
      logs(stage),
    );
    expect((await master.end()).code).toBe(0);
    expect(spilled(stage)).toBeGreaterThan(0);
  });

  it('reach targets without the addon, too', TIMED, async ({ stage }) => {
    const targets = [{ type: 'file', path: 'all.log', format: 'plain' }];
    const master = stage.run(
      {
        log_collection: { global_aggregation: { targets } },
        workers: [{ id: 'job', command: ['sh', '-c', 'seq 1 50000; printf end'], restart: 'never' }],
      },
      logs(stage),
      { env: { HSU_NATIVE: 'off' }, without: /^job \|/ },
    );
    expect((await master.end()).code).toBe(0);
    const copy = readFileSync(stage.path('logs', 'all.log'), 'utf8');
    expect(copy.slice(-10)).toBe('50000\nend\n');
    expect(copy === `${own(stage, 'job-stdout.log')}\n`).toBe(true);
  });

  it('in a burst wait for a target that is only slower, and none is lost', TIMED, async ({ stage }) => {
    const targets = [{ type: 'file', path: 'all.log', format: 'plain' }];
    const master = stage.run(
      {
        log_collection: { global_aggregation: { targets } },
        workers: [{ id: 'burst', command: 'seq 1 300000', restart: 'never' }],
      },
      logs(stage),
      { without: /^burst \|/ },
    );
    expect((await master.end()).code).toBe(0);
    expect(master.matching(/log trouble/)).toEqual([]);
    const copy = readFileSync(stage.path('logs', 'all.log'), 'utf8');
    expect(copy.length).toBe(1_988_895);
    expect(copy === own(stage, 'burst-stdout.log')).toBe(true);
  });

  it('as the original’s examples ask for them: both load, and what they name gets them', async ({
    stage,
  }) => {
    const corpus = (name: string) =>
      readFileSync(join(ROOT, 'packages', 'config', 'test', 'corpus', name), 'utf8');
    writeFileSync(stage.path('full.yaml'), corpus('logging-full.yaml'));
    const env = { ELASTICSEARCH_PASSWORD: 'hunter22' };
    const full = stage.hsu(['validate', stage.path('full.yaml')], { env });
    expect((await full.end()).code).toBe(0);
    expect(full.stdout).toMatch(
      /all lines go to master_stdout\nall lines go to elasticsearch 127\.0\.0\.1:9200\n/,
    );

    await using service = await listen();
    const program = stage.write(
      'web.sh',
      '#!/bin/sh\necho "WARN: one"; echo "INFO: two"; echo "ERROR: health check"\nsleep 100\n',
      0o755,
    );
    const text = corpus('documented.yaml')
      .replace('/usr/bin/web-server', program)
      .replace('/var/log/hsu-master/web-server.log', stage.path('web-server.log'))
      .replace('http://elasticsearch:9200', `http://127.0.0.1:${service.port}`);
    const master = stage.run(text, logs(stage));
    await eventually(() => service.posts.length > 0 && existsSync(stage.path('web-server.log')));
    expect(service.posts[0]?.path).toMatch(/\/_bulk/);
    expect(service.posts[0]?.body).toMatch(/WARN: one/);
    expect(service.posts[0]?.body).not.toMatch(/two|health/);
    await master.stop();
    expect(readFileSync(stage.path('web-server.log'), 'utf8')).toMatch(
      /^\[[^\]]+\]\[web-server\]\[stdout\] WARN: one\n$/,
    );
    expect(own(stage, 'web-server-stdout.log')).toBe('WARN: one\nINFO: two\nERROR: health check\n');
  });

  it('that a target cannot take are refused with their place, and no word of a secret', async ({ stage }) => {
    writeFileSync(
      stage.path('bad.yaml'),
      `log_collection:
  global_aggregation:
    targets:
      - type: elasticsearch
        endpoint: ftp://nowhere
        authentication: {type: token, token: "\${SECRET}"}
        config:
          batch_size: huge
      - {type: file, path: same.log}
      - {type: file, path: same.log, format: json}
workers: [{id: a, command: "true"}]
`,
    );
    const validated = stage.hsu(['validate', stage.path('bad.yaml')], { env: { SECRET: 'hunter22' } });
    expect((await validated.end()).code).toBe(2);
    expect(validated.stderr).toMatch(
      /bad\.yaml:5:\d+: error: log_collection\.global_aggregation\.targets\[0\]\.endpoint: must be an http/,
    );
    expect(validated.stderr).toMatch(/bad\.yaml:8:\d+: error: .*config\.batch_size: must be a size/);
    expect(validated.stderr).toMatch(
      /bad\.yaml:10:\d+: error: .*path: the file \S+same\.log is written by another target already/,
    );
    expect(validated.stderr).not.toMatch(/hunter/);
  });
});

/** Bytes in all spills. */
function spilled(stage: Stage): number {
  const folder = stage.path('state', 'spill');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.spill'))
    .reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0);
}
