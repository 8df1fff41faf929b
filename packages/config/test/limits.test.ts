import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configDocs } from '../src/docs.ts';
import { describeConfig } from '../src/index.ts';
import { accept, corpus, refusals, warnings } from './corpus.ts';
import './properties.ts';

const limits = (body: string, worker = '') => {
  const spec = accept(`workers: [{id: a, command: x, limits: {${body}}${worker}}]`).workers[0];
  if (spec === undefined) throw new Error('no worker');
  return spec.limits;
};
const values = (body: string) => limits(body)?.values;
const refused = (...bodies: string[]) =>
  refusals(
    `workers:\n${bodies.map((body, id) => `  - {id: w${id}, command: x, limits: {${body}}}`).join('\n')}`,
  );
const told = (...bodies: string[]) =>
  bodies.flatMap((body) => warnings(`workers:\n  - {id: w, command: x, limits: {${body}}}`));
const of = (id: string, text = corpus('limits')) => {
  const spec = accept(text).workers.find((worker) => worker.id === id);
  if (spec === undefined) throw new Error(`no worker ${id}`);
  return spec;
};

describe('values', () => {
  test('the original’s keys mean what they meant, in plain numbers', () => {
    expect(of('original').limits?.values).toEqual({
      'memory.max_rss': 2 ** 29,
      'memory.max_virtual': 2 ** 30,
      'memory.max_swap': 2 ** 28,
      'cpu.max_cores': 1.5,
      'cpu.max_percent': 75,
      'cpu.max_time': 3_600_000,
      'cpu.weight': 100,
      'cpu.nice': 10,
      'io.weight': 100,
      'io.max_read_bps': 10 * 2 ** 20,
      'io.max_write_bps': 10 * 2 ** 20,
      'io.max_read_ops': 1000,
      'io.max_write_ops': 1000,
      'process.max_processes': 10,
      'process.max_file_descriptors': 1024,
      'process.max_child_processes': 5,
    });
  });

  test('numbers in the units of a human', () => {
    const { limits: api } = of('api');
    expect(api).toMatchObject({
      values: {
        'memory.max_rss': 512e6,
        'memory.high': 450e6,
        'memory.max_heap': 400e6,
        'memory.max_locked': 65_536,
        'cpu.max_percent': 150,
        'cpu.weight': 200,
        'cpu.nice': -5,
        'cpu.affinity': 5,
        'cpu.scheduler': 0,
        'io.max_write_bps': 20e6,
        'process.max_processes': 64,
        'process.max_core_size': 0,
        'process.oom_score_adj': -100,
        'process.no_new_privs': 1,
        'network.max_connections': 500,
        'storage.max_temp_size': 1e9,
        'storage.max_log_size': 2e9,
      },
      affinity: [0, 1, 2, 3, 5],
      scheduler: { policy: 'batch', priority: 0 },
      ioPaths: ['/home/me/data'],
      tempDirectory: '/etc/hsu/tmp',
      required: true,
      throttlePercent: 10,
      monitoring: { enabled: true, interval: 5000, retention: 7_200_000 },
      alerts: {
        exec: ['/etc/hsu/page', '--urgent'],
        webhook: 'https://hooks.example.com/hsu',
        timeout: 5000,
        every: 600_000,
      },
    });
    expect(of('real-time').limits).toMatchObject({
      values: {
        'memory.max_rss': 64e6,
        'cpu.scheduler': 10,
        'cpu.affinity': 3,
        'storage.max_temp_size': 1e9,
      },
      affinity: [2, 3, 7],
      scheduler: { policy: 'fifo', priority: 10 },
      tempDirectory: '/var/tmp/loop',
    });
    expect(of('half').limits?.values).toEqual({ 'cpu.max_cores': 0.5 });
    expect([of('original').limits?.ioPaths, of('half').limits?.ioPaths]).toEqual([['/bin'], []]);
  });

  test('what only Windows holds', () => {
    expect(values('memory: {max_working_set: 64MiB}, process: {no_desktop: true}')).toEqual({
      'memory.max_working_set': 64 * 2 ** 20,
      'process.no_desktop': 1,
    });
    expect(values('process: {no_desktop: false}')).toBe(undefined);
  });

  test('0 is no limit, where it has no meaning of its own', () => {
    expect(values('memory: {max_rss: 0, high: 0, max_virtual: 0}, cpu: {max_percent: 0}, priority: 0')).toBe(
      undefined,
    );
    expect(
      values(
        'memory: {max_rss: 1, max_swap: 0, max_locked: 0}, cpu: {nice: 0}, process: {max_core_size: 0, oom_score_adj: 0}',
      ),
    ).toEqual({
      'memory.max_rss': 1,
      'memory.max_locked': 0,
      'cpu.nice': 0,
      'process.max_core_size': 0,
      'process.oom_score_adj': 0,
    });
  });

  test('shares become the weight that the kernel makes of them: ordinary stays ordinary', () => {
    const weights = [2, 100, 512, 1024, 2048, 262_144].map(
      (shares) => values(`cpu_shares: ${shares}`)?.['cpu.weight'],
    );
    expect(weights).toEqual([1, 10, 50, 100, 200, 10_000]);
  });

  test('no limits are none, and sampling alone is something', () => {
    expect(limits('')).toBeNull();
    expect(limits('memory: {}')).toBeNull();
    expect(limits('monitoring: {interval: 1s}')).toMatchObject({
      values: {},
      monitoring: { interval: 1000 },
    });
    expect(of('one', corpus('anchors'))).toMatchObject({ limits: null, quotas: [] });
  });

  test('a size means the same in every unit', () => {
    const unit = fc.constantFrom(['', 1], ['B', 1], ['KB', 1e3], ['MB', 1e6], ['MiB', 2 ** 20], [
      'G',
      2 ** 30,
    ] as const);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), unit, (count, [name, factor]) => {
        const bytes = count * factor;
        expect(values(`memory: ${count}${name}, io: {max_read_bps: ${count}${name}/s}`)).toEqual({
          'memory.max_rss': bytes,
          'io.max_read_bps': bytes,
        });
      }),
      { numRuns: 60 },
    );
  });

  test('a set of CPUs is the same however it is written', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(64), { minLength: 1, maxLength: 9 }), (cpus) => {
        const sorted = [...new Set(cpus)].toSorted((a, b) => a - b);
        for (const written of [
          `"${cpus.join(',')}"`,
          `[${cpus.join(', ')}]`,
          `[${cpus.map((cpu) => `${cpu}-${cpu}`).join(', ')}]`,
        ])
          expect(limits(`cpu: {affinity: ${written}}`)?.affinity).toEqual(sorted);
      }),
      { numRuns: 60 },
    );
  });
});

