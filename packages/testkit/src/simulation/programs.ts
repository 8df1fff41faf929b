import type { Chance } from '../chance.ts';
import { type FakeProgram, fakeProgram } from '../fake/program.ts';

/** What a worker with limits may have, in bytes: most programs need less. */
export const MEMORY = 1000;

/** How one start of a program behaves; each start draws anew. */
export function drawProgram(chance: Chance, isDaemon: boolean): FakeProgram {
  if (isDaemon && chance.happens(0.7)) return daemonizes(chance);
  const draw = chance.next();
  if (draw < 0.08) return failsToStart(chance);
  if (draw < 0.3) return { ...drawBody(chance), ends: drawEnd(chance) };
  if (draw < 0.4) return daemonizes(chance);
  return drawBody(chance);
}

function failsToStart(chance: Chance): FakeProgram {
  const transient = chance.happens(0.5);
  const code = transient ? 'E_RESOURCES' : 'E_EXEC_NOT_FOUND';
  return fakeProgram({ spawnFailure: { failure: { code, message: 'drawn' }, transient } });
}

function drawEnd(chance: Chance): FakeProgram['ends'] {
  const after = chance.happens(0.4) ? 0 : chance.between(1, 15_000);
  return {
    after,
    exit: chance.happens(0.2) ? { signal: 'SIGSEGV' } : { code: chance.pick([0, 0, 1, 1, 2, 143]) },
  };
}

/** A leader that forks and leaves, as a daemon does. */
function daemonizes(chance: Chance): FakeProgram {
  const child = drawBody(chance);
  const children = [{ after: 0, program: { ...child, ends: chance.happens(0.3) ? drawEnd(chance) : null } }];
  return fakeProgram({
    children,
    ends: { after: chance.between(1, 500), exit: { code: chance.happens(0.8) ? 0 : 1 } },
  });
}

/** How a process takes signals, and whom it forks. */
function drawBody(chance: Chance, generation = 0): FakeProgram {
  const children: FakeProgram['children'][number][] = [];
  if (generation < 2) {
    while (chance.happens(0.25)) {
      children.push({
        after: chance.happens(0.5) ? 0 : chance.between(0, 5000),
        program: { ...drawBody(chance, generation + 1), ends: chance.happens(0.3) ? drawEnd(chance) : null },
        onSignal: chance.happens(0.15),
      });
    }
  }
  return fakeProgram({
    endsOnSignal: chance.happens(0.2) ? null : chance.happens(0.5) ? 0 : chance.between(1, 4000),
    codeOnSignal: chance.happens(0.4) ? chance.pick([0, 143]) : null,
    killTakes: chance.happens(0.9)
      ? 0
      : chance.happens(0.8)
        ? chance.between(1, 300)
        : chance.between(4000, 14_000),
    children,
    memory: chance.happens(0.8)
      ? { start: chance.between(0, 200), perSecond: 0 }
      : { start: chance.between(0, 2500), perSecond: chance.pick([0, 50, 500]) },
    cpu: chance.between(0, 120),
  });
}
