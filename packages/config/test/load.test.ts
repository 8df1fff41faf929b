import { PLAIN_FILES } from '@hsu-master/core';
import { describe, expect, test } from 'vitest';
import { accept, CORPUS, corpus, load } from './corpus.ts';

const worker = (body: string, surroundings = {}) => {
  const spec = accept(`workers:\n  - ${body.trim().replaceAll('\n', '\n    ')}\n`, surroundings).workers[0];
  if (spec === undefined) throw new Error('no worker');
  return spec;
};
const managed = (control: string) => `workers:
  - id: a
    type: managed
    unit:
      managed:
        control:
          execution: { executable_path: /bin/sleep }
${control.replace(/^/gm, '          ')}`;

describe('the short form', () => {
  test('is a managed unit with defaults for people in a hurry', () => {
    const config = accept(
      'workers: [{ id: web, command: "node server.js", ready: "http://127.0.0.1:8080/health" }]',
    );
    expect(config.workers[0]).toMatchInlineSnapshot(`
      {
        "command": {
          "argv": [
            "node",
            "server.js",
          ],
          "cwd": "/etc/hsu",
          "env": {},
          "group": null,
          "groups": null,
          "umask": null,
          "user": null,
        },
        "dependsOn": [],
        "description": "",
        "enabled": true,
        "group": null,
        "id": "web",
        "limits": null,
        "listen": null,
        "log": {
          "captureStderr": true,
          "captureStdout": true,
          "files": {
            "channel": "fifo",
            "compression": "none",
            "forms": {
              "stderr": {
                "format": "plain",
                "prefix": "",
              },
              "stdout": {
                "format": "plain",
                "prefix": "",
              },
            },
            "maxAge": null,
            "overflow": "block",
            "rotateEvery": 0,
          },
          "maxFiles": 10,
          "maxSize": 100000000,
          "pipeline": null,
          "stderrFile": "/log/workers/web-stderr.log",
          "stdoutFile": "/log/workers/web-stdout.log",
        },
        "mainProcess": null,
        "name": "web",
        "namespace": null,
        "onDaemonize": "kill",
        "probes": {
          "liveness": null,
          "readiness": {
            "check": {
              "headers": {},
              "method": "GET",
              "type": "http",
              "url": "http://127.0.0.1:8080/health",
            },
            "failureThreshold": 3,
            "initialDelay": 0,
            "interval": 1000,
            "successThreshold": 1,
            "timeout": 1000,
          },
          "startup": null,
        },
        "processFile": null,
        "quotas": [],
        "restart": {
          "exit": {
            "coolDown": 60000,
            "delay": 1000,
            "factor": 2,
            "giveUp": false,
            "jitter": 0.1,
            "maxCoolDown": 1800000,
            "maxDelay": 300000,
            "maxRetries": 5,
            "resetAfter": 60000,
            "window": 60000,
          },
          "health": {
            "coolDown": 60000,
            "delay": 1000,
            "factor": 2,
            "giveUp": false,
            "jitter": 0.1,
            "maxCoolDown": 1800000,
            "maxDelay": 300000,
            "maxRetries": 5,
            "resetAfter": 60000,
            "window": 60000,
          },
          "mode": "on-failure",
          "resource": {
            "coolDown": 60000,
            "delay": 1000,
            "factor": 2,
            "giveUp": false,
            "jitter": 0.1,
            "maxCoolDown": 1800000,
            "maxDelay": 300000,
            "maxRetries": 5,
            "resetAfter": 60000,
            "window": 60000,
          },
          "retryFailedStart": false,
          "startupGrace": 120000,
          "successCodes": [
            0,
          ],
        },
        "stop": {
          "grace": 20000,
          "signal": "SIGTERM",
        },
        "unmanaged": null,
      }
    `);
  });

  test('every spec is frozen to its leaves', () => {
    const seen: unknown[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      seen.push(value);
      expect(Object.isFrozen(value)).toBe(true);
      for (const inner of Object.values(value)) visit(inner);
    };
    visit(accept(corpus('short')).workers);
    visit(accept(corpus('managed')));
    expect(seen.length).toBeGreaterThan(50);
  });

  test('what the corpus says in the short form', () => {
    const byId = new Map(accept(corpus('short')).workers.map((spec) => [spec.id, spec]));
    expect(byId.get('db')).toMatchObject({
      command: {
        argv: ['postgres', '-D', '/var/lib/pg data'],
        user: 'postgres',
        groups: ['ssl-cert'],
        umask: 0o077,
      },
      probes: { readiness: { check: { type: 'exec', argv: ['pg_isready', '-q'] }, interval: 500 } },
      stop: { signal: 'SIGINT', grace: 60_000 },
      log: { maxSize: 10e6, maxFiles: 3 },
    });
    expect(byId.get('migrate')).toMatchObject({
      command: { argv: ['/bin/sh', '-c', 'set -e\necho "$HOME" | tee /tmp/home\n'] },
      dependsOn: [{ id: 'db', condition: 'ready', restart: false }],
      restart: { mode: 'never' },
    });
    expect(byId.get('api')).toMatchObject({
      command: { argv: ['api', '--name', 'a b', '*'], cwd: '/home/me/api' },
      dependsOn: [
        { id: 'db', condition: 'ready', restart: false },
        { id: 'migrate', condition: 'completed', restart: false },
        { id: 'web', condition: 'started', restart: true },
      ],
      restart: { mode: 'always', exit: { delay: 0, maxRetries: 0, jitter: 0 } },
      probes: {
        startup: {
          check: { type: 'tcp', host: '127.0.0.1', port: 9000 },
          failureThreshold: 30,
          interval: 10_000,
        },
        liveness: {
          check: { type: 'http', url: 'https://[::1]:9000/live', method: 'HEAD' },
          interval: 5000,
          timeout: 500,
        },
        readiness: null,
      },
    });
    expect(byId.get('nginx')).toMatchObject({
      mainProcess: { pidFile: '/run/nginx.pid', timeout: 5000 },
      onDaemonize: 'adopt',
      restart: { successCodes: [0, 143], retryFailedStart: true },
    });
  });

  test('restart_dependents restarts those that depend on the worker', () => {
    const [, b] = accept(
      'workers:\n  - {id: a, command: x, restart_dependents: true}\n  - {id: b, command: x, depends_on: [a]}\n',
    ).workers;
    expect(b?.dependsOn).toEqual([{ id: 'a', condition: 'started', restart: true }]);
  });

  test('a bare dependency means ready where a readiness or startup probe says so, else started', () => {
    const { workers } = accept(`workers:
  - {id: a, command: x, ready: "tcp://localhost:1"}
  - {id: b, command: x, probes: {startup: "tcp://localhost:1"}}
  - {id: c, command: x, probes: {liveness: "tcp://localhost:1"}}
  - {id: d, command: x, depends_on: [a, b, c]}
`);
    expect(workers[3]?.dependsOn.map((dependency) => dependency.condition)).toEqual([
      'ready',
      'ready',
      'started',
    ]);
  });

  test('one dependency needs no list', () => {
    const { workers } = accept(`workers:
  - {id: a, command: x}
  - {id: b, command: x, depends_on: a}
  - {id: c, command: x, depends_on: {id: a, condition: completed}}
`);
    expect(workers.map(({ dependsOn }) => dependsOn)).toEqual([
      [],
      [{ id: 'a', condition: 'started', restart: false }],
      [{ id: 'a', condition: 'completed', restart: false }],
    ]);
  });

  test('a command with line breaks behind backslashes or in a folded scalar is one line', () => {
    expect(worker('id: a\ncommand: |\n  node \\\n    server.js').command.argv).toEqual(['node', 'server.js']);
    expect(worker('id: a\ncommand: >\n  node\n  server.js').command.argv).toEqual(['node', 'server.js']);
  });
});

