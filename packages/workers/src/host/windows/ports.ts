import type { PortAnswer } from '@hsu-master/core';

/** The ports that Windows gives programs that ask for any. */
const EPHEMERAL = { first: 49_152, last: 65_535 };

/** A port that nobody listens on at the moment, 0: one by `chance` (from 0 to 1). It is not held. */
export function portOfWindows(port: number, chance: number, used: ReadonlySet<number>): PortAnswer {
  const release = (): void => {};
  if (port !== 0) {
    return used.has(port)
      ? { ok: false, taken: true, reason: 'somebody has it' }
      : { ok: true, port, release };
  }
  const size = EPHEMERAL.last - EPHEMERAL.first + 1;
  const start = Math.floor(chance * size);
  for (let step = 0; step < size; step += 1) {
    const candidate = EPHEMERAL.first + ((start + step) % size);
    if (!used.has(candidate)) return { ok: true, port: candidate, release };
  }
  return { ok: false, taken: true, reason: 'every port is in use' };
}
