import { loadNative } from '@hsu-master/native';
import { createNativeHost, createNodeHost, realClock } from '@hsu-master/workers';
import { expect, it } from 'vitest';
import { FEATURES } from '../src/platform-table.ts';

const environment = {};
const clock = realClock();

it('docs/platforms.md names every capability that a host reports, and no other', () => {
  const loaded = loadNative();
  if (!loaded.ok) throw new Error(loaded.reason);
  const hosts = [
    createNativeHost(loaded.native, { environment, clock, reapOrphans: false }),
    createNodeHost({ environment, clock }),
  ];
  const reported = new Set(hosts.flatMap((host) => host.capabilities().map(({ feature }) => feature)));
  for (const host of hosts) host.close();
  expect(reported).toEqual(new Set(Object.keys(FEATURES)));
});