describe('the long form', () => {
  test('what the corpus says, with profile and severity multiplied in', () => {
    expect(accept(corpus('managed')).workers[0]).toMatchObject({
      id: 'echo-server',
      name: 'Echo server',
      command: {
        argv: ['/etc/hsu/bin/echo-server', '--port', '8080'],
        cwd: '/srv/echo',
        env: { LOG_LEVEL: 'debug', GREETING: 'hello: world # not a comment' },
      },
      restart: {
        mode: 'on-failure',
        exit: { maxRetries: 6, delay: 3000, factor: 2, window: 600_000, coolDown: 60_000, giveUp: false },
        health: { maxRetries: 0, delay: 15_000, factor: 1.5 },
        startupGrace: 90_000,
      },
      stop: { signal: 'SIGTERM', grace: 15_000 },
      probes: {
        startup: null,
        liveness: {
          interval: 30_000,
          timeout: 5000,
          initialDelay: 10_000,
          failureThreshold: 3,
          successThreshold: 1,
        },
        readiness: {
          check: { type: 'http', url: 'http://localhost:8080/health', headers: { 'X-Check': 'yes' } },
        },
      },
    });
  });

  test('the original’s defaults', () => {
    const { workers, master } = accept(managed(''));
    expect(workers[0]).toMatchObject({
      command: { argv: ['/bin/sleep'], cwd: '/bin' },
      restart: {
        mode: 'on-failure',
        exit: { maxRetries: 3, delay: 5000, factor: 1.5, maxDelay: 300_000, jitter: 0.1, resetAfter: 60_000 },
        startupGrace: 120_000,
      },
      stop: { grace: 20_000 },
      log: {
        stdoutFile: '/log/workers/a-stdout.log',
        stderrFile: '/log/workers/a-stderr.log',
        maxSize: 100e6,
        maxFiles: 10,
      },
    });
    expect(master).toEqual({ logLevel: 'info', forceShutdownTimeout: 30_000, onExit: 'stop' });
  });

  test('workers are left running where that is written', () => {
    expect(accept('master: {on_master_exit: leave}\nworkers: [{id: a, command: "true"}]').master.onExit).toBe(
      'leave',
    );
    expect(accept('master: {on_master_exit: ""}\nworkers: [{id: a, command: "true"}]').master.onExit).toBe(
      'stop',
    );
  });

  test('0 retries mean 3 in default and no bound in an override', () => {
    const restart =
      'context_aware_restart: {default: {max_retries: 0}, health_failures: {max_retries: 0, backoff_rate: 2}}';
    expect(accept(managed(restart)).workers[0]?.restart).toMatchObject({
      exit: { maxRetries: 3, delay: 5000 },
      health: { maxRetries: 0, delay: 5000, factor: 2 },
    });
  });

  test('a grace of 0 means the default', () => {
    expect(accept(managed('graceful_timeout: 0s')).workers[0]?.stop.grace).toBe(20_000);
  });

  test('run_options.enabled false and an empty type switch a health check off', () => {
    const check = (options: string) =>
      `health_check: {type: process, run_options: {${options}}}`.replace(/^/gm, '        ');
    const probesOf = (options: string) => accept(`${managed('')}\n${check(options)}`).workers[0]?.probes;
    expect(probesOf('enabled: false, interval: 10s, timeout: 1s')).toEqual({
      startup: null,
      liveness: null,
      readiness: null,
    });
    expect(probesOf('interval: 10s, timeout: 1s')).toMatchObject({
      liveness: { check: { type: 'process' }, failureThreshold: 2 },
    });
  });

  test('shell: true runs the path as a line, with the arguments as $0 and on', () => {
    const text = managed('').replace('/bin/sleep', '"echo $1", args: [name, value], shell: true');
    expect(accept(text).workers[0]?.command).toMatchObject({
      argv: ['/bin/sh', '-c', 'echo $1', 'name', 'value'],
      cwd: '/etc/hsu',
    });
  });

  test('units of all kinds become workers, in the order of the file', () => {
    const config = accept(corpus('kinds'));
    expect(config.workers.map((spec) => [spec.id, spec.enabled, spec.unmanaged !== null])).toEqual([
      ['integrated-service', true, false],
      ['nginx', true, true],
      ['grpc-service', false, false],
    ]);
  });

  test('output targets and rotation of the worker, of all workers, and of the documents’ spelling', () => {
    expect(accept(corpus('logging-full')).workers[0]?.log).toEqual({
      captureStdout: true,
      captureStderr: true,
      stdoutFile: '/log/workers/test-worker-out.log',
      stderrFile: '/log/workers/test-worker-err.log',
      maxSize: 50e6,
      maxFiles: 7,
      files: { ...PLAIN_FILES, maxAge: 604_800_000 },
      pipeline: expect.objectContaining({ multiline: null }),
    });
    expect(
      accept(
        managed('log_collection: {capture_stderr: false, retention_policy: {max_files: 2, max_size: 1MiB}}'),
      ).workers[0]?.log,
    ).toMatchObject({
      captureStdout: true,
      captureStderr: false,
      maxSize: 2 ** 20,
      maxFiles: 2,
    });
  });

  test('two workers never share a log file unawares', () => {
    const text = `log_collection: {default_worker: {outputs: {separate: {stdout: [{type: file, path: all.log}]}}}}
workers: [{id: a, command: x}, {id: b, command: x}]`;
    const config = accept(text);
    expect(config.workers.map((spec) => spec.log.stdoutFile)).toEqual([
      '/log/workers/all.log',
      '/log/workers/b-stdout.log',
    ]);
    expect(config.warnings[0]?.message).toBe(
      'the log file /log/workers/all.log belongs to "a" already; /log/workers/b-stdout.log is used',
    );
  });
});

