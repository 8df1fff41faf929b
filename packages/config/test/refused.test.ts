import { describe, expect, test } from 'vitest';
import { load, refusals } from './corpus.ts';

const control = (lines: string) => `workers:
  - id: a
    type: managed
    unit:
      managed:
        control:
          execution: {executable_path: /bin/x}
${lines.replace(/^/gm, '          ')}
`;
const health = (lines: string) =>
  `${control('restart_policy: always')}        health_check:\n${lines.replace(/^/gm, '          ')}\n`;

describe('ids', () => {
  test('I5: duplicate ids, ids that differ in case, with both lines', () => {
    expect(
      refusals(
        'workers:\n  - {id: web, command: x}\n  - {id: db, command: x}\n  - {id: web, command: y}\n  - {id: DB, command: y}\n',
      ),
    ).toMatchInlineSnapshot(`
      [
        "4:10 workers[2].id: the id "web" is there twice; first in line 2 (give each worker an id of its own)",
        "5:10 workers[3].id: the ids "DB" and "db" (line 3) differ in case only (give each worker an id of its own)",
      ]
    `);
  });

  test('I8: whatever could leave a directory, or is no plain word', () => {
    const ids = [
      '../x',
      'a/b',
      'a\\\\b',
      'con',
      'COM1',
      'nul',
      'a.',
      'a b',
      '%2e',
      '',
      'é',
      '🚀',
      'x'.repeat(65),
      'a\\n',
    ];
    const text = `workers:\n${ids.map((id) => `  - {id: "${id}", command: x}`).join('\n')}`;
    expect(refusals(text)).toMatchInlineSnapshot(`
      [
        "2:10 workers[0].id: "../x" is not an id (use letters A–Z a–z, digits, _ and -)",
        "3:10 workers[1].id: "a/b" is not an id (use letters A–Z a–z, digits, _ and -)",
        "4:10 workers[2].id: "a\\\\b" is not an id (use letters A–Z a–z, digits, _ and -)",
        "5:10 workers[3].id: "con" is the name of a device on Windows (choose another id)",
        "6:10 workers[4].id: "COM1" is the name of a device on Windows (choose another id)",
        "7:10 workers[5].id: "nul" is the name of a device on Windows (choose another id)",
        "8:10 workers[6].id: "a." is not an id (use letters A–Z a–z, digits, _ and -)",
        "9:10 workers[7].id: "a b" is not an id (use letters A–Z a–z, digits, _ and -)",
        "10:10 workers[8].id: "%2e" is not an id (use letters A–Z a–z, digits, _ and -)",
        "11:10 workers[9].id: is empty; it takes a worker id",
        "12:10 workers[10].id: "é" is not an id (use letters A–Z a–z, digits, _ and -)",
        "13:10 workers[11].id: "🚀" is not an id (use letters A–Z a–z, digits, _ and -)",
        "14:10 workers[12].id: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" is longer than 64 characters",
        "15:10 workers[13].id: contains a line break",
      ]
    `);
  });
});

