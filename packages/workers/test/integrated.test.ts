import type {
  ControlledUnit,
  ControlNews,
  GrpcPort,
  GrpcTarget,
  Host,
  HostRun,
  RunContext,
} from '@hsu-master/core';
import { FakeClock, workerSpec } from '@hsu-master/testkit';
import { describe, expect, it } from 'vitest';
import { integratedHook } from '../src/kinds/integrated.ts';

/** Control streams as the test wants them. */
class Streams implements GrpcPort {
  readonly opened: { target: GrpcTarget; unit: ControlledUnit; heard: (news: ControlNews) => void }[] = [];
  readonly orders: unknown[] = [];
  check(): never {
    throw new Error('it checks nothing');
  }
  control(target: GrpcTarget, unit: ControlledUnit, heard: (news: ControlNews) => void) {
    this.opened.push({ target, unit, heard });
    return {
      stop: (grace: number) => void this.orders.push({ stop: grace }),
      close: () => void this.orders.push('close'),
    };
  }
  close(): void {}
}

const LISTEN = { range: null, argument: '--port', handOver: 'reserve', isUnit: true } as const;
const closed = { kind: 'closed', isMissing: false, reason: 'refused' } as const;

function begin(differs: Partial<RunContext> = {}) {
  const clock = new FakeClock();
  const streams = new Streams();
  const spec = workerSpec('svc', { listen: LISTEN, stop: { signal: 'SIGTERM', grace: 4000 } });
  const context: RunContext = {
    spec,
    run: 3,
    limits: null,
    process: { pid: 1, startedAt: '1' },
    port: 50_100,
    since: 0,
    startedUp: false,
    host: {} as Host,
    clock,
    members: () => [],
    tree: {} as HostRun,
    isHeldBack: () => false,
    tell: () => {},
    publish: () => {},
    ...differs,
  };
  return { clock, streams, end: integratedHook(streams).begin(context) };
}

describe('the control stream of a run', () => {
  it('is opened at the port of the run, and asks it to stop within its grace', () => {
    const { clock, streams, end } = begin();
    clock.advance(100);
    expect(streams.opened[0]).toMatchObject({
      target: { host: '127.0.0.1', port: 50_100 },
      unit: { workerId: 'svc', run: 3 },
    });
    streams.opened[0]?.heard({ kind: 'opened' });
    end('asked');
    expect(streams.orders).toEqual([{ stop: 4000 }]);
  });

  it('is tried again until the program listens, ever more seldom, and after it broke', () => {
    const { clock, streams } = begin();
    clock.advance(100);
    for (let count = 0; count < 3; count += 1) {
      streams.opened.at(-1)?.heard(closed);
      clock.advance(10_000);
    }
    expect(streams.opened).toHaveLength(4);
    streams.opened.at(-1)?.heard({ kind: 'opened' });
    streams.opened.at(-1)?.heard(closed);
    clock.advance(199);
    expect(streams.opened).toHaveLength(4);
    clock.advance(1);
    expect(streams.opened).toHaveLength(5);
  });

  it('is not asked for again where the program has none', () => {
    const { clock, streams } = begin();
    clock.advance(100);
    streams.opened[0]?.heard({ ...closed, isMissing: true });
    clock.advance(60_000);
    expect(streams.opened).toHaveLength(1);
  });

  it.each(['left', 'gone'] as const)('a unit that is %s is not asked to stop', (how) => {
    const { clock, streams, end } = begin();
    clock.advance(100);
    end(how);
    expect(streams.orders).toEqual(['close']);
    streams.opened[0]?.heard(closed);
    clock.advance(60_000);
    expect(streams.opened).toHaveLength(1);
  });

  it('is that of units only', () => {
    for (const differs of [{ port: null }, { spec: workerSpec('plain') }]) {
      const { clock, streams, end } = begin(differs);
      clock.advance(60_000);
      end('asked');
      expect(streams.opened).toEqual([]);
    }
  });
});
