import type { ServiceDefinition } from '@grpc/proto-loader';
import { attack, GrpcAttacker, grpcCalls, http2Garbage, pour, spanOfAttack } from '@hsu-master/testkit/fuzz';
import { describe, expect } from 'vitest';
import { ASKS } from '../src/asks.ts';
import { loadProtos } from '../src/protos.ts';
import { it, type Served } from './rig.ts';

// All methods, also those that would end a master; a real one is attacked by the launcher’s tests.

/** Of the thirty seconds that all forms take together. */
const SECONDS = { bytes: 1.5, calls: 2.5 };
const spare = 20_000 * Number(process.env['HSU_TIME_FACTOR'] ?? 1);

async function standsAsBefore(served: Served): Promise<void> {
  const caller = served.caller();
  expect(await caller.ask('proto.MasterService', 'Status', {})).toEqual({ status: 'hsu-master: OK' });
  expect(served.defects).toEqual([]);
}

describe('fuzz: whatever comes, the server answers on', () => {
  it('bytes', { timeout: spanOfAttack(SECONDS.bytes) + spare }, async ({ served }) => {
    const place = { host: '127.0.0.1', port: served.port };
    const tried = await attack(
      'gRPC bytes',
      SECONDS.bytes,
      http2Garbage,
      async (bytes) => void (await pour(place, bytes)),
    );
    expect(tried).toBeGreaterThan(10);
    await standsAsBefore(served);
  });

  it('calls', { timeout: spanOfAttack(SECONDS.calls) + spare }, async ({ served }) => {
    const paths = Object.keys(ASKS).flatMap((service) =>
      Object.values(loadProtos()[service] as ServiceDefinition).map(({ path }) => path),
    );
    const attacker = new GrpcAttacker(served.address);
    try {
      const calls = grpcCalls(paths, ['all', 'reader', 'nobody']);
      const tried = await attack('gRPC calls', SECONDS.calls, calls, async (call) => {
        await attacker.send(call);
        expect(served.defects).toEqual([]);
      });
      expect(tried).toBeGreaterThan(10);
    } finally {
      attacker.close();
    }
    await standsAsBefore(served);
  });
});
