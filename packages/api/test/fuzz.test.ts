import {
  attack,
  type DescribedRoutes,
  httpGarbage,
  httpRequests,
  pour,
  sendHttp,
  spanOfAttack,
  upgradeHead,
  webSocketFrames,
} from '@hsu-master/testkit/fuzz';
import { describe, expect } from 'vitest';
import { problem } from '../src/contract/problem.ts';
import { openApiDocument } from '../src/index.ts';
import { it } from './rig.ts';

// All routes, also those that would end a master; a real one is attacked by the launcher’s tests.

/** Of the thirty seconds that all forms take together. */
const SECONDS = { requests: 4, bytes: 1.5, frames: 1.5 };
const spare = 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

describe('fuzz', () => {
  it('whatever is asked, the answer is no defect, and errors are problems', {
    timeout: spanOfAttack(SECONDS.requests) + spare,
  }, async ({ served }) => {
    served.master.publish();
    const document = (await openApiDocument()) as DescribedRoutes;
    const asked = httpRequests(document, (_method, route) => route !== '/v1/stream');
    const tried = await attack('requests', SECONDS.requests, asked, async (one) => {
      const answer = await sendHttp({ path: served.socket }, one);
      expect(served.defects).toEqual([]);
      if (answer === null || one.method === 'HEAD') return;
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) problem.parse(JSON.parse(answer.text));
    });
    expect(tried).toBeGreaterThan(10);
  });

  it('protocol garbage ends its connection and nothing else', {
    timeout: spanOfAttack(SECONDS.bytes) + spare,
  }, async ({ served }) => {
    await attack('bytes', SECONDS.bytes, httpGarbage, async (bytes) => {
      await pour({ path: served.socket }, bytes);
      expect(served.defects).toEqual([]);
    });
    expect(await served.client.health()).toMatchObject({ workers: { total: 2 } });
  });

  it('frames of a WebSocket that are none, or say nothing sensible, end at most their connection', {
    timeout: spanOfAttack(SECONDS.frames) + spare,
  }, async ({ served }) => {
    await attack('WebSocket', SECONDS.frames, webSocketFrames, async (frames) => {
      await pour({ path: served.socket }, Buffer.concat([Buffer.from(upgradeHead()), frames]));
      expect(served.defects).toEqual([]);
    });
    expect(await served.client.health()).toMatchObject({ workers: { total: 2 } });
  });
});
