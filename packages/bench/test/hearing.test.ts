import { describe, expect, it } from 'vitest';
import { type Ear, type News, tellLive, tellPast } from '../src/hearing.ts';

const event = (seq: number, type = 'worker.started'): News => ({ kind: 'event', seq, type });

/** Told at once of what is past, and of the rest by `later`. */
function ear(...past: readonly News[]): Ear & { later(...news: readonly News[]): void } {
  let tell: (news: News) => void = () => undefined;
  return {
    hear(_past, told) {
      tell = told;
      for (const news of past) told(news);
    },
    later: (...news) => news.forEach((one) => tell(one)),
    close: () => undefined,
  };
}

describe('events as they are told', () => {
  it('of the past are counted to the newest, without those that are kept no longer', async () => {
    const ears = [ear({ kind: 'begun', seq: 6 }, { kind: 'lost' }, event(5), event(6), event(7))];
    expect(await tellPast(ears, 2)).toBeGreaterThan(0);
    await expect(tellPast([ear({ kind: 'begun', seq: 6 }, event(6))], 2)).rejects.toThrow('told 1 events');
    await expect(
      tellPast([ear({ kind: 'begun', seq: 6 }, event(4), { kind: 'lost' }, event(6))], 1),
    ).rejects.toThrow('lacking');
  });

  it('that come are counted by each subscriber until the last that is awaited', async () => {
    const ears = [ear({ kind: 'begun', seq: 3 }), ear({ kind: 'begun', seq: 3 })];
    const rate = await tellLive(ears, 'worker.started', 2, () => {
      for (const each of ears) each.later(event(4, 'worker.exited'), event(5), event(6));
    });
    expect(rate).toBeGreaterThan(0);
  });

  it('may not lack one', async () => {
    const deaf = ear({ kind: 'begun', seq: 3 });
    await expect(tellLive([deaf], 'worker.started', 1, () => deaf.later(event(5)))).rejects.toThrow(
      'lacking after 3',
    );
  });
});