describe('answers', () => {
  const answer = (body: string, family = 'memory' as 'memory' | 'cpu' | 'io') =>
    limits(`${family}: {${body}}, monitoring: {interval: 4s}`)?.responses[family];

  test('without a policy an excess is logged, of rates when two samples in a row saw it', () => {
    expect(answer('max_rss: 1')).toEqual({
      warning: null,
      spikeTolerance: 0,
      sustained: 0,
      steps: [{ policy: 'log', after: 0 }],
      adjust: { factor: 1.5, cap: 3 },
    });
    expect(answer('max_percent: 1', 'cpu')).toMatchObject({ spikeTolerance: 4000, sustained: 4000 });
    expect(answer('max_read_ops: 1', 'io')).toMatchObject({ spikeTolerance: 4000, sustained: 4000 });
    expect(limits('memory: 1')?.monitoring).toEqual({
      enabled: true,
      interval: 10_000,
      retention: 86_400_000,
    });
  });

  test('who says when an excess counts has said what a spike is', () => {
    expect(answer('max_percent: 1, sustained_time: 1s', 'cpu')).toMatchObject({
      spikeTolerance: 1000,
      sustained: 1000,
    });
    expect(answer('max_percent: 1, sustained_time: 9s', 'cpu')).toMatchObject({
      spikeTolerance: 4000,
      sustained: 9000,
    });
    expect(answer('max_percent: 1, spike_tolerance: 9s', 'cpu')).toMatchObject({
      spikeTolerance: 9000,
      sustained: 9000,
    });
    expect(answer('max_percent: 1, spike_tolerance: 0', 'cpu')).toMatchObject({
      spikeTolerance: 0,
      sustained: 0,
    });
  });

  test('the restart block of the original says both for all families', () => {
    const { responses } = of('original').limits ?? {};
    for (const family of ['memory', 'cpu', 'io', 'process'] as const)
      expect(responses?.[family]).toMatchObject({ spikeTolerance: 60_000, sustained: 300_000 });
  });

  test('an escalation, with the short names of its steps', () => {
    expect(of('api').limits?.responses).toMatchObject({
      memory: {
        warning: 0.8,
        spikeTolerance: 5000,
        sustained: 10_000,
        steps: [{ policy: 'restart_adjusted', after: 0 }],
        adjust: { factor: 1.25, cap: 2 },
      },
      cpu: {
        steps: [
          { policy: 'log', after: 0 },
          { policy: 'throttle', after: 60_000 },
          { policy: 'restart', after: 300_000 },
          { policy: 'immediate_kill', after: 300_000 },
        ],
      },
      network: { warning: 0.9, steps: [{ policy: 'alert', after: 0 }] },
      storage: { warning: null, steps: [] },
    });
  });

  test('restarts for an exceeded limit have a rule of their own', () => {
    const { restart } = of('original');
    expect(restart.resource).toMatchObject({ maxRetries: 6, delay: 4000, factor: 1.5 });
    expect(of('echo-server', corpus('managed')).restart.resource).toMatchObject({
      maxRetries: Math.trunc(5 * 1.5),
      delay: 30_000,
      factor: 1.5,
    });
    expect(of('half').restart.resource).toEqual(of('half').restart.exit);
  });

  test('alerts can be kept at home', () => {
    expect(
      limits('memory: {max_rss: 1, policy: alert}, alerts: {exec: x}, monitoring: {alerting_enabled: false}')
        ?.alerts,
    ).toBeNull();
    expect(limits('memory: {max_rss: 1, policy: alert}, alerts: {exec: [x, "a b"]}')?.alerts).toEqual({
      exec: ['x', 'a b'],
      webhook: null,
      timeout: 10_000,
      every: 300_000,
    });
  });
});

