import { execFileSync, spawn } from 'node:child_process';
import { limitsSpec } from '@hsu-master/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNodeHost } from '../src/host/node.ts';
import { procTable, psTable } from '../src/host/process-table.ts';
import { realClock } from '../src/real-clock.ts';
import { failureOf, Watched } from './host-watch.ts';

const host = createNodeHost({ environment: process.env, clock: realClock() });
afterAll(() => host.close());

describe('the host on node:child_process', () => {
  test('says what it cannot do', () => {
    const status = new Map(host.capabilities().map((one) => [one.feature, one.status]));
    expect(status.get('spawn-gate')).toBe('impossible');
    expect(status.get('adopt-orphans')).toBe('impossible');
    expect(status.get('umask-groups-nofile')).toBe('impossible');
    expect(status.get('whole-tree')).toBe('watched');
    expect(status.get('state-directory-lock')).toBe('impossible');
  });

  test('refuses what it cannot set, before anything is started', async () => {
    const recorded: unknown[] = [];
    const record = (process: unknown) => void recorded.push(process);
    const umask = await failureOf(host, ['true'], { record, command: { umask: 0o77 } });
    expect(umask).toMatchObject({ code: 'E_UNSUPPORTED', transient: false });
    expect(umask.message).toContain('a umask cannot be set without the addon');
    expect(recorded).toEqual([]);
  });

  test('G9: limits are not held; a run that requires them is refused, any other says so', async () => {
    const limits = limitsSpec({ values: { 'memory.max_rss': 2 ** 30 } });
    const refused = await failureOf(host, ['true'], { limits: { ...limits, required: true } });
    expect(refused).toMatchObject({ code: 'E_LIMIT_REQUIRED', transient: false });
    expect(refused.message).toContain('memory.max_rss');
    const watched = new Watched(host, ['sleep', '100'], { limits });
    await watched.first('spawned');
    expect(watched.run.limitReports()).toMatchObject([{ limit: 'memory.max_rss', status: 'impossible' }]);
    watched.run.signalTree('SIGKILL');
    await watched.over();
  });

  test.runIf(process.getuid?.() === 0)(
    'refuses supplementary groups, and takes a user without any',
    async () => {
      const groups = await failureOf(host, ['true'], { command: { user: 'nobody', groups: ['bin'] } });
      expect(groups).toMatchObject({ code: 'E_UNSUPPORTED' });
      const watched = new Watched(host, ['sh', '-c', 'id -u; id -G'], { command: { user: 'nobody' } });
      await watched.over();
      await watched.until('its output', () => watched.output.ended.length === 2);
      expect(watched.output.text('stdout')).toBe('65534\n65534\n');
    },
  );

  test('stops reading while its output is not taken, and goes on when it is', async () => {
    const held: (() => void)[] = [];
    let size = 0;
    const output = {
      openChannels: () => null,
      write(_stream: string, chunk: Uint8Array, done: () => void) {
        size += chunk.length;
        held.push(done);
      },
      end() {},
    };
    const bytes = 20_000_000;
    const watched = new Watched(host, ['head', '-c', String(bytes), '/dev/zero'], { output });
    await watched.first('spawned');
    await expect.poll(() => size, { timeout: 10_000 }).toBeGreaterThan(2 ** 20 - 1);
    const soon = realClock();
    await new Promise<void>((resolve) => void soon.after(100, resolve));
    expect(size).toBeLessThan(2 ** 22);
    const take = setInterval(() => {
      for (const done of held.splice(0)) done();
    }, 1);
    await watched.over();
    await expect.poll(() => size, { timeout: 10_000 }).toBe(bytes);
    clearInterval(take);
  });
});

describe('process tables without the addon', () => {
  let sleeper: ReturnType<typeof spawn>;
  beforeAll(() => {
    sleeper = spawn('sleep', ['600'], { env: { ...process.env, HSU_RUN: 'a=b' }, stdio: 'ignore' });
  });
  afterAll(() => void sleeper.kill('SIGKILL'));

  test('/proc tells parents, groups, states and variables', async () => {
    await expect.poll(() => procTable.row(sleeper.pid ?? 0)?.state).toBe('S');
    const row = procTable.row(sleeper.pid ?? 0);
    expect(row).toMatchObject({ pid: sleeper.pid, ppid: process.pid });
    expect(procTable.rows()).toContainEqual(row);
    expect(procTable.variableOf(sleeper.pid ?? 0, 'HSU_RUN')).toBe('a=b');
    expect(procTable.row(4_194_303)).toBeNull();
  });

  test.runIf(hasPs())('ps tells the same, sessions and variables apart', async () => {
    await expect.poll(() => psTable.row(sleeper.pid ?? 0)?.state).toBe('S');
    const row = psTable.row(sleeper.pid ?? 0);
    expect(row).toMatchObject({ pid: sleeper.pid, ppid: process.pid, sid: 0 });
    expect(Number(row?.startedAt)).toBeGreaterThan(0);
    expect(psTable.rows().map(({ pid }) => pid)).toContain(process.pid);
    expect(psTable.row(4_194_303)).toBeNull();
  });
});

function hasPs(): boolean {
  try {
    execFileSync('ps', ['-p', '1'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
