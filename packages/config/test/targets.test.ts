import { PLAIN_FILES } from '@hsu-master/core';
import { describe, expect, test } from 'vitest';
import { describeConfig } from '../src/index.ts';
import { accept, corpus, refusals, warnings } from './corpus.ts';

const BOTH = ['stdout', 'stderr'];
const DAY = 86_400_000;

describe('where lines go', () => {
  test('nowhere, where nothing is asked for', () => {
    for (const text of [
      'workers: [{id: a, command: x}]',
      'log_collection: {enabled: false, global_aggregation: {targets: [{path: all.log}]}}\nworkers: [{id: a, command: x, log: {forwarding: [{path: b}], alerts: [{name: c}]}}]',
      'log_collection: {global_aggregation: {enabled: false, targets: [{path: all.log}]}}\nworkers: [{id: a, command: x}]',
      'workers: [{id: a, command: x, log: {capture_stdout: false, capture_stderr: false, forwarding: [{path: b}]}}]',
    ])
      expect(accept(text).logs).toMatchObject({ targets: [], alerts: [] });
  });

  test('the original’s keys', () => {
    const { logs, workers } = accept(corpus('logging-full'));
    expect(logs.targets).toMatchObject([
      {
        sources: [{ workers: null, streams: BOTH }],
        written: {
          type: 'file',
          path: '/log/aggregated.log',
          format: 'enhanced_plain',
          rotation: { max_size: 100e6, max_files: 5, max_age: '604800000ms' },
        },
      },
      { written: { type: 'master_stdout', format: 'plain', prefix: '[workers] ' } },
      {
        written: {
          type: 'elasticsearch',
          authentication: { username: 'elastic', password: 'hidden' },
          config: { index: 'logs' },
        },
      },
      {
        sources: [{ workers: ['test-worker'], streams: ['stderr'] }],
        written: { type: 'syslog', facility: 'local0' },
      },
    ]);
    expect(workers[0]?.log).toMatchObject({
      stdoutFile: '/log/workers/test-worker-out.log',
      files: { ...PLAIN_FILES, maxAge: 7 * DAY },
    });
  });

  test('the documents’ spelling', () => {
    const { targets } = accept(corpus('documented')).logs;
    const config = { buffer_size: 1e6 };
    expect(targets.map(({ written }) => written)).toEqual([
      { type: 'file', path: '/var/log/hsu-master/web-server.log', config },
      { type: 'syslog', facility: 'local0', config },
      { type: 'elasticsearch', endpoint: 'http://elasticsearch:9200', config },
    ]);
    expect(targets.map(({ sources }) => sources)).toEqual(
      targets.map(() => [{ workers: ['web-server'], streams: BOTH }]),
    );
  });

  test('one target that several workers name is one, under one name that stays', () => {
    const text = (more: string) => `log_collection:
  default_worker:
    forwarding: [{type: http, endpoint: "https://u:p@logs.example.org/in?key=k", ${more}}, {path: "{worker_id}.copy"}]
workers: [{id: a, command: x}, {id: b, command: x, log: {capture_stderr: false}}, {id: c, command: x, log: {forwarding: []}}]`;
    const { targets } = accept(text('config: {batch_lines: 5}')).logs;
    expect(targets.map(({ sources }) => sources)).toEqual([
      [
        { workers: ['a'], streams: BOTH },
        { workers: ['b'], streams: ['stdout'] },
      ],
      [{ workers: ['a'], streams: BOTH }],
      [{ workers: ['b'], streams: ['stdout'] }],
    ]);
    expect(targets.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^http:logs\.example\.org#[0-9a-f]{8}$/),
      expect.stringMatching(/^file:\/log\/workers\/a\.copy#/),
      expect.stringMatching(/^file:\/log\/workers\/b\.copy#/),
    ]);
    expect(accept(text('config: {batch_lines: 6}')).logs.targets[0]?.name).toBe(targets[0]?.name);
  });

  test('values of config keep their types; text in quotes and odd numbers stay text', () => {
    const text = `log_collection: {global_aggregation: {targets: [{type: loki, endpoint: "http://l", config:
      {batch_lines: 5, compress: false, tenant: 007, index: "8", labels: {site: "\${HOME}", list: [1, x]}}}]}}`;
    expect(accept(text).logs.targets[0]?.written['config']).toEqual({
      batch_lines: 5,
      compress: false,
      tenant: '007',
      index: '8',
      labels: { site: '/home/me', list: [1, 'x'] },
    });
  });

  test('what a target cannot take is refused at its place, once', () => {
    const text = `log_collection:
  default_worker:
    forwarding:
      - type: loki
        config:
          labels: 5
workers: [{id: a, command: x}, {id: b, command: x}]`;
    const checkTarget = () => [{ path: 'config.labels', message: 'must be a mapping' }];
    expect(refusals(text, { checkTarget })).toEqual([
      '6:19 log_collection.default_worker.forwarding[0].config.labels: must be a mapping',
    ]);
  });

  test('no two write one file', () => {
    const text = `log_collection: {global_aggregation: {targets: [{path: workers/a-stdout.log}, {path: b.log}, {path: b.log, format: json}]}}
workers: [{id: a, command: x}]`;
    expect(refusals(text)).toEqual([
      '1:56 log_collection.global_aggregation.targets[0].path: the file /log/workers/a-stdout.log is written by the output of "a" already (write another path, or the same target everywhere)',
      '1:101 log_collection.global_aggregation.targets[2].path: the file /log/b.log is written by another target already (write another path, or the same target everywhere)',
    ]);
  });
});

describe('buffers before targets', () => {
  const targetsOf = (text: string) => accept(text).logs.targets.map(({ written }) => written['config']);

  test('come from the nearest block that says something, and from the target itself first', () => {
    const text = `log_collection:
  system: {buffer_size: 2MB, flush_interval: 3s}
  global_aggregation: {targets: [{path: all.log}, {path: own.log, config: {flush_interval: 1m}}]}
  default_worker: {buffering: {flush_interval: 5s, max_lines: 0}, outputs: {forwarding: [{path: '{worker_id}.log'}]}}
workers:
  - {id: a, command: x}
  - id: b
    type: managed
    unit:
      managed:
        metadata: {name: b}
        control: {execution: {executable_path: x}, log_collection: {buffering: {size: 64KiB, max_lines: 50}}}
`;
    expect(targetsOf(text)).toEqual([
      { buffer_size: 2e6, flush_interval: '3000ms' },
      { buffer_size: 2e6, flush_interval: '1m' },
      { buffer_size: 2e6, flush_interval: '5000ms' },
      { buffer_size: 65_536, flush_interval: '5000ms', batch_lines: 50 },
    ]);
  });

  test('one target of two workers is one, though they say different things of buffers', () => {
    const worker = (id: string, size: string) =>
      `  - {id: ${id}, type: managed, unit: {managed: {metadata: {name: n}, control: {execution: {executable_path: x}, log_collection: {buffer_size: ${size}, forwarding: [{path: /all.log}]}}}}}`;
    expect(targetsOf(`workers:\n${worker('a', '1MB')}\n${worker('b', '2MB')}\n`)).toEqual([
      { buffer_size: 1e6 },
    ]);
  });
});

describe('channel', () => {
  test('is the master’s, unless all workers, those by default, or one say file', () => {
    const channels = (text: string) => accept(text).workers.map(({ log }) => log.files.channel);
    const workers = 'workers: [{id: a, command: x}, {id: b, command: x, log: {channel: fifo}}]';
    expect(channels(workers)).toEqual(['fifo', 'fifo']);
    expect(channels(`log_collection: {channel: file}\n${workers}`)).toEqual(['file', 'fifo']);
    expect(channels(`log_collection: {default_worker: {channel: file}}\n${workers}`)).toEqual([
      'file',
      'fifo',
    ]);
  });

  test('file takes no format, and says that when_full is not for the program', () => {
    const worker = (keys: string) => `workers: [{id: a, command: x, log: {channel: file, ${keys}}}]`;
    for (const keys of ['format: json', 'prefix: "x "'])
      expect(refusals(worker(keys)).join()).toContain('its own files have no format or prefix then');
    expect(warnings(worker('when_full: drop_oldest')).join()).toContain('when_full is for targets only');
  });
});

describe('what is kept', () => {
  test('nothing is bounded but by the number of files, unless it is asked for', () => {
    const { logs, workers } = accept('workers: [{id: a, command: x}]');
    expect(logs.keeping).toEqual({ directory: '/log/workers', goneAfter: null, maxTotal: null });
    expect(workers[0]?.log.files.maxAge).toBeNull();
  });

  test('by age and in total; of workers that are gone by what holds for all', () => {
    const { logs, workers } = accept(`log_collection:
  max_total_size: 1GB
  default_worker: {retention_policy: {max_age: 7d}}
workers:
  - {id: a, command: x}
  - {id: b, command: x, log: {max_age: 1h}}
  - {id: c, command: x, log: {max_age: 0s}}
`);
    expect(logs.keeping).toEqual({ directory: '/log/workers', goneAfter: 7 * DAY, maxTotal: 1e9 });
    expect(workers.map(({ log }) => log.files.maxAge)).toEqual([7 * DAY, 3_600_000, null]);
  });

  test('the directory of the workers’ files', () => {
    const { logs, workers } = accept(
      'log_collection: {system: {worker_directory: each}}\nworkers: [{id: a, command: x}]',
    );
    expect(logs.keeping.directory).toBe('/log/each');
    expect(workers[0]?.log.stdoutFile).toBe('/log/each/a-stdout.log');
  });
});

test('what people read of how files are written and kept', () => {
  const config = accept(`log_collection: {max_total_size: 1GB}
workers:
  - {id: a, command: x, log: {max_age: 7d, compress: zstd, format: json, when_full: drop_oldest, rotate_every: day}}
  - {id: b, command: x, log: {channel: file, max_size: 0}}
`);
  const text = describeConfig(config);
  expect(text).toContain('(10 old files of 100MB, a new one each day, for 7d, zstd, json, drop-oldest)');
  expect(text).toContain('(never rotated by size, written by the program itself)');
  expect(text).toContain('all files of output together have at most 1GB: the oldest that were rotated go');
});

test('who writes redaction and the like below enhancement is told where it belongs', () => {
  const text = 'log_collection: {enhancement: {redact: true}}\nworkers: [{id: a, command: x}]';
  expect(refusals(text).join()).toContain('it belongs to "processing", for all workers below default_worker');
});

test('where collection is off, output is thrown away but that of workers who ask for it', () => {
  const control = (keys: string) =>
    `type: managed, unit: {managed: {metadata: {name: n}, control: {execution: {executable_path: x}, log_collection: {${keys}}}}}`;
  const { workers } = accept(`log_collection: {enabled: false, default_worker: {enabled: true}}
workers:
  - {id: a, command: x}
  - {id: b, command: x, log: {capture_stderr: true}}
  - {id: c, ${control('enabled: true')}}
  - {id: d, ${control('when_full: block')}}
`);
  const captured = workers.map(({ log }) => [log.captureStdout, log.captureStderr]);
  expect(captured).toEqual([
    [false, false],
    [false, true],
    [true, true],
    [false, false],
  ]);
});

test('more workers than system.max_workers are collected, and it is said', () => {
  const text =
    'log_collection: {system: {max_workers: 1}}\nworkers: [{id: a, command: x}, {id: b, command: x}]';
  expect(warnings(text)).toEqual([
    '1:40 log_collection.system.max_workers: there are 2 workers; output of all of them is collected',
  ]);
});

describe('how a worker’s own files are written', () => {
  test('by format, prefix, policy and rotation, in both forms', () => {
    const text = `workers:
  - {id: a, command: x, log: {format: json, when_full: drop_oldest, compress: zstd, rotate_every: day}}
  - id: b
    type: managed
    unit:
      managed:
        control:
          execution: {executable_path: x}
          log_collection:
            when_full: drop_newest
            retention_policy: {compress: gzip, rotate_every: hour}
            outputs: {separate: {stdout: [{format: enhanced_plain, prefix: "{worker_id}/{stream} "}]}}`;
    const json = { format: 'json', prefix: '' };
    expect(accept(text).workers.map(({ log }) => log.files)).toEqual([
      {
        forms: { stdout: json, stderr: json },
        overflow: 'drop-oldest',
        rotateEvery: 86_400,
        maxAge: null,
        channel: 'fifo',
        compression: 'zstd',
      },
      {
        forms: {
          stdout: { format: 'enhanced_plain', prefix: 'b/stdout ' },
          stderr: { format: 'plain', prefix: '' },
        },
        overflow: 'drop-newest',
        rotateEvery: 3600,
        maxAge: null,
        channel: 'fifo',
        compression: 'gzip',
      },
    ]);
  });

  test('a file of both streams has one form, and a prefix no more than it can know', () => {
    const text = `workers:
  - {id: a, command: x, log: {prefix: "{timestamp} "}}
  - id: b
    type: managed
    unit: {managed: {control: {execution: {executable_path: x}, log_collection: {outputs: {separate:
      {stdout: [{path: b.log, format: json}], stderr: [{path: b.log}]}}}}}}`;
    expect(warnings(text)).toEqual([
      '2:5 workers[0]: in the prefix of a worker’s own file only {worker_id} and {stream} are replaced (write format: enhanced_plain or structured_json, or a target of its own)',
      '3:5 workers[1]: both streams go to one file, which has one format and prefix: those of stdout count',
    ]);
  });
});

describe('alerts on lines', () => {
  test('of all workers, of some, of one, and of those that say nothing else', () => {
    const text = `log_collection:
  alerts: [{name: all, pattern: panic}, {name: some, level: warning, workers: [a], every: 0}]
  default_worker: {alerts: [{name: usual, stream: stderr, count: 3, within: 5s}]}
workers:
  - {id: a, command: x, log: {alerts: [{name: own, exec: ./page me, webhook: "http://h/x"}]}}
  - {id: b, command: x}
  - {id: c, command: x}`;
    const rules = accept(text).logs.alerts;
    expect(rules.map(({ name, workers }) => [name, workers])).toEqual([
      ['all', []],
      ['some', ['a']],
      ['own', ['a']],
      ['usual', ['b', 'c']],
    ]);
    expect(rules[0]).toEqual({
      name: 'all',
      workers: [],
      pattern: 'panic',
      minLevel: null,
      stream: null,
      count: 1,
      within: 60_000,
      every: 300_000,
      exec: null,
      webhook: null,
      timeout: 10_000,
    });
    expect(rules[1]).toMatchObject({ minLevel: 'warn', every: null });
    expect(rules[2]?.exec).toEqual(['/etc/hsu/page', 'me']);
  });

  test('names are there once, workers exist, programs are named', () => {
    const text = `log_collection:
  alerts:
    - {name: one, workers: [nobody]}
    - {name: one, exec: []}
    - {pattern: x}
workers: [{id: a, command: x}]`;
    expect(refusals(text)).toEqual([
      '3:28 log_collection.alerts[0].workers: there is no worker "nobody" that is run here',
      '4:14 log_collection.alerts[1].name: the alert "one" is there twice; first in line 3 (give each its own name)',
      '4:25 log_collection.alerts[1].exec: names no program (write the program and its arguments)',
      '5:7 log_collection.alerts[2]: "name" is missing (name: Unique name.)',
    ]);
  });
});

test('validate tells of targets and alerts, and of no secret', () => {
  const text = `log_collection:
  global_aggregation: {targets: [{type: webhook, endpoint: "https://me:secret1@h/secret2?secret3"}, {path: all.log}]}
  alerts: [{name: errors, level: error, webhook: "https://me:secret4@w:1/secret5"}]
workers: [{id: a, command: x, log: {forwarding: [{type: syslog}, {type: otlp, endpoint: "http://o", authentication: {token: secret6}}]}}]`;
  const said = describeConfig(accept(text));
  expect(said).toContain('  forwarded to syslog, otlp o\n');
  expect(said).toContain(`
all lines go to webhook h
all lines go to file /log/all.log
alert errors: 1 lines of level error and above within 1m: event, POST to w:1
`);
  expect(said).not.toContain('secret');
});
