import type { LimitsSpec } from '@hsu-master/core';
import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import type { HsuError } from '../src/index.ts';
import { it, type Stage } from './drive.ts';
import { embed } from './embedded.ts';

const NAME = 'process.max_file_descriptors';

/** A worker with one limit that any user can be held to. */
function embedLive(stage: Stage) {
  const limits = { process: { max_file_descriptors: 64 } };
  const worker = { id: 'live', command: creature('print', 'up', 'sleep'), limits };
  return embed(stage, [worker], { containment: 'off' });
}

describe.concurrent('limits that a program gives', () => {
  it('are refused with their code before anything changes', async ({ stage }) => {
    await using app = embedLive(stage);
    const { master } = app;
    const written = master.config.workers[0]?.limits as LimitsSpec;
    const { memory } = written.responses;
    const refusal = (given: unknown): string => {
      try {
        master.setLimits('live', given as LimitsSpec);
      } catch (error) {
        return `${(error as HsuError).code} ${(error as HsuError).message}`;
      }
      return 'accepted';
    };
    const valued = (name: string, value: unknown) => refusal({ ...written, values: { [name]: value } });
    const answered = (differs: object) =>
      refusal({ ...written, responses: { ...written.responses, memory: { ...memory, ...differs } } });
    await master.startWorker('live');
    expect(refusal({ values: 1 })).toBe('E_USAGE setLimits: values takes an object');
    expect(refusal(null)).toBe('E_USAGE setLimits: limits takes an object');
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, null, '64MiB', 0, 1.5])
      expect(valued('memory.max_rss', value)).toMatch(
        /^E_USAGE setLimits: values\["memory\.max_rss"\] takes /,
      );
    expect(valued('memory.rss', 1)).toBe('E_USAGE setLimits: values["memory.rss"] takes the name of a limit');
    expect(valued('cpu.nice', 20)).toBe(
      'E_USAGE setLimits: values["cpu.nice"] takes a number from -20 to 19',
    );
    expect(valued('cpu.max_percent', 0)).toMatch(/^E_USAGE .* takes a number above 0$/);
    expect(answered({ steps: [{ policy: 'kill', after: 0 }] })).toMatch(
      /^E_USAGE setLimits: responses\.memory\.steps\[0\]\.policy takes one of none, log/,
    );
    expect(answered({ adjust: { factor: 0.5, cap: 2 } })).toMatch(/^E_USAGE .*adjust\.factor/);
    expect(refusal({ ...written, responses: {} })).toMatch(/^E_USAGE .*responses\.memory takes an object$/);
    expect(refusal({ ...written, affinity: [] })).toMatch(/^E_USAGE .*affinity/);
    expect(refusal({ ...written, scheduler: { policy: 'fifo', priority: 0 } })).toMatch(
      /^E_USAGE .*priority/,
    );
    expect(refusal({ ...written, tempDirectory: 'tmp' })).toMatch(/^E_USAGE .*tempDirectory/);
    expect(refusal({ ...written, monitoring: { ...written.monitoring, interval: 0 } })).toMatch(
      /^E_USAGE .*interval takes a number of at least 100$/,
    );
    expect(() => master.setLimits('nobody', written)).toThrow(/there is no worker "nobody"/);
    expect(master.limits('live').map(({ limit }) => limit)).toEqual([NAME]);
    await master.restartWorker('live');
    expect(master.limits('live').map(({ limit }) => limit)).toEqual([NAME]);
  });

  it('are taken as a configuration gives them, and with other numbers', async ({ stage }) => {
    await using app = embedLive(stage);
    const written = app.master.config.workers[0]?.limits as LimitsSpec;
    await app.master.startWorker('live');
    const values = { [NAME]: 32, 'memory.max_locked': 0, 'cpu.max_cores': 0.5, 'cpu.nice': 3 } as const;
    const reports = app.master.setLimits('live', { ...written, values });
    expect(reports.map(({ limit }) => limit).toSorted()).toEqual(Object.keys(values).toSorted());
    expect(app.master.setLimits('live', written).map(({ limit }) => limit)).toEqual([NAME]);
  });

  it('are taken as a configuration has them, as text or as a value; what is wrong is named as there', async ({
    stage,
  }) => {
    await using app = embedLive(stage);
    const { master } = app;
    await master.startWorker('live');
    const limitsOf = (reports: readonly { readonly limit: string }[]) => reports.map(({ limit }) => limit);
    const text = 'process: { max_file_descriptors: 64 }\ncpu:\n  affinity: 0\n';
    expect(limitsOf(master.setLimits('live', text)).toSorted()).toEqual(['cpu.affinity', NAME]);
    const reports = master.setLimits('live', { process: { max_file_descriptors: 32 } });
    expect(limitsOf(reports)).toEqual([NAME]);
    expect(() => master.setLimits('live', 'memory: 12 apples')).toThrow(
      /^the limits are not valid: limits\.memory: "12 apples" is not a size/,
    );
    expect(() => master.setLimits('live', { memory: 1024, cpuu: 1 })).toThrow(/limits\.cpuu: unknown key/);
    expect(() => master.setLimits('nobody', {})).toThrow(/there is no worker "nobody"/);
    // What was lowered not everybody may raise again.
    expect(limitsOf(master.setLimits('live', {})).filter((limit) => limit !== NAME)).toEqual([]);
  });

  it('of a group or namespace are told of its workers, and change for all of them', async ({ stage }) => {
    const worker = { command: creature('print', 'up', 'sleep'), worker_group: 'team' };
    const config = {
      groups: { team: { limits: { process: { max_processes: 20 } } } },
      workers: [
        { id: 'a', ...worker },
        { id: 'b', ...worker },
      ],
    };
    await using app = embed(stage, [], { config, containment: 'off' });
    const { master } = app;
    const quota = { kind: 'group', id: 'team' };
    expect(master.limits('a')).toMatchObject([
      { limit: 'process.max_processes', status: 'impossible', quota },
    ]);
    await master.start();
    await app.event('limit.unenforceable', 'a');
    const { payload } = await app.event('limit.unenforceable', 'b');
    expect(payload).toMatchObject({ limit: 'process.max_processes', status: 'impossible', quota });
    expect(master.worker('b').degraded).toEqual([
      expect.stringMatching(/^group "team": process\.max_processes cannot be kept: /),
    ]);
    expect(master.setQuota('group', 'team', 'memory: 64MB')).toMatchObject([
      { limit: 'memory.max_rss', quota },
    ]);
    for (const id of ['a', 'b'])
      expect(master.limits(id)).toMatchObject([{ limit: 'memory.max_rss', quota }]);
    expect(() => master.setQuota('namespace', 'team', {})).toThrow(
      /^setQuota: no worker shares limits of a namespace "team"$/,
    );
    expect(() => master.setQuota('group', 'team', { process: { policy: 'log' } })).toThrow(/policies belong/);
    await master.restartWorker('a');
    expect(master.limits('a')).toMatchObject([{ limit: 'memory.max_rss', quota }]);
  });
});
