import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadNative } from '@hsu-master/native';
import { creaturePath } from '@hsu-master/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { procTable } from '../src/host/process-table.ts';

// Each in a Node of its own: a subreaper, a user or a limit belongs to a whole process.
const run = promisify(execFile);
const factor = Number(process.env.HSU_TIME_FACTOR ?? 1);
const TIME = 60_000 * factor;
/** What a program with hundreds of runs waits for within comes later than in a test with one; the test bounds the whole. */
const env = { ...process.env, HSU_TIME_FACTOR: String(4 * factor) };
const isRoot = process.getuid?.() === 0;
const hosts = loadNative({}).ok ? ['native', 'node'] : ['node'];

beforeAll(() => void creaturePath());

const program = (name: string) => join(import.meta.dirname, 'programs', `${name}.ts`);

async function answerOf(name: string, args: readonly string[], options: { uid?: number; gid?: number } = {}) {
  const { stdout } = await run(process.execPath, [program(name), ...args], {
    ...options,
    env,
    timeout: 2 * TIME,
  });
  return JSON.parse(stdout);
}

describe.runIf(hosts.includes('native'))('a master that adopts', () => {
  test(
    'A3 A6 A7: of forty awkward processes none outlives SIGTERM, grace, SIGKILL',
    async () => {
      const answer = await answerOf('awkward', []);
      expect(answer).toMatchObject({
        before: 40,
        survivors: 0,
        kinds: ['spawned exited tree-empty'],
        zombies: 0,
      });
      expect(answer).toMatchObject({ unclaimed: 0, straySurvivors: 0, straysLeft: 0 });
      expect(answer.strays).toEqual([answer.wipedPid]);
    },
    TIME,
  );

  test(
    'A3: a daemon without any trace belongs to the only run there is; beside another run it is named, once',
    async () => {
      expect(await answerOf('wiped', [])).toEqual({
        alone: 20,
        namedAlone: 0,
        unnoticed: 0,
        unnamed: 0,
        namedTwice: 0,
        otherLost: false,
        survivors: 0,
      });
    },
    TIME,
  );

  test(
    'A12: after a thousand exec probes there is no zombie, and nothing that they left behind',
    async () => {
      const { answers, left, strays } = await answerOf('probes', []);
      expect(answers).toEqual({ 'exit 0': 980, 'exit 3': 20 });
      expect(left).toEqual([]);
      expect(strays).toBe(0);
    },
    TIME,
  );
});

describe.runIf(hosts.includes('native')).each(isRoot ? ['', 'nobody'] : [''])(
  'a master that is killed during an exec probe (user: "%s")',
  (user) => {
    const folder = mkdtempSync(join(tmpdir(), 'hsu-helper-'));
    beforeAll(() => chmodSync(folder, 0o777));
    afterAll(() => rmSync(folder, { recursive: true }));

    test(
      'takes the probe with it, since nothing is written down by which the next one could find it',
      async () => {
        const file = join(folder, 'pid');
        const args = [program('helper'), file, ...(user === '' ? [] : [user])];
        const master = spawn(process.execPath, args, { stdio: 'inherit' });
        await expect.poll(() => existsSync(file), { timeout: TIME }).toBe(true);
        const pid = Number(readFileSync(file, 'utf8'));
        const helper = procTable.row(pid);
        master.kill('SIGKILL');
        const lives = () => {
          const row = procTable.row(pid);
          return row?.startedAt === helper?.startedAt && row?.state !== 'Z';
        };
        try {
          await expect.poll(lives, { timeout: TIME / 6 }).toBe(false);
        } finally {
          if (lives()) process.kill(pid, 'SIGKILL');
        }
      },
      2 * TIME,
    );
  },
);

describe.each(hosts)('the %s host', (host) => {
  test(
    'A3: of programs that fork twice and end at once, none counts as ended while its daemon lives',
    async () => {
      const answer = await answerOf('double-forks', [host, '60', '20']);
      expect(answer).toEqual({ host, runs: 1200, clean: 0, survivors: 0 });
    },
    2 * TIME,
  );
});

describe.runIf(isRoot).each(hosts)('the %s host run by an ordinary user', (host) => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hsu-closed-'));
    mkdirSync(join(folder, 'closed'));
    writeFileSync(join(folder, 'closed', 'program'), '#!/bin/sh\n', { mode: 0o755 });
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'closed'), 0o700);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test(
    'B7: refuses other users and groups before anything is started; B4, B2: says what is closed to it',
    async () => {
      const answer = await answerOf('ordinary-user', [host, join(folder, 'closed')], {
        uid: 65534,
        gid: 65534,
      });
      const may = 'but the master runs as uid 65534 and may not switch users';
      expect(answer).toMatchObject({
        host,
        root: { code: 'E_USER', message: expect.stringContaining(`user "root" was asked for, ${may}`) },
        group: { code: 'E_USER', message: expect.stringContaining(`group "root" was asked for, ${may}`) },
        groups: {
          code: 'E_USER',
          message: expect.stringContaining('other supplementary groups were asked for'),
        },
        recorded: [],
        own: '65534\n',
        folder: { code: 'E_CWD', message: expect.stringContaining('may not be entered: permission denied') },
        program: {
          code: 'E_EXEC_PERMISSION',
          message: expect.stringContaining('cannot be reached: permission denied'),
        },
      });
    },
    TIME,
  );
});

describe.each(hosts)('the %s host at a limit of the system', (host) => {
  async function scarce(limit: string, options: { uid?: number; gid?: number } = {}) {
    const command = [limit, process.execPath, program('scarce'), host];
    const { stdout } = await run('prlimit', command, { ...options, env, timeout: TIME });
    return JSON.parse(stdout);
  }

  test(
    'G1: few descriptors: refuses with the limit’s name, supervises the others, starts again when some have ended',
    async () => {
      const answer = await scarce('--nofile=256');
      expect(answer).toMatchObject({ host, transient: true, codes: ['E_RESOURCES'], members: 1 });
      expect(answer.running).toBeGreaterThan(20);
      expect(answer.running + answer.refused).toBe(200);
      expect(answer.message).toMatch(/no descriptor is free: ulimit -n 256, in use \d+/);
      expect(answer.descriptors).toBeLessThanOrEqual(232);
    },
    TIME,
  );

  test.runIf(isRoot)(
    'G1: few processes: the same',
    async () => {
      const answer = await scarce('--nproc=60', { uid: 65534, gid: 65534 });
      expect(answer).toMatchObject({ host, transient: true, codes: ['E_RESOURCES'], members: 1 });
      expect(answer.running).toBeGreaterThan(20);
      expect(answer.running + answer.refused).toBe(200);
      expect(answer.message).toContain('no process may be added: ulimit -u 60');
    },
    TIME,
  );
});