describe('what is refused', () => {
  test('numbers out of range or in the wrong unit', () => {
    expect(
      refused(
        'priority: 20',
        'priority: high',
        'cpu_shares: 300000',
        'memory: 50%',
        'memory: {max_rss: -1}',
        'memory: {max_rss: 1, warning_threshold: 120%}',
        'cpu: 500m',
        'cpu: much',
        'cpu: {max_percent: -5}',
        'cpu: {max_cores: 50%}',
        'cpu: {weight: 10001}',
        'cpu: {nice: -21}',
        'cpu: {affinity: 3-1}',
        'cpu: {affinity: all}',
        'cpu: {affinity: [0, 9000]}',
        'cpu: {scheduler: realtime}',
        'cpu: {scheduler: {policy: fifo, priority: 100}}',
        'cpu: {scheduler: {policy: rr, priority: 0}}',
        'cpu: {scheduler: {policy: batch, priority: 3}}',
        'io: {weight: 10001}',
        'io: {max_read_bps: 100Mbit/s}',
        'io: {max_read_ops: 5.5}',
        'process: {oom_score_adj: 1001}',
        'throttle_percent: 0',
        'monitoring: {interval: 10ms}',
      ),
    ).toMatchInlineSnapshot(`
      [
        "2:45 workers[0].limits.priority: "20" is not a number from -20 to 19 (the niceness goes from -20 (first) to 19 (last); 0 is ordinary)",
        "3:45 workers[1].limits.priority: "high" is not a whole number (the niceness goes from -20 (first) to 19 (last); 0 is ordinary)",
        "4:47 workers[2].limits.cpu_shares: 300000 is not a number from 0 to 262144",
        "5:43 workers[3].limits.memory: "50%" is not a size (write bytes, or a unit: 64KiB, 100MB, 1GiB)",
        "6:53 workers[4].limits.memory.max_rss: "-1" is not a size (write bytes, or a unit: 64KiB, 100MB, 1GiB)",
        "7:75 workers[5].limits.memory.warning_threshold: "120%" is more than 100 %",
        "8:40 workers[6].limits.cpu: "500m" is not a number of cores (write 0.5)",
        "9:40 workers[7].limits.cpu: "much" is not a number of cores (write it like 0.5 or 2)",
        "10:54 workers[8].limits.cpu.max_percent: "-5" is negative",
        "11:52 workers[9].limits.cpu.max_cores: "50%" is not a number of cores (write max_percent for percent)",
        "12:50 workers[10].limits.cpu.weight: 10001 is not a number from 0 to 10000",
        "13:48 workers[11].limits.cpu.nice: "-21" is not a number from -20 to 19 (the niceness goes from -20 (first) to 19 (last); 0 is ordinary)",
        "14:52 workers[12].limits.cpu.affinity: "3-1" runs backwards (write 1-3)",
        "15:52 workers[13].limits.cpu.affinity: "all" is not a set of CPUs (write it like 0-3,5)",
        "16:56 workers[14].limits.cpu.affinity[1]: there is no CPU 9000 (CPUs count from 0 to 8191)",
        "17:53 workers[15].limits.cpu.scheduler: "realtime" is none of other, batch, idle, fifo, round-robin",
        "18:78 workers[16].limits.cpu.scheduler.priority: "100" is not a number from 0 to 99 (fifo and round-robin take 1 (last) to 99 (first), the others none)",
        "19:76 workers[17].limits.cpu.scheduler.priority: round-robin takes a priority from 1 to 99",
        "20:79 workers[18].limits.cpu.scheduler.priority: batch takes no priority (write fifo or round-robin, or cpu.nice)",
        "21:49 workers[19].limits.io.weight: 10001 is not a number from 0 to 10000",
        "22:55 workers[20].limits.io.max_read_bps: "100Mbit/s" is not a number of bytes per second (write bytes: 1Mbit/s is 125KB/s)",
        "23:55 workers[21].limits.io.max_read_ops: "5.5" is not a number of operations per second (write it like 200, or 200/s)",
        "24:61 workers[22].limits.process.oom_score_adj: "1001" is not a number from -1000 to 1000 (oom_score_adj goes from -1000 (never killed) to 1000 (killed first))",
        "25:54 workers[23].limits.throttle_percent: "0" is not more than 0 %",
        "26:59 workers[24].limits.monitoring.interval: is shorter than a sample is worth (write at least 100ms)",
      ]
    `);
  });

  test('limits that contradict each other', () => {
    expect(
      refused(
        'memory: {max_rss: 1MB, high: 2MB}',
        'memory: {max_swap: 1MB}',
        'cpu_shares: 2048, cpu: {weight: 100}',
        'priority: 5, cpu: {nice: 5}',
        'storage: {max_temp_size: 1GB}',
        'required: true, network: {max_bandwidth: 1MB/s}',
      ),
    ).toMatchInlineSnapshot(`
      [
        "2:64 workers[0].limits.memory.high: high is more than max_rss, so it would never be reached (write less than max_rss)",
        "3:54 workers[1].limits.memory.max_swap: max_swap needs max_rss: swap is used for what memory does not hold (write max_rss too)",
        "4:47 workers[2].limits.cpu_shares: cpu_shares and cpu.weight are two names of one thing (keep one; 2048 shares are a weight of 200)",
        "5:45 workers[3].limits.priority: priority and cpu.nice are two names of one thing (keep one)",
        "6:60 workers[4].limits.storage.max_temp_size: max_temp_size needs temp_directory (write temp_directory, or give the worker a TMPDIR in its environment)",
        "7:76 workers[5].limits.network.max_bandwidth: no system can hold a tree of processes to a bandwidth, and limits.required is true (remove it)",
      ]
    `);
  });

  test('answers that make no sense', () => {
    expect(
      refused(
        'memory: {max_rss: 1, policy: reboot}',
        'memory: {max_rss: 1, policy: log, escalation: [{policy: log}]}',
        'memory: {max_rss: 1, escalation: []}',
        'memory: {max_rss: 1, escalation: [{policy: none}]}',
        'memory: {max_rss: 1, escalation: [{policy: log}, {policy: restart}]}',
        'memory: {max_rss: 1, escalation: [{policy: log}, {policy: restart, after: 0}]}',
        'memory: {max_rss: 1, escalation: [{policy: kill}, {policy: restart, after: 1m}]}',
        'memory: {max_rss: 1, escalation: [{policy: graceful_shutdown}, {policy: restart, after: 1m}]}',
        'memory: {max_rss: 1, escalation: [{after: 1m}]}',
        'memory: {max_rss: 1, spike_tolerance: 1m, sustained_time: 1s}',
        'memory: {max_rss: 1, policy: restart_adjusted, adjust: {factor: 1}}',
        'memory: {max_rss: 1, policy: restart_adjusted, adjust: {factor: 3, max_factor: 2}}',
        'alerts: {timeout: 1s}',
        'alerts: {exec: "x | y"}',
        'alerts: {exec: []}',
        'alerts: {webhook: "ftp://x"}',
        'alerts: {webhook: here}',
      ),
    ).toMatchInlineSnapshot(`
      [
        "2:64 workers[0].limits.memory.policy: "reboot" is not a policy (write one of none, log, alert, throttle, graceful_shutdown, immediate_kill, restart, restart_adjusted)",
        "3:81 workers[1].limits.memory.escalation: policy and escalation are given; an escalation is what an excess leads to (keep one)",
        "4:68 workers[2].limits.memory.escalation: has no steps (write policy: none for no answer at all)",
        "5:78 workers[3].limits.memory.escalation[0].policy: none is no step (remove it)",
        "6:84 workers[4].limits.memory.escalation[1]: "after" is missing (write how long the excess lasts after log: after: 1m)",
        "7:109 workers[5].limits.memory.escalation[1].after: 0 after log leaves that no time (write how long the excess lasts after log, not after its beginning: after: 1m)",
        "8:85 workers[6].limits.memory.escalation[1]: restart cannot come after immediate_kill, which ends the worker (put restart before it)",
        "9:98 workers[7].limits.memory.escalation[1]: restart cannot come after graceful_shutdown, which ends the worker (put restart before it)",
        "10:69 workers[8].limits.memory.escalation[0]: "policy" is missing (policy: What is done; \`warn\` is another name of log, \`kill\` of immediate_kill.)",
        "11:93 workers[9].limits.memory.sustained_time: sustained_time is shorter than spike_tolerance, within which an excess is none",
        "12:100 workers[10].limits.memory.adjust.factor: 1 is not more than 1",
        "13:115 workers[11].limits.memory.adjust.max_factor: max_factor is less than factor",
        "14:44 workers[12].limits.alerts: says nowhere to send an alert (write exec or webhook; event and log have it anyway)",
        "15:51 workers[13].limits.alerts.exec: contains |, which only a shell understands (give a list, ["/bin/sh", "-c", "…"], to have a shell run it)",
        "16:51 workers[14].limits.alerts.exec: names no program (write the program and its arguments)",
        "17:54 workers[15].limits.alerts.webhook: "ftp://x" is neither an http nor an https URL",
        "18:54 workers[16].limits.alerts.webhook: "here" is not a URL (write it like http://127.0.0.1:8080/health)",
      ]
    `);
  });

  test('the same in the long form, and beside other mistakes of the worker', () => {
    const text = `workers:
  - {id: a, type: managed, unit: {managed: {control: {execution: {executable_path: x}, limits: {memory: {max_swap: 1}}, graceful_timeout: soon}}}}
  - {id: b, command: x, stop_timeout: soon, limits: {memory: {max_swap: 1}}}
  - {id: c, command: x, limits: {memory: {max_swap: 1, max_rss: much}}}
`;
    expect(refusals(text)).toMatchInlineSnapshot(`
      [
        "2:116 workers[0].unit.managed.control.limits.memory.max_swap: max_swap needs max_rss: swap is used for what memory does not hold (write max_rss too)",
        "2:139 workers[0].unit.managed.control.graceful_timeout: "soon" is not a duration (write it like 500ms, 10s, 1h30m or 7d)",
        "3:39 workers[1].stop_timeout: "soon" is not a duration (write it like 500ms, 10s, 1h30m or 7d)",
        "3:73 workers[1].limits.memory.max_swap: max_swap needs max_rss: swap is used for what memory does not hold (write max_rss too)",
        "4:65 workers[2].limits.memory.max_rss: "much" is not a size (write bytes, or a unit: 64KiB, 100MB, 1GiB)",
      ]
    `);
  });
});

