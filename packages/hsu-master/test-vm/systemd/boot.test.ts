import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('systemd is PID 1', () => {
  expect(readFileSync('/proc/1/comm', 'utf8').trim()).toBe('systemd');
});
