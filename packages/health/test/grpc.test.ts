import type { CheckAnswer, GrpcCall, GrpcPort, GrpcTarget } from '@hsu-master/core';
import { describe, expect, it } from 'vitest';
import { Bench, probe } from './support/bench.ts';

/** Remembers what it was asked, and answers when the test says so. */
class Asked implements GrpcPort {
  readonly calls: { target: GrpcTarget; call: GrpcCall; answered: (answer: CheckAnswer) => void }[] = [];
  ended = 0;
  check(target: GrpcTarget, call: GrpcCall, answered: (answer: CheckAnswer) => void): () => void {
    this.calls.push({ target, call, answered });
    return () => {
      this.ended += 1;
    };
  }
  control(): never {
    throw new Error('a check opens no control stream');
  }
  close(): void {}
}

const own = { type: 'grpc', host: '127.0.0.1', port: null, call: { kind: 'ping' }, headers: {} } as const;

describe('a gRPC probe', () => {
  it('asks at the port that the worker was given, at that address', () => {
    const grpc = new Asked();
    const bench = new Bench({ readiness: probe(own) }, { grpc });
    bench.port = 50_100;
    bench.begin().clock.advance(0);
    expect(grpc.calls[0]).toMatchObject({
      target: { host: '127.0.0.1', port: 50_100, addresses: [{ address: '127.0.0.1', family: 4 }] },
      call: { kind: 'ping' },
    });
    grpc.calls[0]?.answered({ passed: true, reason: 'Ping answered' });
    expect(bench.told).toEqual([{ kind: 'became-ready' }]);
  });

  it('fails when no answer comes in time, and ends the call', () => {
    const grpc = new Asked();
    const bench = new Bench({ readiness: probe({ ...own, port: 7 }) }, { grpc });
    bench.begin().clock.advance(500);
    expect(grpc.ended).toBe(1);
    expect(bench.told).toEqual([
      { kind: 'became-unready', reason: 'no answer over gRPC from 127.0.0.1:7 within 500ms' },
    ]);
    grpc.calls[0]?.answered({ passed: true, reason: 'late' });
    expect(bench.told).toHaveLength(1);
  });

  it('fails where there is no port, or nobody who speaks gRPC', () => {
    const portless = new Bench({ readiness: probe(own) }, { grpc: new Asked() });
    portless.begin().clock.advance(0);
    expect(portless.told).toMatchObject([{ reason: 'the worker was given no port to ask' }]);
    const mute = new Bench({ readiness: probe({ ...own, port: 7 }) });
    mute.begin().clock.advance(0);
    expect(mute.told).toMatchObject([{ reason: 'nobody here speaks gRPC' }]);
  });

  it('ends with its run', () => {
    const grpc = new Asked();
    const bench = new Bench({ liveness: probe({ ...own, port: 7 }) }, { grpc });
    bench.begin().clock.advance(0);
    bench.end();
    expect(grpc.ended).toBe(1);
    grpc.calls[0]?.answered({ passed: false, reason: 'late' });
    bench.clock.advance(10_000);
    expect(bench.told).toEqual([]);
    expect(grpc.calls).toHaveLength(1);
  });
});
