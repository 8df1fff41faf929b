import type { HsuEvent, WorkerId } from '@hsu-master/core';
import type { Check, World } from '../check.ts';

interface Story {
  readonly run: number;
  step: 'starting' | 'failed' | 'started' | 'exited';
  ready: boolean;
  /** The process that started is the main one, or another took over. */
  mainKnown: boolean;
}

/** Events: numbered without gaps, no defect, and each run’s in order. */
export function checkStory(world: World): Check {
  let stories = new Map<WorkerId, Story>();
  let seq = 0;
  const broken = (event: HsuEvent, story: Story | undefined): void => {
    const before = story === undefined ? 'before any run' : `when run ${story.run} had ${story.step}`;
    world.violate(
      'each-run-tells-its-story',
      `${event.workerId}: ${event.type} of run ${event.run} ${before}`,
    );
  };
  return {
    master() {
      stories = new Map();
      seq = 0;
    },
    event(event) {
      if (event.seq !== seq + 1) world.violate('events-are-numbered', `${event.seq} came after ${seq}`);
      seq = event.seq;
      if (event.type === 'supervisor.defect') world.violate('no-defect', event.payload.message);
      if (event.workerId === null || !event.type.startsWith('worker.')) return;
      const story = stories.get(event.workerId);
      switch (event.type) {
        case 'worker.starting':
          if (story?.step === 'starting' || story?.step === 'started') broken(event, story);
          if (event.run !== (story?.run ?? 0) + 1) broken(event, story);
          stories.set(event.workerId, {
            run: event.run ?? 0,
            step: 'starting',
            ready: false,
            mainKnown: false,
          });
          return;
        case 'worker.spawn-failed':
          if (story?.step !== 'starting' || story.run !== event.run) broken(event, story);
          else story.step = 'failed';
          return;
        case 'worker.started':
          if (story?.step !== 'starting' || story.run !== event.run) return broken(event, story);
          story.step = 'started';
          story.mainKnown = world.specs.get(event.workerId)?.mainProcess === null;
          return;
        case 'worker.exited':
          if (story?.step !== 'started' || story.run !== event.run) broken(event, story);
          else story.step = 'exited';
          return;
        case 'worker.daemonized':
          if (story?.step !== 'started' || story.run !== event.run) return broken(event, story);
          story.mainKnown = true;
          return;
        case 'worker.ready':
        case 'worker.unready': {
          const ready = event.type === 'worker.ready';
          if (story?.step !== 'started' || story.run !== event.run) return broken(event, story);
          if (story.ready === ready || !story.mainKnown) broken(event, story);
          story.ready = ready;
          return;
        }
        case 'worker.stopped':
        case 'worker.failed':
        case 'worker.backing-off':
          if (story?.step === 'starting' || story?.step === 'started') broken(event, story);
          return;
        default:
      }
    },
    ended(survivors) {
      if (survivors.size > 0) return;
      for (const [id, { run, step }] of stories) {
        if (step !== 'starting' && step !== 'started') continue;
        world.violate('each-run-tells-its-story', `${id}: run ${run} had ${step} and never ended`);
      }
    },
  };
}
