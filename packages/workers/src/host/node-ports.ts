import { readFileSync } from 'node:fs';
import type { PortAnswer } from '@hsu-master/core';

/** The ports that Linux gives programs that ask for any. */
const EPHEMERAL = { first: 32_768, last: 60_999 };

/**
 * A port that nobody has at the moment, 0: one by `chance` (from 0 to 1). It is not held: whoever asks for it before the program listens
 * gets it. Where the system’s list cannot be read, any counts as free.
 */
export function portWithoutAddon(port: number, chance: number): PortAnswer {
  const used = usedPorts();
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

/** The local ports of all TCP sockets. */
function usedPorts(): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const [, port = ''] of readQuietly(file).matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /gm)) {
      ports.add(Number.parseInt(port, 16));
    }
  }
  return ports;
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
