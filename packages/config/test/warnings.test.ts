import { expect, test } from 'vitest';
import { accept, CORPUS, corpus, warnings } from './corpus.ts';

test.each(CORPUS)('what %s is told', (name) => {
  expect(warnings(corpus(name))).toMatchSnapshot();
});

test('keys that only documents show are named once, wherever they stand', () => {
  const text = `restart_circuit_breaker: {max_retries: 3}
master: {logging: {level: debug}, log_collection: true}
log_collection: {aggregation: {mode: both}, output: {console: true}}
workers:
  - id: a
    log_config: {}
    type: managed
    unit: &unit
      managed:
        control:
          executable: x
          restart: {policy: always}
          execution: {executable_path: x, command: y}
          process_file: {base_directory: /x}
          limits: {memory: {limit_bytes: 1}, cpu: {limit_percent: 1}}
        health_check: {http_endpoint: /x, failure_threshold: 3}
  - id: b
    type: managed
    unit: *unit
`;
  expect(warnings(text)).toMatchInlineSnapshot(`
    [
      "1:1 restart_circuit_breaker: ignored, as it always was: this key appears in documents only (write unit.managed.control.context_aware_restart in each worker)",
      "2:10 master.logging: ignored, as it always was: this key appears in documents only (write log_level)",
      "2:35 master.log_collection: ignored, as it always was: this key appears in documents only (write log_collection at the top level)",
      "3:18 log_collection.aggregation: ignored, as it always was: this key appears in documents only (remove it)",
      "3:45 log_collection.output: ignored, as it always was: this key appears in documents only (write outputs)",
      "6:5 workers[0].log_config: ignored, as it always was: this key appears in documents only (write unit.managed.control.log_collection)",
      "11:11 workers[].unit.managed.control.executable: ignored, as it always was: this key appears in documents only (2 times) (write execution.executable_path)",
      "12:11 workers[].unit.managed.control.restart: ignored, as it always was: this key appears in documents only (2 times) (write restart_policy and context_aware_restart)",
      "13:43 workers[].unit.managed.control.execution.command: ignored, as it always was: this key appears in documents only (2 times) (write executable_path and args, or use the short form)",
      "14:26 workers[].unit.managed.control.process_file.base_directory: ignored, as it always was: this key appears in documents only (2 times) (the original reads basedirectory)",
      "15:29 workers[].unit.managed.control.limits.memory.limit_bytes: ignored, as it always was: this key appears in documents only (2 times) (write max_rss)",
      "15:52 workers[].unit.managed.control.limits.cpu.limit_percent: ignored, as it always was: this key appears in documents only (2 times) (write max_percent)",
      "16:24 workers[].unit.managed.health_check.http_endpoint: ignored, as it always was: this key appears in documents only (2 times) (write type: http and http.url)",
      "16:43 workers[].unit.managed.health_check.failure_threshold: ignored, as it always was: this key appears in documents only (2 times) (write run_options.retries, or use probes)",
    ]
  `);
});

test('one warning per key, however many workers have it, with its lines', () => {
  const worker = (id: number) =>
    `  - {id: w${id}, type: managed, unit: {managed: {control: {execution: {executable_path: x, wait_delay: 5s}}}}}`;
  const text = `workers:\n${Array.from({ length: 20 }, (_, id) => worker(id)).join('\n')}`;
  expect(warnings(text)).toMatchInlineSnapshot(`
    [
      "2:88 workers[].unit.managed.control.execution.wait_delay: accepted, but without effect: output is read until its end (20 times: lines 2, 3, 4, 5, 6, 7, 8, 9 and 12 more)",
    ]
  `);
});

test('a value that nobody uses needs no variable', () => {
  expect(
    accept('log_collection: {system: {metrics: {enabled: "${UNSET}", interval: "${UNSET}"}}}').warnings,
  ).toHaveLength(2);
});

test('what is allowed, but will surprise', () => {
  const text = `log_collection: {enabled: false}
workers:
  - {id: off, command: x, enabled: false}
  - {id: loop, command: x, restart: always}
  - {id: plain, command: x, depends_on: [off, {id: loop, condition: completed}]}
  - {id: late, command: x, depends_on: [{id: plain, condition: ready}, ext], env: [A=1, A=2], restart: {factor: 0.5}}
  - {id: ext, type: unmanaged, unit: {unmanaged: {discovery: {method: port, port: 80}}}}
  - {id: check, command: x, health_check: {tcp: {address: a, port: 1}}}
  - {id: other, command: x, health_check: {type: process, tcp: {address: a, port: 1}, run_options: {interval: 2s, timeout: 1s}}}
`;
  expect(warnings(text)).toMatchInlineSnapshot(`
    [
      "5:42 workers[2].depends_on[0]: waits until "off" is started by hand, since it is not enabled",
      "5:47 workers[2].depends_on[1]: "loop" is started again after every exit (restart policy always), though this worker waits for its end (give "loop" the restart policy on-failure)",
      "6:41 workers[3].depends_on[0]: "plain" has no probe that could say it is ready; it counts as ready once it is started",
      "6:83 workers[3].env: the variable A is set twice; the last one counts",
      "6:113 workers[3].restart.factor: a factor below 1 would shorten the delay with each failure; taken as 1",
      "8:49 workers[5].health_check.tcp: not used, because no type is set",
      "9:64 workers[6].health_check.tcp: not used, because the type is process",
    ]
  `);
});
