import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { eventually, it } from './drive.ts';

const MIB = 1024 * 1024;
const PAGE = 4096;
/** A heap takes so many rounds to find its size; with fewer of them it may still grow. */
const WARM = process.env.CI_FULL ? 40 : 3;
const GROWTH = (process.env.CI_FULL ? 24 : 96) * MIB;
/** Restarts of each of ten workers, each of which writes 1000 lines; with CI_FULL some 10^6 lines. */
const ROUNDS = process.env.CI_FULL ? 100 : 8;

const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;
const resident = (pid: number) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE;

describe('G8: restarts and lines without end', () => {
  it('leave descriptors, memory and files as they were', async ({ stage }) => {
    const log = { max_size: '100KB', max_files: 2, compress: 'zstd', format: 'json' };
    const workers = Array.from({ length: 10 }, (_unused, index) => ({
      id: `w${index}`,
      command: ['sh', '-c', 'seq 1000; sleep 0.2'],
      restart: { policy: 'always', delay: '10ms', factor: 1, max_retries: 0 },
      log,
    }));
    const targets = [{ path: stage.path('all.log'), rotation: { max_size: '1MB', max_files: 2 } }];
    const document = { log_collection: { global_aggregation: { targets } }, workers };
    const master = stage.run(document, ['--log-dir', stage.path('logs')], { without: /^w\d +\| / });
    const rounds = () => master.matching(/^w0: started/).length;
    const look = async (count: number) => {
      await eventually(() => rounds() >= count);
      return { memory: resident(master.pid), open: descriptors(master.pid) };
    };
    const early = await look(WARM);
    const late = await look(WARM + ROUNDS);
    // What runs at a moment holds a few descriptors each.
    expect(late.open).toBeLessThan(early.open + 40);
    expect(late.memory).toBeLessThan(early.memory + GROWTH);
    const files = readdirSync(stage.path('logs', 'workers')).filter((name) =>
      name.startsWith('w0-stdout.log'),
    );
    expect(files.length).toBeLessThanOrEqual(5);
    expect((await master.stop()).code).toBe(0);
  });
});