describe('text', () => {
  test('I12: what YAML calls a number or a word of truth stays the text that was written', () => {
    const { env } = accept(corpus('short')).workers.find((spec) => spec.id === 'api')?.command ?? {};
    expect(env).toEqual({ PORT: '8080', EMPTY: '', TIME: '22:30', MODE: '0o777', FLAG: 'NO', RATE: '1e3' });
    expect(worker('id: a\ncommand: [echo, 8080, true, 1.50, null, ~]').command.argv).toEqual([
      'echo',
      '8080',
      'true',
      '1.50',
      'null',
      '~',
    ]);
  });

  test('I11: variables are put in after parsing: a value stays one value', () => {
    const env = { SECRET: 'x: # "y"\n- z', HOST: 'db', N: '7' };
    const spec = worker(
      'id: a\ncommand: [run]\nenv:\n  A: ${SECRET}\n  B: "${UNSET:-a: b # c}"\n  C: $${SECRET}\n  D: "$1 ${HOST}"\nrestart: {max_retries: "${N}"}',
      { env },
    );
    expect(spec.command.env).toEqual({ A: 'x: # "y"\n- z', B: 'a: b # c', C: '${SECRET}', D: '$1 db' });
    expect(spec.restart.exit.maxRetries).toBe(7);
  });

  test('I9: Unicode and line breaks pass through arguments, variables and paths', () => {
    const spec = worker(
      'id: a\ncommand: ["/opt/größe/🚀", "a\\nb", "‮rtl"]\nenv: {X: "é\\ne\u0301"}\ncwd: /srv/ключ',
    );
    expect(spec.command).toMatchObject({
      argv: ['/opt/größe/🚀', 'a\nb', '‮rtl'],
      env: { X: 'é\ne\u0301' },
      cwd: '/srv/ключ',
    });
  });

  test('I7: constructor and toString are names like others', () => {
    expect(worker('id: constructor\ncommand: x\nenv: {constructor: "1", toString: "2"}').command.env).toEqual(
      { constructor: '1', toString: '2' },
    );
  });

  test('booleans may be written as the original’s reader took them', () => {
    for (const [text, value] of [
      ['yes', true],
      ['Off', false],
      ['TRUE', true],
      ['"false"', false],
    ] as const) {
      expect(worker(`id: a\ncommand: x\nenabled: ${text}`).enabled).toBe(value);
    }
  });
});