describe('keys', () => {
  test('I5: a key twice, with both lines', () => {
    expect(
      refusals(
        'master:\n  port: 1\n  port: 2\nmaster: {}\nworkers:\n  - id: a\n    command: x\n    env: {A: 1, A: 2}\n',
      ),
    ).toMatchInlineSnapshot(`
      [
        "3:3 master.port: the key "port" is there twice; first in line 2 (keep one of the two)",
        "4:1 master: the key "master" is there twice; first in line 1 (keep one of the two)",
        "8:17 workers[0].env.A: the key "A" is there twice; first in line 8 (keep one of the two)",
      ]
    `);
  });

  test('I13: unknown keys, with what was probably meant', () => {
    const text = `workres: []
workers:
  - id: a
    comand: x
  - id: b
    command: x
    dependsOn: [a]
    environment: {}
    zzz: 1
  - id: c
    type: managed
    unit:
      managed:
        control:
          execution:
            executable_path: /bin/x
            arguments: [1]
            executablePath: y
          restartPolicy: always
`;
    expect(refusals(text)).toMatchInlineSnapshot(`
      [
        "1:1 workres: unknown key "workres" (did you mean "workers"?)",
        "4:5 workers[0].comand: unknown key "comand" (did you mean "command"?)",
        "7:5 workers[1].dependsOn: unknown key "dependsOn" (did you mean "depends_on"?)",
        "8:5 workers[1].environment: unknown key "environment" (did you mean "env"?)",
        "9:5 workers[1].zzz: unknown key "zzz"",
        "17:13 workers[2].unit.managed.control.execution.arguments: unknown key "arguments" (did you mean "args"?)",
        "18:13 workers[2].unit.managed.control.execution.executablePath: unknown key "executablePath" (did you mean "executable_path"?)",
        "19:11 workers[2].unit.managed.control.restartPolicy: unknown key "restartPolicy" (did you mean "restart_policy"?)",
      ]
    `);
  });

  test('I7: __proto__ is refused where names are free, and unknown elsewhere', () => {
    const text = `__proto__: {polluted: true}
workers:
  - id: a
    command: x
    constructor: 1
    env: {__proto__: "1"}
  - id: b
    command: x
    env: ["__proto__=1"]
    ready: {http: {url: "http://localhost/", headers: {__proto__: x}}}
`;
    expect(refusals(text)).toMatchInlineSnapshot(`
      [
        "1:1 __proto__: unknown key "__proto__" (known keys: master, api, log_collection, namespaces, groups, workers)",
        "5:5 workers[0].constructor: unknown key "constructor"",
        "6:11 workers[0].env.__proto__: is no name that can be used",
        "9:11 workers[1].env[0]: "__proto__" is no name that can be used",
        "10:56 workers[1].ready.http.headers.__proto__: is no name that can be used",
      ]
    `);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('both forms in one worker', () => {
    expect(refusals('workers:\n  - id: a\n    command: x\n    type: managed\n')).toMatchInlineSnapshot(`
      [
        "4:5 workers[0].type: "type" belongs to the long form, but "command" (line 3) to the short form (write a worker either with command and its companions, or with type and unit)",
      ]
    `);
  });

  test('missing keys', () => {
    expect(
      refusals(
        'workers:\n  - command: x\n  - id: b\n  - id: c\n    type: managed\n  - id: d\n    type: managed\n    unit: {managed: {}}\n  -\n',
      ),
    ).toMatchInlineSnapshot(`
      [
        "2:5 workers[0]: "id" is missing (id: Unique name: 1 to 64 letters, digits, _ and -; also unique when case is ignored.)",
        "3:5 workers[1]: "command" is missing (command: Program and arguments: a command line, split into words as a shell would, but without a shell; or a list of words.)",
        "4:5 workers[2]: "unit" is missing (unit: Exactly one block, the one that \`type\` names.)",
        "8:21 workers[3].unit.managed: "control" is missing (control: How the program is run.)",
        "9:4 workers[4]: "id" is missing (id: Unique name: 1 to 64 letters, digits, _ and -; also unique when case is ignored.)",
        "9:4 workers[4]: "command" is missing (command: Program and arguments: a command line, split into words as a shell would, but without a shell; or a list of words.)",
      ]
    `);
  });

  test('a unit that is not what its type says', () => {
    const unit = (body: string) => `workers: [{id: a, type: managed, unit: {${body}}}]`;
    const managed = 'managed: {control: {execution: {executable_path: x}}}';
    const unmanaged = 'unmanaged: {discovery: {method: port, port: 1}}';
    expect(
      [unit(unmanaged), unit(`${managed}, ${unmanaged}`), unit('')].flatMap((text) => refusals(text)),
    ).toMatchInlineSnapshot(`
      [
        "1:52 workers[0].unit.unmanaged: the type is managed, but unmanaged is given (write unit.managed)",
        "1:40 workers[0].unit: managed and unmanaged are given; a worker is one unit (write unit.managed)",
        "1:40 workers[0].unit: the type is managed, but "managed" is missing (write unit.managed)",
      ]
    `);
  });
});

describe('values', () => {
  test('what is wrong between keys beside what is wrong in one of them', () => {
    const long = control('context_aware_restart: {default: {retry_delay: 5s, max_delay: 1s}}\nlimits: 5');
    expect([
      refusals(`workers:
  - {id: a, command: "x | y", stop_timeout: soon}
  - {id: b, command: [], umask: 9}
  - {id: c, command: [x], shell: true, ready: ftp://x}
  - {id: d, command: x, umask: 9, restart: {delay: 1s, retry_delay: 1s}, ready: http://x, probes: {readiness: {tcp: ":1"}}}
`),
      refusals(long),
    ]).toMatchInlineSnapshot(`
      [
        [
          "2:22 workers[0].command: contains |, which only a shell understands (quote it if the program is to receive it, or set shell: true to have /bin/sh run the line)",
          "2:45 workers[0].stop_timeout: "soon" is not a duration (write it like 500ms, 10s, 1h30m or 7d)",
          "3:22 workers[1].command: is empty; it takes a program and its arguments",
          "3:33 workers[1].umask: "9" is not a file mode (write three octal digits: 022)",
          "4:22 workers[2].command: with shell: true the command is one line, not a list (write it as text, or leave out shell)",
          "4:47 workers[2].ready: "ftp://x" is nothing that can be checked (write http://host:port/path, https://…, tcp://host:port, grpc://host:port, or {exec: "program arguments"})",
          "5:32 workers[3].umask: "9" is not a file mode (write three octal digits: 022)",
          "5:52 workers[3].restart.delay: delay and retry_delay are two names of one thing (keep one)",
          "5:117 workers[3].probes.readiness.tcp: ":1" is not host:port",
        ],
        [
          "8:73 workers[0].unit.managed.control.context_aware_restart.default.max_delay: max_delay is shorter than retry_delay",
          "9:19 workers[0].unit.managed.control.limits: takes a map of keys to values, but "5" is given",
        ],
      ]
    `);
  });

  test('no second mistake is made of the first', () => {
    expect(
      refusals(`workers:
  - {id: a, command: [{}]}
  - {id: b, command: x && y, shell: perhaps}
  - {id: c, command: x, ready: {}, umask: 9}
  - {id: d, umask: 9}
  - {id: e, command: x, command: y | z}
  - {id: f, type: managed, unit: {managed: 5}}
  - {id: g, type: managed, unit: {managed: {control: 5}}}
  - {id: h, type: managed, unit: 5}
`),
    ).toMatchInlineSnapshot(`
      [
        "2:23 workers[0].command[0]: takes a string, but a map is given",
        "3:37 workers[1].shell: "perhaps" is neither true nor false",
        "4:32 workers[2].ready: says nothing to check (give one of http, tcp, grpc, exec, or type: process)",
        "4:43 workers[2].umask: "9" is not a file mode (write three octal digits: 022)",
        "5:5 workers[3]: "command" is missing (command: Program and arguments: a command line, split into words as a shell would, but without a shell; or a list of words.)",
        "5:20 workers[3].umask: "9" is not a file mode (write three octal digits: 022)",
        "6:25 workers[4].command: the key "command" is there twice; first in line 6 (keep one of the two)",
        "7:44 workers[5].unit.managed: takes a map of keys to values, but "5" is given",
        "8:54 workers[6].unit.managed.control: takes a map of keys to values, but "5" is given",
        "9:34 workers[7].unit: takes a map of keys to values, but "5" is given",
      ]
    `);
  });

  test('B6: NUL, line breaks and = where they cannot be; empty commands', () => {
    const text = `workers:
  - {id: a, command: ["x", "a\\0b"]}
  - {id: b, command: x, env: {"A=B": "1", "": "2", "A B": "3", "C\\n": "4", D: "a\\0"}}
  - {id: c, command: x, env: ["A", "=b", "A B=c"]}
  - {id: d, command: ""}
  - {id: e, command: []}
  - {id: f, command: [""]}
  - {id: g, command: "  "}
  - {id: h, command: "'' x"}
  - {id: i, command: x, cwd: "/a\\nb"}
  - {id: j, command: x, user: ""}
  - {id: k, command: [x, ]}
  - {id: l, command: [x, {}]}
`;
    expect(refusals(text)).toMatchInlineSnapshot(`
      [
        "2:28 workers[0].command[1]: contains a NUL character, which no program can be given",
        "3:31 workers[1].env["A=B"]: the name of the variable "A=B" contains "="",
        "3:43 workers[1].env[""]: the name of a variable is empty",
        "3:52 workers[1].env["A B"]: the name of the variable "A B" contains a blank or control character",
        "3:64 workers[1].env["C\\n"]: the name of the variable "C\\n" contains a blank or control character",
        "3:79 workers[1].env.D: contains a NUL character, which no program can be given",
        "4:31 workers[2].env[0]: "A" has no "=" (write NAME=value)",
        "4:36 workers[2].env[1]: the name of a variable is empty",
        "4:42 workers[2].env[2]: the name of the variable "A B" contains a blank or control character",
        "5:22 workers[3].command: is empty; it takes a program and its arguments",
        "6:22 workers[4].command: is empty; it takes a program and its arguments",
        "7:22 workers[5].command: names no program: its first word is empty",
        "8:22 workers[6].command: is empty; it takes a program and its arguments",
        "9:22 workers[7].command: names no program: its first word is empty",
        "10:30 workers[8].cwd: contains a line break",
        "11:31 workers[9].user: is empty; it takes a name or number",
        "13:26 workers[11].command[1]: takes a string, but a map is given",
      ]
    `);
  });

  test('what only a shell could do', () => {
    expect(
      refusals(
        'workers:\n  - {id: a, command: "x | y"}\n  - {id: b, command: "x $HOME"}\n  - {id: c, command: [x], shell: true}\n  - {id: d, command: x, probes: {liveness: {exec: "a && b"}}}',
      ),
    ).toMatchInlineSnapshot(`
      [
        "2:22 workers[0].command: contains |, which only a shell understands (quote it if the program is to receive it, or set shell: true to have /bin/sh run the line)",
        "3:22 workers[1].command: contains $HOME, which only a shell expands (write \${HOME} to insert it when the configuration is read, or set shell: true)",
        "4:22 workers[2].command: with shell: true the command is one line, not a list (write it as text, or leave out shell)",
        "5:51 workers[3].probes.liveness.exec: contains &&, which only a shell understands (give a list, ["/bin/sh", "-c", "…"], to have a shell run it)",
      ]
    `);
  });

  test('durations, sizes, numbers, words', () => {
    const text = `master: {log_level: verbose, force_shutdown_timeout: 30}
workers:
  - {id: a, command: x, stop_timeout: -1s, umask: 9, stop_signal: 15, enabled: maybe}
  - {id: b, command: x, restart: allways, stop_signal: SIGSTOP, success_exit_codes: [-1, a]}
  - {id: c, command: x, restart: {policy: on_failure, jitter: 2, max_retries: 1.5, window: 0, delay: 1d5x}}
  - {id: d, command: x, log: {max_size: 10 apples, max_files: -1}, on_daemonize: ignore}
  - {id: e, command: x, restart: {delay: 1s, retry_delay: 2s}}
  - {id: f, command: x, restart: {max_delay: 1s, retry_delay: 2s, cool_down: 1h, max_cool_down: 1s}}
  - {id: h, command: x, restart: no}
  - {id: g, command: {a: b}, cwd: [a], env: x, log: true, umask: {}}
`;
    expect(refusals(text)).toMatchInlineSnapshot(`
      [
        "1:21 master.log_level: "verbose" is none of debug, info, warn, error",
        "1:54 master.force_shutdown_timeout: 30 is a number without a unit (write 30s, 30ms or 30m)",
        "3:39 workers[0].stop_timeout: "-1s" is negative",
        "3:51 workers[0].umask: "9" is not a file mode (write three octal digits: 022)",
        "3:67 workers[0].stop_signal: 15 is a number (write the name: SIGTERM)",
        "3:80 workers[0].enabled: "maybe" is neither true nor false",
        "4:34 workers[1].restart: "allways" is none of never, on-failure, always, unless-stopped (did you mean "always"?)",
        "4:56 workers[1].stop_signal: SIGSTOP ends no process",
        "4:86 workers[1].success_exit_codes[0]: -1 is not a number from 0 to 4294967295",
        "4:90 workers[1].success_exit_codes[1]: "a" is not a whole number",
        "5:43 workers[2].restart.policy: "on_failure" is none of never, on-failure, always, unless-stopped (did you mean "on-failure"?)",
        "5:63 workers[2].restart.jitter: 2 is more than 1",
        "5:79 workers[2].restart.max_retries: "1.5" is not a whole number",
        "5:92 workers[2].restart.window: must be longer than 0",
        "5:102 workers[2].restart.delay: "1d5x" is not a duration (write it like 500ms, 10s, 1h30m or 7d)",
        "6:41 workers[3].log.max_size: "10 apples" is not a size (write bytes, or a unit: 64KiB, 100MB, 1GiB)",
        "6:63 workers[3].log.max_files: -1 is not a number from 0 to 10000",
        "6:82 workers[3].on_daemonize: "ignore" is none of kill, adopt",
        "7:42 workers[4].restart.delay: delay and retry_delay are two names of one thing (keep one)",
        "8:46 workers[5].restart.max_delay: max_delay is shorter than retry_delay",
        "8:97 workers[5].restart.max_cool_down: max_cool_down is shorter than cool_down",
        "9:34 workers[6].restart: "no" is none of never, on-failure, always, unless-stopped (did you mean "never"?)",
        "10:22 workers[7].command: takes a command line or a list, but a map is given",
        "10:35 workers[7].cwd: takes a path, but a list is given",
        "10:45 workers[7].env: takes a list or a map, but "x" is given",
        "10:53 workers[7].log: takes a map of keys to values, but "true" is given",
        "10:66 workers[7].umask: takes an octal mode, but a map is given",
      ]
    `);
  });

  test('the original’s health check', () => {
    const wrong = [
      'type: http\nhttp: {method: GET}\nrun_options: {interval: 5s, timeout: 1s}',
      'type: http\nrun_options: {interval: 5s, timeout: 1s}',
      'type: tcp\ntcp: {address: localhost}',
      'type: tcp\ntcp: {address: localhost, port: 70000}\nrun_options: {interval: 5s, timeout: 1s}',
      'type: process\nrun_options: {interval: 5s, timeout: 5s}',
      'type: ping\nrun_options: {interval: 5s}',
      'type: grpc\ngrpc: {address: localhost, service: a, method: b}\nrun_options: {interval: 5s, timeout: 1s}',
    ];
    expect(wrong.flatMap((lines) => refusals(health(lines)))).toMatchInlineSnapshot(`
      [
        "11:17 workers[0].unit.managed.health_check.http: "url" is missing (url: Address that must answer with a status from 200 to 299.)",
        "10:11 workers[0].unit.managed.health_check: the type is http, but "http" is missing",
        "10:11 workers[0].unit.managed.health_check.run_options: "interval" is missing (write run_options: {interval: 10s, timeout: 2s})",
        "10:11 workers[0].unit.managed.health_check.run_options: "timeout" is missing (write run_options: {interval: 10s, timeout: 2s})",
        "11:16 workers[0].unit.managed.health_check.tcp: "port" is missing",
        "11:43 workers[0].unit.managed.health_check.tcp.port: 70000 is not a number from 1 to 65535",
        "11:48 workers[0].unit.managed.health_check.run_options.timeout: timeout must be shorter than interval",
        "10:17 workers[0].unit.managed.health_check.type: "ping" is none of http, grpc, tcp, exec, process",
        "11:27 workers[0].unit.managed.health_check.grpc.address: "localhost" is not host:port",
      ]
    `);
  });

  test('probes', () => {
    const text = `workers:
  - {id: a, command: x, ready: "localhost:80"}
  - {id: b, command: x, ready: "http://"}
  - {id: c, command: x, ready: "tcp://localhost"}
  - {id: d, command: x, ready: {}}
  - {id: e, command: x, ready: {http: "http://x/", tcp: "x:1"}}
  - {id: f, command: x, ready: {type: tcp, http: "http://x/"}}
  - {id: g, command: x, ready: {type: exec}}
  - {id: h, command: x, ready: "tcp://x:1", probes: {readiness: "tcp://x:1"}}
  - {id: i, command: x, probes: {liveness: "tcp://x:1"}, health_check: {type: process, run_options: {interval: 2s, timeout: 1s}}}
  - {id: j, command: x, probes: {livenes: "tcp://x:1", startup: {exec: [], interval: 0, failure_threshold: 0}}}
`;
    expect(refusals(text)).toMatchInlineSnapshot(`
      [
        "2:32 workers[0].ready: "localhost:80" is nothing that can be checked (write http://host:port/path, https://…, tcp://host:port, grpc://host:port, or {exec: "program arguments"})",
        "3:32 workers[1].ready: "http://" is not a URL (write it like http://127.0.0.1:8080/health)",
        "4:32 workers[2].ready: "tcp://localhost" is not tcp://host:port",
        "5:32 workers[3].ready: says nothing to check (give one of http, tcp, grpc, exec, or type: process)",
        "6:57 workers[4].ready.tcp: http and tcp are given; a probe makes one check (keep one)",
        "7:39 workers[5].ready.type: the type is tcp, but http is given",
        "8:32 workers[6].ready: the type is exec, but "exec" is missing (give one of http, tcp, grpc, exec, or type: process)",
        "9:32 workers[7].ready: ready and probes.readiness are two names of one thing (keep one)",
        "10:44 workers[8].probes.liveness: health_check is liveness and readiness at once, and probes.liveness is given too (keep health_check, or write probes.liveness and probes.readiness)",
        "11:34 workers[9].probes.livenes: unknown key "livenes" (did you mean "liveness"?)",
        "11:86 workers[9].probes.startup.interval: must be longer than 0",
        "11:108 workers[9].probes.startup.failure_threshold: 0 is not a number of at least 1",
      ]
    `);
  });

  test('I11: a variable that is not set, by its name', () => {
    expect(
      refusals('workers:\n  - id: a\n    command: run ${PORT}\n    cwd: "${DIR}/${HOME"\n'),
    ).toMatchInlineSnapshot(`
      [
        "3:18 workers[0].command: the environment variable PORT is not set (set it, or give a default: \${PORT:-value})",
        "4:10 workers[0].cwd: the environment variable DIR is not set (set it, or give a default: \${DIR:-value})",
      ]
    `);
  });
});

describe('dependencies', () => {
  test('D9: circles, itself, what is not there', () => {
    const text = `workers:
  - {id: a, command: x, depends_on: [b]}
  - {id: b, command: x, depends_on: [c]}
  - {id: c, command: x, depends_on: [a, c]}
  - {id: d, command: x, depends_on: e}
  - {id: e, command: x, depends_on: [{id: d, condition: ready}]}
  - {id: f, command: x, depends_on: {id: g}}
  - {id: database, command: x, depends_on: [databse, A, e, e, {id: b, condition: healthy}, {condition: ready}]}
`;
    expect(refusals(text)).toMatchInlineSnapshot(`
      [
        "4:38 workers[2].depends_on[0]: workers depend on each other in a circle: a → b → c → a (remove one of these dependencies)",
        "4:41 workers[2].depends_on[1]: "c" depends on itself: c → c (remove it)",
        "6:38 workers[4].depends_on[0]: workers depend on each other in a circle: d → e → d (remove one of these dependencies)",
        "7:37 workers[5].depends_on[0]: "f" depends on "g", which is not defined (define it, or remove it here)",
        "8:45 workers[6].depends_on[0]: "database" depends on "databse", which is not defined (define it, or remove it here)",
        "8:54 workers[6].depends_on[1]: "database" depends on "A", which is not defined (did you mean "a"?)",
        "8:60 workers[6].depends_on[3]: "e" is named twice (keep one)",
        "8:82 workers[6].depends_on[4].condition: "healthy" is none of started, ready, completed",
        "8:92 workers[6].depends_on[5]: "id" is missing (id: Worker that must be there first.)",
      ]
    `);
  });
});

test('D9: of a long circle the middle is only counted', () => {
  const workers = Array.from(
    { length: 500 },
    (_, at) => `{id: w${at}, command: x, depends_on: [w${(at + 1) % 500}]}`,
  );
  const [message, ...others] = refusals(`workers: [${workers.join(', ')}]`);
  expect(others).toEqual([]);
  expect(message).toMatch(/circle: w0 → w1 → .* → w11 → … 487 more … → w499 → w0 /);
});

test('documents that are no configuration', () => {
  const documents = {
    'a list': '- a\n',
    'a text': 'hello\n',
    'workers as a map': 'workers:\n  web: {command: x}\n',
    'workers as a text': 'workers: web\n',
    'a worker as a text': 'workers: [web]\n',
    tabs: 'workers:\n\t- id: a\n',
    'an unquoted variable in braces': 'workers: [{id: a, command: ${CMD}}]\n',
    'an unquoted colon': 'workers:\n  - id: a\n    command: echo: b: c\n',
    'an unclosed quote': 'workers:\n  - id: "a\n    command: x\n',
    'names of HSU core': 'process_manager: {}\nmanaged_processes: []\n',
  };
  const refused = Object.entries(documents).map(([what, text]) => [what, refusals(text)]);
  expect(Object.fromEntries(refused)).toMatchInlineSnapshot(`
    {
      "a list": [
        "1:1 : a configuration is a map of keys to values, this is a list (begin with "workers:")",
      ],
      "a text": [
        "1:1 : a configuration is a map of keys to values, this is a single text (begin with "workers:")",
      ],
      "a worker as a text": [
        "1:11 workers[0]: takes a map of keys to values, but "web" is given",
      ],
      "an unclosed quote": [
        "4:1 : not valid YAML: a quote that was opened above is never closed",
      ],
      "an unquoted colon": [
        "3:14 : not valid YAML: Nested mappings are not allowed in compact mappings (a value that contains ": " must be quoted)",
      ],
      "an unquoted variable in braces": [
        "1:29 : not valid YAML: Unexpected flow-map-start at node end (inside [ ] and { } quote values with \${…}: "\${NAME}")",
      ],
      "names of HSU core": [
        "1:1 process_manager: unknown key "process_manager" (the key is called "master" here)",
        "2:1 managed_processes: unknown key "managed_processes" (the key is called "workers" here)",
      ],
      "tabs": [
        "2:1 : a tab is used for indentation (indent with spaces)",
      ],
      "workers as a map": [
        "2:3 workers: takes a list of workers (write each worker as an item: "- id: name")",
      ],
      "workers as a text": [
        "1:10 workers: takes a list of workers (write each worker as an item: "- id: name")",
      ],
    }
  `);
});

test('all mistakes of a file are reported together, in order, up to a bound', () => {
  const many = `workers:\n${Array.from({ length: 300 }, (_, index) => `  - {id: w${index}, comand: x}`).join('\n')}`;
  const result = load(many);
  expect(result.ok).toBe(false);
  if (result.ok) return;
  expect(result.issues).toHaveLength(101);
  expect(result.issues.map((issue) => issue.line)).toEqual([
    ...Array.from({ length: 100 }, (_, index) => index + 2),
    101,
  ]);
  expect(result.issues.at(-1)?.message).toBe('and 200 more errors');
});