describe('what is allowed, but will surprise', () => {
  test('is told', () => {
    expect(
      told(
        'memory: {max_swap: 0}',
        'memory: 512',
        'memory: {max_rss: 32KB, max_virtual: 64, max_heap: 1}',
        'cpu: {max_percent: 50%, max_cores: 1}',
        'cpu: {scheduler: fifo, nice: 3}',
        'memory: {policy: restart}',
        'cpu: {weight: 200, policy: restart}',
        'memory: {max_rss: 1MB, warning_threshold: 0.8}',
        'memory: {max_rss: 1MB, warning_threshold: 80, policy: none}',
        'memory: {max_rss: 1MB, adjust: {factor: 2}}',
        'memory: {max_rss: 1MB, policy: restart}, monitoring: {enabled: false}',
        'cpu: {max_percent: 10, policy: throttle}',
        'memory: {max_rss: 1MB}, alerts: {exec: x}',
        'network: {max_bandwidth: 1MB/s}',
        'storage: {temp_directory: /tmp/x}',
        'memory_limits: {max_rss: 1}, max_open_files: 5',
      ),
    ).toMatchInlineSnapshot(`
      [
        "2:53 workers[0].limits.memory.max_swap: 0 is no limit; without max_rss nothing limits the swap",
        "2:42 workers[0].limits.memory.max_rss: 512B is less than any program needs to start (write a unit: 512MB)",
        "2:52 workers[0].limits.memory.max_rss: 31.3KiB is less than any program needs to start (write a unit: 512MB)",
        "2:71 workers[0].limits.memory.max_virtual: 64B is less than any program needs to start (write a unit: 512MB)",
        "2:85 workers[0].limits.memory.max_heap: 1B is less than any program needs to start (write a unit: 512MB)",
        "2:69 workers[0].limits.cpu.max_cores: max_percent and max_cores say different things: the smaller holds (keep one)",
        "2:63 workers[0].limits.cpu.nice: nice means nothing to the classes fifo and round-robin",
        "2:51 workers[0].limits.memory.policy: answers nothing, because no limit beside it can be exceeded",
        "2:61 workers[0].limits.cpu.policy: answers nothing, because no limit beside it can be exceeded",
        "2:76 workers[0].limits.memory.warning_threshold: means less than one percent of the limit (write 80 or 80% for four fifths of it)",
        "2:76 workers[0].limits.memory.warning_threshold: is not warned of, because policy none says nothing at all (write policy: log)",
        "2:65 workers[0].limits.memory.adjust: not used, because no policy is restart_adjusted",
        "2:65 workers[0].limits.memory.policy: is not acted on, because monitoring.enabled is false; what the kernel enforces holds nevertheless (write monitoring.enabled: true)",
        "2:33 workers[0].limits.throttle_percent: throttle leaves 20 %, and max_percent allows no more anyway (write a smaller throttle_percent)",
        "2:66 workers[0].limits.alerts: nothing is sent, because no policy is alert",
        "2:59 workers[0].limits.network.max_bandwidth: no system can hold a tree of processes to a bandwidth: it stays without effect",
        "2:60 workers[0].limits.storage.temp_directory: not used, because max_temp_size is not given",
        "2:34 workers[0].limits.memory_limits: ignored, as it always was: this key appears in documents only (write memory)",
        "2:63 workers[0].limits.max_open_files: ignored, as it always was: this key appears in documents only (write process.max_file_descriptors)",
      ]
    `);
  });

  test('is not said of what agrees', () => {
    expect(
      told('cpu: {max_percent: 150%, max_cores: 1.5}', 'monitoring: {enabled: false}, memory: 1MB'),
    ).toEqual([]);
  });
});