describe('paths', () => {
  const existing = (...paths: string[]) => ({ exists: (path: string) => paths.includes(path) });

  test('a relative program is looked for beside the file, then in the master’s working directory', () => {
    const argv0 = (paths: string[]) =>
      accept(managed('').replace('/bin/sleep', 'bin/app'), existing(...paths)).workers[0]?.command;
    expect(argv0(['/etc/hsu/bin/app', '/work/bin/app'])).toMatchObject({
      argv: ['/etc/hsu/bin/app'],
      cwd: '/etc/hsu/bin',
    });
    expect(argv0(['/work/bin/app'])).toMatchObject({ argv: ['/work/bin/app'], cwd: '/work/bin' });
    expect(argv0([])).toMatchObject({ argv: ['/etc/hsu/bin/app'], cwd: '/etc/hsu/bin' });
  });

  test('in the short form the worker’s own directory comes first, as in a shell', () => {
    const argv0 = (paths: string[]) =>
      worker('id: a\ncommand: ./app -x\ncwd: sub', existing('/etc/hsu/sub', ...paths)).command;
    expect(argv0(['/etc/hsu/sub/app', '/etc/hsu/app'])).toMatchObject({
      argv: ['/etc/hsu/sub/app', '-x'],
      cwd: '/etc/hsu/sub',
    });
    expect(argv0(['/etc/hsu/app'])).toMatchObject({ argv: ['/etc/hsu/app', '-x'], cwd: '/etc/hsu/sub' });
  });

  test('a name without a slash is left to PATH', () => {
    expect(worker('id: a\ncommand: app', existing()).command).toMatchObject({
      argv: ['app'],
      cwd: '/etc/hsu',
    });
  });

  test('a program or directory that is not there yet is a warning only', () => {
    const config = accept(
      'workers: [{id: a, command: /opt/x, cwd: /srv}, {id: b, command: /opt/x}]',
      existing(),
    );
    expect(config.warnings.map((issue) => issue.message)).toEqual([
      'the program /opt/x does not exist yet (2 times)',
      'the working directory /srv does not exist yet',
    ]);
  });
});

test.each(CORPUS)('the corpus file %s loads', (name) => {
  expect(load(corpus(name)).ok).toBe(true);
});

test('a byte order mark and lines that end as on Windows change nothing', () => {
  const text = corpus('managed');
  expect(accept(`\uFEFF${text}`).workers).toEqual(accept(text).workers);
  expect(accept(text.replaceAll('\n', '\r\n')).workers).toEqual(accept(text).workers);
});

test('an empty file and an empty list of workers are valid', () => {
  for (const text of ['', '# nothing', 'workers:', 'workers: []', '{}', 'master: {port: 1}']) {
    expect(accept(text).workers).toEqual([]);
  }
});

test('anchors and merge keys', () => {
  expect(accept(corpus('anchors')).workers).toMatchObject([
    { id: 'one', command: { argv: ['sleep', '1000'], env: { A: '1', B: '2' } }, restart: { mode: 'always' } },
    { id: 'two', command: { env: { A: '1', B: '3' } }, restart: { mode: 'always' } },
    { id: 'three', command: { argv: ['sleep', '1000'] }, restart: { exit: { delay: 1000 } } },
  ]);
});
