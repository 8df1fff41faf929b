import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('cgroup v2 has the controllers', () => {
  const found = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
  expect(found).toEqual(expect.arrayContaining(['cpu', 'io', 'memory', 'pids', 'cpuset']));
});