describe('groups and namespaces', () => {
  const GROUPS = `namespaces: {prod: {limits: {memory: 2GB}}, test: {limits: {memory: 1GB}}}
groups:
  web: {limits: {memory: 1GB, cpu: 150%, process: {max_processes: 100}}}
  plain: {description: No limits}
`;

  test('a worker shares the budgets of its namespace and its group, the namespace outermost', () => {
    const { workers } = accept(`${GROUPS}workers:
  - {id: a, command: x, namespace: prod, worker_group: web}
  - {id: b, command: x, namespace: prod, worker_group: web}
  - {id: c, command: x, worker_group: plain}
  - {id: d, command: x, namespace: elsewhere}
  - {id: e, type: managed, namespace: test, unit: {managed: {control: {execution: {executable_path: x}}}}}
`);
    expect(workers.map(({ quotas }) => quotas.map(({ kind, id }) => `${kind} ${id}`))).toEqual([
      ['namespace prod', 'group web'],
      ['namespace prod', 'group web'],
      [],
      [],
      ['namespace test'],
    ]);
    expect(workers[0]?.quotas).toBe(workers[1]?.quotas);
    expect(workers[0]?.quotas[1]?.limits).toMatchObject({
      values: { 'memory.max_rss': 1e9, 'cpu.max_percent': 150, 'process.max_processes': 100 },
      monitoring: { enabled: false },
      alerts: null,
    });
    expect(of('api').quotas[1]?.limits).toMatchObject({
      values: { 'cpu.weight': 50, 'io.max_write_bps': 50e6, 'io.max_read_ops': 1000, 'memory.high': 1.8e9 },
      ioPaths: ['/etc/hsu/data', '/var/lib'],
    });
  });

  test('names that are not there, and limits that cannot be shared, are refused', () => {
    const text = `${GROUPS}  cache:
    limits:
      priority: 5
      memory: {max_virtual: 1GB, policy: restart}
      cpu: {max_time: 1h, nice: 5}
      io: {max_read_bps: 1MB/s}
      process: {max_file_descriptors: 5}
      network: {max_connections: 5}
      monitoring: {interval: 1s}
  swap: {limits: {memory: {max_swap: 1GB}, io: {max_read_bps: 1MB/s}}}
  "a b": {}
workers:
  - {id: a, command: x, worker_group: wbe}
  - {id: b, command: x, worker_group: something}
  - {id: c, command: x, namespace: prdo, stop_timeout: soon}
  - {id: d, command: x, group: web}
  - {id: e, command: x, namespace: "a b"}
  - {id: f, type: managed, group: web, unit: {managed: {control: {execution: {executable_path: x}}}}}
  - {id: g, command: x, group: web, worker_group: web}
`;
    expect(refusals(text)).toMatchInlineSnapshot(`
      [
        "7:7 groups.cache.limits.priority: unknown key "priority" (it holds for each process by itself: write it in the limits of the workers)",
        "8:16 groups.cache.limits.memory.max_virtual: unknown key "max_virtual" (it holds for each process by itself: write it in the limits of the workers)",
        "8:34 groups.cache.limits.memory.policy: unknown key "policy" (the kernel holds a group to its limits; policies belong to the limits of the workers)",
        "9:13 groups.cache.limits.cpu.max_time: unknown key "max_time" (it is watched worker by worker: write it in the limits of the workers)",
        "9:27 groups.cache.limits.cpu.nice: unknown key "nice" (it holds for each process by itself: write it in the limits of the workers)",
        "11:17 groups.cache.limits.process.max_file_descriptors: unknown key "max_file_descriptors" (it holds for each process by itself: write it in the limits of the workers)",
        "12:7 groups.cache.limits.network: unknown key "network" (it is watched worker by worker: write it in the limits of the workers)",
        "13:7 groups.cache.limits.monitoring: unknown key "monitoring" (write it in the limits of the workers)",
        "14:38 groups.swap.limits.memory.max_swap: max_swap needs max_rss: swap is used for what memory does not hold (write max_rss too)",
        "14:63 groups.swap.limits.io.max_read_bps: "paths" is missing: several workers have no one directory whose device max_read_bps could be for (write paths: [/var/lib])",
        "15:3 groups["a b"]: "a b" is not an id (use letters A–Z a–z, digits, _ and -)",
        "17:39 workers[0].worker_group: the group "wbe" is not defined (did you mean "web"?)",
        "18:39 workers[1].worker_group: the group "something" is not defined (define it: groups: {something: {limits: …}})",
        "19:36 workers[2].namespace: the namespace "prdo" is not defined, but "prod" is (did you mean "prod"? If not, define it too: namespaces: {prdo: {}})",
        "19:56 workers[2].stop_timeout: "soon" is not a duration (write it like 500ms, 10s, 1h30m or 7d)",
        "20:32 workers[3].group: "web" is a group of workers, but group is the group of the user that the program runs as (write worker_group: web)",
        "21:36 workers[4].namespace: "a b" is not an id (use letters A–Z a–z, digits, _ and -)",
        "22:28 workers[5].group: "group" belongs to the short form, but "type" (line 22) to the long form (write a worker either with command and its companions, or with type and unit)",
      ]
    `);
  });

  test('a worker that is allowed more than all of its group, and a group that there is twice, are told of', () => {
    const text = `${GROUPS}workers:
  - {id: a, command: x, namespace: prod, worker_group: web, limits: {memory: 3GB, cpu: 2, process: {max_processes: 200}}}
  - {id: b, command: x, namespace: test, worker_group: web, limits: {memory: 100MB, cpu: 100%}}
  - {id: c, type: managed, namespace: test, unit: {managed: {control: {execution: {executable_path: x}, limits: {memory: {max_rss: 1500MB}}}}}}
`;
    expect(warnings(text)).toMatchInlineSnapshot(`
      [
        "6:78 workers[0].limits.memory.max_rss: 3GB is more than all workers of the group "web" have together: 1GB",
        "6:78 workers[0].limits.memory.max_rss: 3GB is more than all workers of the namespace "prod" have together: 2GB",
        "6:88 workers[0].limits.cpu.max_cores: 2 cores is more than all workers of the group "web" have together: 150%",
        "6:116 workers[0].limits.process.max_processes: 200 is more than all workers of the group "web" have together: 100",
        "7:56 workers[1].worker_group: the group "web" has workers in several namespaces with limits; in each it has its limits anew (name one group per namespace)",
        "8:132 workers[2].unit.managed.control.limits.memory.max_rss: 1500MB is more than all workers of the namespace "test" have together: 1GB",
      ]
    `);
  });
});

