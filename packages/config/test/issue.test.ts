import { describe, expect, test } from 'vitest';
import { describeConfig, formatIssue } from '../src/index.ts';
import { accept, corpus, load } from './corpus.ts';

const first = (text: string) => {
  const result = load(text);
  const issue = result.ok ? result.config.warnings[0] : result.issues[0];
  if (issue === undefined) throw new Error('no issue');
  return issue;
};

describe('formatIssue', () => {
  test('shows the place as compilers do, the line with a caret, and the hint', () => {
    expect(formatIssue(first('workers:\n  - id: a\n    comand: x\n'))).toMatchInlineSnapshot(`
      "/etc/hsu/config.yaml:3:5: error: workers[0].comand: unknown key "comand"
        3 |     comand: x
          |     ^
        hint: did you mean "command"?"
    `);
  });

  test('cuts long lines around the place', () => {
    const text = formatIssue(
      first(`workers: [{id: a, command: x, env: {${'A'.repeat(300)}: "1"}, zzz: 1, ${'B'.repeat(300)}: 2}]`),
    );
    for (const line of text.split('\n').slice(1, 3)) expect(line.length).toBeLessThan(140);
    expect(text).toMatch(/zzz: 1/);
  });

  test('colours only when asked', () => {
    const issue = first('a: 1\n');
    expect(formatIssue(issue, { colour: true })).toContain('\u001B[31merror:\u001B[0m');
    expect(formatIssue(issue, { colour: false })).not.toContain('\u001B');
  });

  test('control characters of the file do not reach the terminal', () => {
    expect(formatIssue(first('a\u001B[31m: "\u0007"\n'))).not.toMatch(/[^\n\P{Cc}]/u);
  });
});

describe('describeConfig', () => {
  test('says what was understood', () => {
    expect(describeConfig(accept(corpus('short')))).toMatchInlineSnapshot(`
      "/etc/hsu/config.yaml: valid, 5 workers

      web
        command      node server.js
        directory    /etc/hsu
        restart      after a failure: after 1s growing ×2 to 5m, 5 times within 1m, then a pause of 1m
        readiness    GET http://127.0.0.1:8080/health every 1s, within 1s, 3 failed in a row = bad
        stop         SIGTERM, after 20s SIGKILL
        output       /log/workers/web-stdout.log, /log/workers/web-stderr.log (10 old files of 100MB)

      db
        command      postgres -D '/var/lib/pg data'
        directory    /etc/hsu
        runs as      postgres
        groups       ssl-cert
        umask        077
        restart      after a failure: after 1s growing ×2 to 5m, 5 times within 1m, then a pause of 1m
        readiness    run pg_isready -q every 500ms, within 1s, 3 failed in a row = bad
        stop         SIGINT, after 1m SIGKILL
        output       /log/workers/db-stdout.log, /log/workers/db-stderr.log (3 old files of 10MB)

      migrate
        command      /bin/sh -c 'set -e\\necho "$HOME" | tee /tmp/home\\n'
        directory    /etc/hsu
        restart      never
        depends on   db (ready)
        stop         SIGTERM, after 20s SIGKILL
        output       /log/workers/migrate-stdout.log, /log/workers/migrate-stderr.log (10 old files of 100MB)

      api
        command      api --name 'a b' '*'
        directory    /home/me/api
        environment  PORT, EMPTY, TIME, MODE, FLAG, RATE
        restart      after every exit: at once, without bound
        depends on   db (ready), migrate (completed), web (started, restarts with it)
        startup      TCP 127.0.0.1:9000 every 10s, within 1s, 30 failed in a row = bad
        liveness     HEAD https://[::1]:9000/live every 5s, within 500ms, 3 failed in a row = bad
        stop         SIGTERM, after 20s SIGKILL
        output       /log/workers/api-stdout.log, /log/workers/api-stderr.log (10 old files of 100MB)

      nginx
        command      nginx
        directory    /etc/hsu
        restart      after a failure: after 1s growing ×2 to 5m, 5 times within 1m, then a pause of 1m; success is exit 0, 143
        main process from /run/nginx.pid within 5s
        stop         SIGTERM, after 20s SIGKILL
        output       /log/workers/nginx-stdout.log, /log/workers/nginx-stderr.log (10 old files of 100MB)

      start order: web, db, migrate, api, nginx

      stopping everything takes at most 30s"
    `);
  });

  test('tells units of all kinds', () => {
    expect(describeConfig(accept(corpus('kinds')))).toMatchInlineSnapshot(`
      "/etc/hsu/config.yaml: valid, 2 workers, 1 not enabled

      integrated-service – Integrated
        command      /etc/hsu/service --verbose
        directory    /etc/hsu
        restart      after a failure: after 5s growing ×1.5 to 5m, 3 times within 10m, then a pause of 1m
        liveness     gRPC Ping of its port every 30s, within 5s, 2 failed in a row = bad
        readiness    gRPC health of its port every 1s, within 1s, 2 failed in a row = bad
        stop         SIGTERM, after 20s SIGKILL
        output       /log/workers/integrated-service-stdout.log, /log/workers/integrated-service-stderr.log (10 old files of 100MB)

      nginx
        process      started by others: pid file /run/nginx.pid
        looked for   every 30s while it is not there
        may be ended no
        may restart  no
        signals      SIGHUP
        liveness     TCP 127.0.0.1:80 every 10s, within 2s, 2 failed in a row = bad
        readiness    TCP 127.0.0.1:80 every 10s, within 2s, 2 failed in a row = bad

      grpc-service – grpc (not enabled)
        command      /bin/sleep 1000
        directory    /bin
        restart      after a failure: after 5s growing ×1.5 to 5m, 3 times within 10m, then a pause of 1m
        liveness     gRPC CoreService/Ping of localhost:50051 every 10s, within 2s, 2 failed in a row = bad
        readiness    gRPC CoreService/Ping of localhost:50051 every 10s, within 2s, 2 failed in a row = bad
        stop         SIGTERM, after 20s SIGKILL
        output       /log/workers/grpc-service-stdout.log, /log/workers/grpc-service-stderr.log (10 old files of 100MB)

      stopping everything takes at most 30s"
    `);
  });
});
