import { fileURLToPath } from 'node:url';
import { type MethodDefinition as Loaded, loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlService, coreService, healthService, type Method, SERVING_STATUS } from '../src/index.ts';

/** What the proto files say, by way of the reference implementation. */
const proto = (file: string, service: string) => {
  const path = fileURLToPath(new URL(`../proto/${file}`, import.meta.url));
  return loadSync(path, { keepCase: true, enums: String, longs: Number, defaults: true, oneofs: true })[
    service
  ] as unknown as Record<string, Loaded<object, object>>;
};

function same(ours: Method<never, never>, theirs: Loaded<object, object> | undefined): void {
  expect(theirs).toMatchObject({
    path: ours.path,
    requestStream: ours.requestStream,
    responseStream: ours.responseStream,
  });
}

const uint64 = fc.nat({ max: Number.MAX_SAFE_INTEGER });

describe('the contract is that of the proto files', () => {
  it('Ping', () => {
    same(coreService.Ping as never, proto('proto/core_service.proto', 'proto.CoreService')['Ping']);
    expect(coreService.Ping.requestSerialize({})).toEqual(Buffer.alloc(0));
  });

  it('health', () => {
    const theirs = proto('grpc/health/v1/health.proto', 'grpc.health.v1.Health');
    same(healthService.Check as never, theirs['Check']);
    same(healthService.Watch as never, theirs['Watch']);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (service) => {
        const ours = healthService.Check.requestSerialize({ service });
        expect(theirs['Check']?.requestDeserialize(ours)).toEqual({ service });
        const bytes = theirs['Check']?.requestSerialize({ service }) as Buffer;
        expect(healthService.Check.requestDeserialize(bytes)).toEqual({ service });
        expect(healthService.Check.requestDeserialize(ours)).toEqual({ service });
      }),
    );
    for (const status of SERVING_STATUS) {
      const bytes = theirs['Check']?.responseSerialize({ status }) as Buffer;
      expect(theirs['Check']?.responseDeserialize(healthService.Check.responseSerialize({ status }))).toEqual(
        { status },
      );
      expect(healthService.Check.responseDeserialize(bytes)).toEqual({ status });
    }
  });

  it('orders and reports', () => {
    const theirs = proto('hsu/unit/v1/control.proto', 'hsu.unit.v1.UnitControl')['Control'];
    const ours = controlService.Control;
    same(ours as never, theirs);
    fc.assert(
      fc.property(fc.string(), uint64, fc.boolean(), (text, number, serving) => {
        const greeting = ours.requestSerialize({ kind: 'greeting', worker: text, run: number });
        expect(theirs?.requestDeserialize(greeting)).toMatchObject({
          greeting: { worker: text, run: number },
        });
        const stop = theirs?.requestSerialize({ stop: { grace_ms: number } }) as Buffer;
        expect(ours.requestDeserialize(stop)).toEqual({ kind: 'stop', graceMs: number });
        const status = theirs?.responseSerialize({ status: { serving, text } }) as Buffer;
        expect(ours.responseDeserialize(status)).toEqual({ kind: 'status', serving, text });
        expect(
          theirs?.responseDeserialize(ours.responseSerialize({ kind: 'status', serving, text })),
        ).toMatchObject({
          status: { serving, text },
        });
      }),
    );
    const accepted = theirs?.responseSerialize({ accepted: {} }) as Buffer;
    expect(ours.responseDeserialize(accepted)).toEqual({ kind: 'accepted' });
    expect(theirs?.responseDeserialize(ours.responseSerialize({ kind: 'accepted' }))).toMatchObject({
      accepted: {},
    });
  });

  it('what a newer side adds is passed over, and what is no message is refused', () => {
    const newer = Buffer.from([
      0x08 + 8 * 6,
      5,
      0x0d + 8 * 7,
      1,
      2,
      3,
      4,
      0x09 + 8 * 7,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      0x82,
      0x01,
      1,
      0,
    ]);
    expect(controlService.Control.requestDeserialize(newer)).toEqual({ kind: 'unknown' });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          expect(controlService.Control.responseDeserialize(Buffer.from(bytes)).kind).toMatch(
            /accepted|status|unknown/,
          );
        } catch (error) {
          expect((error as Error).message).toMatch(/cut off|no end|wire type/);
        }
      }),
    );
  });
});