test('what a configuration means says its limits', () => {
  const text = describeConfig(accept(corpus('limits')));
  const lines = text
    .split('\n')
    .filter((line) =>
      /^( {2}(memory|cpu|io|process|network|storage|required|monitoring|alerts|shares) |group|namespace)/.test(
        line,
      ),
    );
  expect(lines).toMatchInlineSnapshot(`
    [
      "  memory       max_rss 512MiB, max_swap 256MiB, max_virtual 1GiB; warning at 80 %; excess: restart after 5m",
      "  cpu          max_percent 75%, max_cores 1.5, weight 100, max_time 1h, nice 10; warning at 70 %; excess: log after 5m",
      "  io           weight 100, max_read_bps 10MiB/s, max_write_bps 10MiB/s, max_read_ops 1000/s, max_write_ops 1000/s; warning at 80 %; excess: throttle after 5m",
      "  process      max_processes 10, max_file_descriptors 1024, max_child_processes 5; warning at 80 %; excess: graceful_shutdown after 5m",
      "  memory       max_rss 512MB, high 450MB, max_heap 400MB, max_locked 64KiB; warning at 80 %; excess: restart_adjusted (×1.25 to ×2) after 10s",
      "  cpu          max_percent 150%, weight 200, nice -5, affinity 0-3,5, scheduler batch; excess: log after 5s, throttle 1m later, restart 5m later, immediate_kill 5m later",
      "  io           max_write_bps 20MB/s; excess: log after 5s",
      "  process      max_processes 64, max_core_size 0B, oom_score_adj -100, no_new_privs yes; excess: alert",
      "  network      max_connections 500; warning at 90 %; excess: alert",
      "  storage      max_temp_size 1GB, max_log_size 2GB",
      "  required     every limit, or it is not started",
      "  alerts       run /etc/hsu/page --urgent, POST https://hooks.example.com/hsu",
      "  shares       namespace prod, group web",
      "  memory       max_rss 64MB; excess: log",
      "  cpu          affinity 2-3,7, scheduler fifo 10",
      "  storage      max_temp_size 1GB; excess: log",
      "  cpu          max_cores 0.5; excess: log after 10s",
      "namespace prod: memory max_rss 8GB; cpu max_percent 400%",
      "group web: memory max_rss 2GB, high 1800MB; cpu max_percent 300%, max_cores 3, weight 50; io weight 50, max_read_bps 100MB/s, max_write_bps 50MB/s, max_read_ops 1000/s, max_write_ops 500/s; process max_processes 500",
    ]
  `);
  expect(describeConfig(accept('workers: [{id: a, command: x}]'))).not.toMatch(/memory|shares/);
});

test('the examples of the reference load without a word', () => {
  const examples = [...configDocs().matchAll(/^```yaml\n([^]*?)^```$/gm)].map((match) => match[1] as string);
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) expect(warnings(example, { env: { LOKI_TOKEN: 'x' } })).toEqual([]);
});

test('any text in place of a number is answered', () => {
  const text = fc.string({ unit: fc.constantFrom(...Array.from('0159.%-,eE/sKMGib _x')), maxLength: 8 });
  const key = fc.constantFrom(
    'memory: {max_rss: #}',
    'memory: #',
    'cpu: #',
    'cpu: {max_percent: #}',
    'cpu: {max_cores: #}',
    'cpu: {affinity: #}',
    'cpu: {affinity: [#]}',
    'io: {max_read_bps: #}',
    'io: {max_read_ops: #}',
    'priority: #',
    'memory: {warning_threshold: #}',
  );
  fc.assert(
    fc.property(text, key, (written, where) => {
      const body = where.replace('#', JSON.stringify(written));
      if (refused(body).length > 0) return;
      for (const value of Object.values(values(body) ?? {})) {
        expect(Number.isFinite(value)).toBe(true);
        if (!where.startsWith('priority')) expect(value).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 500 },
  );
});
