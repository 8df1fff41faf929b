import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNativeHost } from '../src/host/native.ts';
import { createNodeHost } from '../src/host/node.ts';
import { realClock } from '../src/real-clock.ts';
import { failureOf, Watched } from './host-watch.ts';

const clock = realClock();
const environment = { ...process.env, PATH: '/usr/local/bin:/usr/bin:/bin' };
const loaded = loadNative({});
let folder = '';

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hsu-host-')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** A real program of this machine, made out to be for another. */
function foreignProgram(name: string): string {
  const path = file(name, '');
  const source = file(`${name}.c`, 'int main(void) { return 0; }\n', 0o644);
  execFileSync('cc', ['-o', path, source]);
  const bytes = Buffer.from(execFileSync('cat', [path], { maxBuffer: 1 << 24 }));
  bytes.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
  return file(name, bytes);
}

const makers: [string, (() => Host) | null][] = [
  [
    'native',
    loaded.ok ? () => createNativeHost(loaded.native, { environment, reapOrphans: false, clock }) : null,
  ],
  ['node', () => createNodeHost({ environment, clock })],
];

describe.each(makers)('failed starts on the %s host', (_name, make) => {
  if (make === null) return;
  let host: Host;
  beforeAll(() => {
    host = make();
  });
  afterAll(() => host.close());

  test('B1: a name that PATH does not hold shows PATH and the nearest names', async () => {
    expect(await failureOf(host, ['slepe'])).toEqual({
      code: 'E_EXEC_NOT_FOUND',
      message: expect.stringMatching(
        /^worker "w": cannot start "slepe": not found in PATH \(\/usr\/local\/bin:\/usr\/bin:\/bin\); nearest names: .*sleep/,
      ),
      transient: false,
    });
  });

  test('B1: the worker’s own PATH is the one that is searched', async () => {
    const tool = file('only-here', '#!/bin/sh\necho found\n');
    const failure = await failureOf(host, ['only-here']);
    expect(failure.code).toBe('E_EXEC_NOT_FOUND');
    const watched = new Watched(host, ['only-here'], { command: { env: { PATH: folder } } });
    await watched.says('found');
    await watched.over();
    expect(tool.startsWith(folder)).toBe(true);
  });

  test('B1: a path that leads nowhere names the first part that is missing', async () => {
    file('server', '#!/bin/sh\n');
    const wrong = await failureOf(host, ['./servr'], { command: { cwd: folder } });
    expect(wrong).toMatchObject({ code: 'E_EXEC_NOT_FOUND', transient: false });
    expect(wrong.message).toContain(`no such file ${folder}/servr; nearest names: server`);
    const deeper = await failureOf(host, [`${folder}/no/such/thing`]);
    expect(deeper.message).toContain(`${folder}/no does not exist`);
    const through = await failureOf(host, [`${folder}/server/thing`]);
    expect(through).toMatchObject({ code: 'E_EXEC_NOT_FOUND' });
    expect(through.message).toContain(`${folder}/server is a file, not a directory`);
  });

  test('B2: a file without the execute bit gets a hint, a directory is called one', async () => {
    const plain = file('plain', '#!/bin/sh\n', 0o644);
    const failure = await failureOf(host, [plain]);
    expect(failure).toMatchObject({ code: 'E_EXEC_PERMISSION', transient: false });
    expect(failure.message).toContain(`${plain} is not executable; chmod +x ${plain}`);
    const directory = await failureOf(host, [folder]);
    expect(directory).toMatchObject({ code: 'E_EXEC_PERMISSION' });
    expect(directory.message).toContain(`${folder} is a directory`);
    const named = await failureOf(host, ['plain'], { command: { env: { PATH: folder } } });
    expect(named.message).toContain(`${plain} is not executable`);
  });

  test('B3: a script without a shebang line is run by sh, with a warning', async () => {
    const script = file('script', 'echo "ran with $1"\n');
    const watched = new Watched(host, [script, 'care']);
    await watched.says('ran with care');
    const { warning } = await watched.first('spawned');
    expect(warning).toBe(`${script} has no "#!" line; it was run by /bin/sh`);
    await watched.over();
  });

  test('B3: a missing interpreter is named with its line', async () => {
    const script = file('wrong', '#!/usr/bin/pythn -u\nprint(1)\n');
    const failure = await failureOf(host, [script]);
    expect(failure).toMatchObject({ code: 'E_EXEC_NOT_FOUND', transient: false });
    expect(failure.message).toContain(`bad interpreter /usr/bin/pythn (line 1 of ${script})`);
    const windows = file('windows', '#!/bin/sh\r\necho hi\r\n');
    expect((await failureOf(host, [windows])).message).toContain('Windows line endings');
  });

  test('B3: a program for another architecture says for which', async () => {
    const failure = await failureOf(host, [foreignProgram('foreign')]);
    expect(failure).toMatchObject({ code: 'E_EXEC_FORMAT', transient: false });
    const other = process.arch === 'arm64' ? 'x64' : 'arm64';
    expect(failure.message).toContain(`is built for ${other}, this machine is ${process.arch}`);
  });

  test('B3: an empty file, garbage and a Windows program never count as running', async () => {
    const empty = await failureOf(host, [file('empty', '')]);
    expect(empty).toMatchObject({ code: 'E_EXEC_FORMAT', transient: false });
    expect(empty.message).toContain('is empty');
    const garbage = await failureOf(host, [file('garbage', Uint8Array.of(7, 10, 200, 1, 0, 3, 255, 10))]);
    expect(garbage).toMatchObject({ code: 'E_EXEC_FORMAT' });
    expect(garbage.message).toContain('neither a program nor a script');
    const early = await failureOf(host, [file('early', Uint8Array.of(200, 10, 1, 2, 0, 3, 255, 10))]);
    expect(early).toMatchObject({ code: 'E_EXEC_FORMAT' });
    const windows = await failureOf(host, [file('app.exe', Uint8Array.of(0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0))]);
    expect(windows.message).toContain('is a program for Windows');
  });

  test('B4: a working directory that is missing or a file is named as such', async () => {
    const cwd = join(folder, 'nowhere');
    const missing = await failureOf(host, ['true'], { command: { cwd } });
    expect(missing).toMatchObject({ code: 'E_CWD', transient: false });
    expect(missing.message).toContain(`working directory "${cwd}": ${cwd} does not exist`);
    const plain = file('a-file', '');
    const wrong = await failureOf(host, ['true'], { command: { cwd: plain } });
    expect(wrong).toMatchObject({ code: 'E_CWD' });
    expect(wrong.message).toContain(`${plain} is a file, not a directory`);
  });

  test('B4: links are followed in the message', async () => {
    const nowhere = join(folder, 'nowhere-link');
    const toFile = join(folder, 'file-link');
    const plain = file('b-file', '');
    symlinkSync('/no/such/folder', nowhere);
    symlinkSync(plain, toFile);
    const dangling = await failureOf(host, ['true'], { command: { cwd: nowhere } });
    expect(dangling.message).toContain(
      `${nowhere} is a symbolic link to /no/such/folder, which does not exist`,
    );
    const wrong = await failureOf(host, ['true'], { command: { cwd: toFile } });
    expect(wrong).toMatchObject({ code: 'E_CWD' });
    expect(wrong.message).toContain(`"${toFile}" (resolved: ${plain})`);
    const program = await failureOf(host, [nowhere]);
    expect(program).toMatchObject({ code: 'E_EXEC_NOT_FOUND' });
    expect(program.message).toContain('which does not exist');
    rmSync(nowhere);
    rmSync(toFile);
  });

  test('B4: a link is kept as given in PWD', async () => {
    mkdirSync(join(folder, 'real'), { recursive: true });
    const link = join(folder, 'link');
    symlinkSync('real', link);
    const watched = new Watched(host, ['sh', '-c', 'echo "$PWD"; pwd -P'], { command: { cwd: link } });
    await watched.over();
    await watched.until('its output', () => watched.output.ended.length === 2);
    expect(watched.output.text('stdout')).toBe(`${link}\n${join(folder, 'real')}\n`);
    rmSync(link);
  });

  test('B5: arguments and environment that are too big are measured against the limit', async () => {
    const big = await failureOf(host, ['true'], { command: { env: { BIG: 'x'.repeat(3_000_000) } } });
    expect(big).toMatchObject({ code: 'E_EXEC_TOO_BIG', transient: false });
    expect(big.message).toMatch(
      /environment 2\.9MiB; the largest is BIG with 2\.9MiB; the system takes .* 128KiB each/,
    );
    const words = Array.from({ length: 70_000 }, () => 'x'.repeat(100));
    const long = await failureOf(host, ['true', ...words]);
    expect(long).toMatchObject({ code: 'E_EXEC_TOO_BIG' });
    expect(long.message).toContain('arguments 6.7MiB');
    const fine = new Watched(host, ['true']);
    await fine.over();
    expect(fine.reports.map(({ kind }) => kind)).toEqual(['spawned', 'exited']);
  });

  test('B7: an unknown user or group is refused before anything is started', async () => {
    const recorded: unknown[] = [];
    const record = (process: unknown) => void recorded.push(process);
    const user = await failureOf(host, ['true'], { record, command: { user: 'nobody-at-all' } });
    expect(user).toMatchObject({ code: 'E_USER', transient: false });
    expect(user.message).toContain('there is no user "nobody-at-all"');
    const group = await failureOf(host, ['true'], { record, command: { group: 'no-such-group' } });
    expect(group.message).toContain('there is no group "no-such-group"');
    const number = await failureOf(host, ['true'], { record, command: { user: '987654' } });
    expect(number.message).toContain('has no entry in the user database');
    expect(recorded).toEqual([]);
  });
});
