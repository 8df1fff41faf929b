import { readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Bench, heard, probe } from './support/bench.ts';
import { rawServer } from './support/servers.ts';

/** Sockets that this process holds open. */
function sockets(): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')) count += 1;
    } catch {
      // The descriptor of the listing itself is gone by now.
    }
  }
  return count;
}

test.runIf(process.platform === 'linux')(
  'E1: 500 checks of a server that never answers leave no socket open (counted in /proc)',
  async () => {
    const server = await rawServer();
    const before = sockets();
    const benches = Array.from({ length: 50 }, () =>
      new Bench({
        liveness: probe({ type: 'http', url: server.url, method: 'GET', headers: {} }),
      }).begin(),
    );
    for (let round = 1; round <= 10; round += 1) {
      for (const bench of benches) bench.clock.advance(round === 1 ? 0 : 500);
      await server.accepted(round * 50);
      for (const bench of benches) bench.clock.advance(500);
      await server.empty();
    }
    for (const bench of benches) bench.end();
    await heard();
    expect(benches.every((bench) => bench.published.length === 1)).toBe(true);
    expect(sockets()).toBe(before);
  },
);
