import { closeSync, writeSync } from 'node:fs';
import type { Milliseconds } from '@hsu-master/core';
import { realClock } from '@hsu-master/workers';
import type { Master } from './create-master.ts';

/** A worker that keeps `up` from having come about. */
export interface NotReady {
  readonly id: string;
  readonly doing: string;
}

/** What a master in the background tells the `up` that started it, as lines of JSON. */
export type ReadinessNews =
  | {
      readonly kind: 'waiting';
      readonly ready: number;
      readonly wanted: number;
      readonly notReady: readonly NotReady[];
    }
  | { readonly kind: 'ready'; readonly wanted: number }
  /** Nothing more will become ready by itself soon. */
  | { readonly kind: 'not-ready'; readonly notReady: readonly NotReady[] };

/** The variable by which `up` names the descriptor that it listens at. */
export const READINESS_CHANNEL = 'HSU_READINESS_FD';

/** That descriptor; null: nobody listens. Takes it out of the environment: it is for this program alone, and for this life of it. */
export function takeReadinessChannel(env: Record<string, string | undefined>): number | null {
  const text = env[READINESS_CHANNEL];
  delete env[READINESS_CHANNEL];
  return text === undefined || !/^\d{1,4}$/.test(text) ? null : Number(text);
}

/** Failures in a row after which nobody should be kept waiting for a worker. */
const OFTEN = 2;

/** What has no probe is ready as soon as it runs; only what runs for so long is told to be. */
const SETTLED: Milliseconds = 300;

/** Tells how far the workers are, until all are ready or one will not be so soon; then closes the channel. */
export function reportReadiness(master: Master, channel: number): void {
  let last = '';
  const tell = (news: ReadinessNews): boolean => {
    const text = `${JSON.stringify(news)}\n`;
    if (text === last) return true;
    last = text;
    try {
      writeSync(channel, text);
      return true;
    } catch {
      // Whoever waited has gone.
      return false;
    }
  };
  let unsubscribe = (): void => {};
  let isTold = false;
  let cancel: (() => void) | null = null;
  const finish = (news: ReadinessNews): void => {
    isTold = true;
    tell(news);
    unsubscribe();
    closeSync(channel);
  };
  const look = (): void => {
    if (isTold) return;
    const news = judge(master);
    if (news.kind === 'ready') {
      cancel ??= realClock().after(SETTLED, () => finish(news));
      return;
    }
    cancel?.();
    cancel = null;
    if (!tell(news) || news.kind === 'not-ready') finish(news);
  };
  unsubscribe = master.events.subscribe(look);
  look();
}

function judge(master: Master): ReadinessNews {
  const wanted = master.workers().filter(({ desired, phase }) => desired === 'up' || phase === 'failed');
  const notReady = wanted.filter(({ ready, completed }) => !ready && !completed);
  if (notReady.length === 0) return { kind: 'ready', wanted: wanted.length };
  const told = notReady.map(({ id, doing }) => ({ id, doing }));
  const hopeless = new Set(
    notReady
      .filter(
        ({ phase, failuresInARow }) => phase === 'failed' || (phase === 'backoff' && failuresInARow >= OFTEN),
      )
      .map(({ id }) => id),
  );
  const isBlocked = ({ phase, waiting }: (typeof notReady)[number]): boolean =>
    phase === 'blocked' && waiting.some(({ id }) => hopeless.has(id));
  for (let before = -1; before !== hopeless.size; ) {
    before = hopeless.size;
    for (const worker of notReady) if (isBlocked(worker)) hopeless.add(worker.id);
  }
  if (notReady.every(({ id }) => hopeless.has(id))) return { kind: 'not-ready', notReady: told };
  return { kind: 'waiting', ready: wanted.length - notReady.length, wanted: wanted.length, notReady: told };
}
