import type { EventDraft } from '@hsu-master/core';
import type { LossCause, SinkNews } from '../sinks/queue-spec.ts';

const CAUSES: Readonly<Record<LossCause, string>> = {
  dropped: 'had no room',
  refused: 'were refused',
  damaged: 'could not be read from its spill',
};

/** What the world is told of a sink; null: nothing. */
export function eventOfSink(news: SinkNews): EventDraft | null {
  const { sink } = news;
  switch (news.kind) {
    case 'losing':
      return dropped(0, `lines for ${sink} ${CAUSES[news.cause]}: ${news.reason}`);
    case 'lost':
      return dropped(news.bytes, `${news.records} lines for ${sink} ${CAUSES[news.cause]}: ${news.reason}`);
    case 'failing':
      return { type: 'log.sink-failing', payload: { sink, reason: news.reason } };
    case 'spill-failing':
      return { type: 'log.sink-failing', payload: { sink, reason: `its spill: ${news.reason}` } };
    case 'recovered':
      return { type: 'log.sink-recovered', payload: { sink, failures: news.failures, after: news.after } };
    case 'found':
      return { type: 'log.sink-found', payload: { sink, lines: news.records } };
  }
}

function dropped(bytes: number, reason: string): EventDraft {
  return { type: 'log.dropped', payload: { bytes, reason } };
}
