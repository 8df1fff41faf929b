import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ASKS } from '../src/asks.ts';
import { grpcPage, messageTypes } from '../src/docs.ts';

it('the page names every method of every service but reflection, and shows the messages', () => {
  const page = grpcPage();
  for (const [service, methods] of Object.entries(ASKS)) {
    if (service.startsWith('grpc.reflection')) continue;
    const [, section = ''] = page.split(`### ${service}\n`);
    for (const method of Object.keys(methods))
      expect(section.split('\n###')[0]).toContain(`| \`${method}\` |`);
  }
  expect(page).toContain('message WorkerDetail {');
  expect(page).toMatch(/\| `NOT_FOUND` \| .*`E_UNKNOWN_WORKER`/);
});

it('the types of messages are those of the proto files', () => {
  expect(readFileSync(new URL('../src/messages.ts', import.meta.url), 'utf8')).toBe(messageTypes());
});
