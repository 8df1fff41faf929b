import { expect, test } from 'vitest';

test('the rig: Windows, as Node sees it', () => {
  expect(process.platform).toBe('win32');
});
