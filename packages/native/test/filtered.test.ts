import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { group, lacks, titled } from './groups.ts';

const source = fileURLToPath(new URL('../../../native/linux/test/refuse.c', import.meta.url));
const program = (name: string): string => fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
let place = '';
let refuse = '';

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'hsu-native-'));
  refuse = join(place, 'refuse');
  execFileSync('cc', ['-o', refuse, source]);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

function runUnder(calls: readonly string[], name: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(refuse, [...calls, '--', process.execPath, program(name), ...args], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}
const under = (...calls: string[]): string => runUnder(calls, 'under-filter');

describe('on a system that refuses', () => {
  const works = 'child has 0 1 2\nmaster leaks 0\nno-such-program ENOENT\nsibling left its gate\n';

  it.each([
    ['nothing', []],
    ['clone3', ['clone3']],
    ['close_range: unshare separates the descriptors', ['close_range']],
    ['unshare: close_range separates the descriptors', ['unshare']],
    [
      'unshare and close_range: the descriptors stay shared, and none is passed on',
      ['unshare', 'close_range'],
    ],
    ['all of these', ['clone3', 'unshare', 'close_range']],
  ])('%s, everything works', (_, calls) => {
    expect(under(...calls)).toBe(works);
  });

  const reason = lacks(null);
  it.runIf(reason === null)(titled('clone3, a program moves into its group before its gate', reason), () => {
    const cgroup = group(null);
    const inside = `0::.*/${basename(cgroup)}\n`;
    expect(runUnder(['clone3'], 'in-group', cgroup)).toMatch(
      new RegExp(`^${inside}12\n${inside}0\ncgroup open\n$`),
    );
  });

  it('pidfds, the addon declines and says why', () => {
    expect(under('pidfd_open')).toBe(
      '@hsu-master/native-linux needs pidfds (Linux 5.3); pidfd_open answers ENOSYS\n',
    );
  });
});
