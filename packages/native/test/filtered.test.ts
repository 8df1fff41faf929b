import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../../native/linux/test/refuse.c', import.meta.url));
const program = fileURLToPath(new URL('programs/under-filter.ts', import.meta.url));
let place = '';
let refuse = '';

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'hsu-native-'));
  refuse = join(place, 'refuse');
  execFileSync('cc', ['-o', refuse, source]);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

function under(...calls: string[]): string {
  const { stdout, stderr } = spawnSync(refuse, [...calls, '--', process.execPath, program], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}

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

  it('pidfds, the addon declines and says why', () => {
    expect(under('pidfd_open')).toBe(
      '@hsu-master/native-linux needs pidfds (Linux 5.3); pidfd_open answers ENOSYS\n',
    );
  });
});
