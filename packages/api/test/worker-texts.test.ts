import { describe, expect } from 'vitest';
import * as told from '../src/told.ts';
import { WorkerTexts } from '../src/worker-texts.ts';
import { FakeMaster, it } from './rig.ts';

describe('lists of workers', () => {
  it('say what each worker is now, whatever was said before', () => {
    const master = new FakeMaster();
    const texts = new WorkerTexts();
    const read = (): unknown => {
      const workers = master.workers({ patterns: [], namespace: null });
      const whole = { master: 'abcd', seq: 7, workers: workers.map(told.worker) };
      expect(JSON.parse(texts.list('abcd', 7, workers, true).toString())).toEqual(
        JSON.parse(JSON.stringify(whole)),
      );
      return whole;
    };
    read();
    read();
    const [web] = master.workers({ patterns: ['web'], namespace: null });
    if (web === undefined) throw new Error('no web');
    const changes: Partial<typeof web>[] = [
      { doing: 'ready, "quoted" — über' },
      { ready: false },
      { restarts: 7 },
      { process: { pid: 43, startedAt: '8' } },
      { process: null, usage: null },
      { waiting: [{ id: 'db', condition: 'ready', reason: 'not ready' }] },
      { waiting: [{ id: 'db', condition: 'ready', reason: 'still not ready' }] },
      { throttled: ['cpu.max_percent'] as unknown as typeof web.throttled },
      { usage: { cpuPercent: null, memory: 1, processes: 1 } },
      { usage: { cpuPercent: 3.5, memory: 2, processes: 1 } },
    ];
    let now = web;
    for (const change of changes) {
      now = { ...now, ...change };
      master.workersNow.set('web', now);
      read();
    }
    master.workersNow.delete('db');
    read();
    master.workersNow.delete('web');
    read();
  });

  it('are the same bytes for whoever asks while nothing happens', () => {
    const workers = new FakeMaster().workers({ patterns: [], namespace: null });
    const texts = new WorkerTexts();
    const first = texts.list('abcd', 7, workers, true);
    const again = texts.list('abcd', 7, workers, true);
    expect(again).toEqual(first);
    expect(texts.list('abcd', 8, workers, true)).not.toEqual(first);
    expect(texts.list('abcd', 8, workers.slice(1), false).toString()).not.toContain('"web"');
  });

  it('are answered as before', async ({ served }) => {
    const { workers } = await served.client.workers({ usage: true });
    expect(workers.map(({ id }) => id)).toEqual(['web', 'db']);
    expect((await served.client.workers({ select: ['db'] })).workers).toHaveLength(1);
  });
});
