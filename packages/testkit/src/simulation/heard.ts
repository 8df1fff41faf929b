import type { HsuEvent } from '@hsu-master/core';
import type { World } from './check.ts';
import { StoryCheck } from './checks/story.ts';

/** What somebody is told of a master’s events, held to the properties of the simulation that speak of events alone. */
export interface HeardStory {
  /** How many. */
  readonly heard: number;
  event(event: Pick<HsuEvent, 'seq' | 'type' | 'workerId' | 'run'> & { readonly payload: object }): void;
  /** So many events were lost on the way, as it was told. */
  missed(events: number): void;
}

/** For workers whose leader is their main process. `violated` hears of what cannot be. */
export function heardStory(violated: (what: string) => void): HeardStory {
  const world: Pick<World, 'described' | 'specs' | 'violate'> = {
    specs: new Map(),
    described: () => ({ mainProcess: null }) as ReturnType<World['described']>,
    violate: (property, detail) => violated(`${property}: ${detail}`),
  };
  const check = new StoryCheck(world as World);
  let heard = 0;
  return {
    get heard() {
      return heard;
    },
    event(event) {
      heard += 1;
      check.event(event as HsuEvent);
    },
    missed: (events) => check.missed(events),
  };
}
