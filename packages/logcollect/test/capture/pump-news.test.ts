import { expect, it } from 'vitest';
import { newsOf } from '../../src/capture/pump-news.ts';

it('small channels are told with the setting that makes them small', () => {
  const news = newsOf({ type: 'channel-small', channel: 1, capacity: 8192 }, false);
  expect(news).toMatchObject({ type: 'log.dropped', payload: { bytes: 0 } });
  expect(news?.payload).toMatchObject({ reason: expect.stringMatching(/8192 bytes.*pipe-user-pages-soft/) });
});
