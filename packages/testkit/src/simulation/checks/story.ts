import type { Decision, HsuEvent, Message, Worker, WorkerId } from '@hsu-master/core';
import type { Check, Succession, World } from '../check.ts';

interface Story {
  readonly run: number;
  /** unsaid: what the earlier master did last may not have been said. */
  step: 'starting' | 'failed' | 'started' | 'exited' | 'unsaid';
  ready: boolean;
  held: boolean;
  /** The process that started is the main one, or another took over. */
  mainKnown: boolean;
}

const NOTHING: Story = { run: 0, step: 'unsaid', ready: false, held: false, mainKnown: false };

/** Events: numbered without gaps, no defect, and each run’s in order. */
export class StoryCheck implements Check {
  readonly #world: World;
  readonly #stories = new Map<WorkerId, Story>();
  /** Of the workers that were recalled, those whose main process was known. */
  readonly #mainKnown = new Set<WorkerId>();
  #seq = 0;
  /** Of workers that nothing was heard of yet, anything may be told: what came before was missed. */
  #missedSome = false;

  constructor(world: World) {
    this.#world = world;
  }

  succeeded({ begunAnew, rebooted }: Succession): void {
    this.#seq = 0;
    for (const [id, { run }] of this.#stories)
      if (begunAnew || rebooted) this.#stories.set(id, { ...NOTHING, run });
    for (const id of new Set([...this.#stories.keys(), ...this.#world.specs.keys()]))
      this.#stories.set(id, { ...NOTHING, ...this.#stories.get(id), step: 'unsaid' });
  }

  /** So many events were not heard. */
  missed(events: number): void {
    this.#seq += events;
    this.#stories.clear();
    this.#missedSome = true;
  }

  /** What an earlier master began of a worker that comes back may not have been said. */
  changed(ids: ReadonlySet<WorkerId>): void {
    for (const id of ids) if (!this.#stories.has(id)) this.#stories.set(id, { ...NOTHING });
  }

  /** That another process took over may be remembered and not have been said. */
  decided(_before: Worker, message: Message, { worker: { id, phase } }: Decision): void {
    if (message.kind !== 'recalled') return;
    if (phase.name !== 'running' || phase.mainKnown) this.#mainKnown.add(id);
    else this.#mainKnown.delete(id);
  }

  event(event: HsuEvent): void {
    if (event.seq !== this.#seq + 1) {
      this.#world.violate('events-are-numbered', `${event.seq} came after ${this.#seq}`);
    }
    this.#seq = event.seq;
    if (event.type === 'supervisor.defect') this.#world.violate('no-defect', event.payload.message);
    if (event.workerId === null) return;
    const story = this.#stories.get(event.workerId);
    if (story === undefined && this.#missedSome && event.type !== 'worker.starting') return;
    const fits =
      event.type === 'worker.starting'
        ? this.#begins(event, story)
        : event.type === 'worker.attached'
          ? this.#isAttached(event, story)
          : this.#goesOn(event, story);
    if (fits) return;
    const before = story === undefined ? 'before any run' : `when run ${story.run} had ${story.step}`;
    this.#world.violate(
      'each-run-tells-its-story',
      `${event.workerId}: ${event.type} of run ${event.run} ${before}`,
    );
  }

  ended(survivors: ReadonlySet<number>): void {
    if (survivors.size > 0) return;
    for (const [id, { run, step }] of this.#stories) {
      if ((step !== 'starting' && step !== 'started') || !this.#world.specs.has(id)) continue;
      this.#world.violate('each-run-tells-its-story', `${id}: run ${run} had ${step} and never ended`);
    }
  }

  #begins({ workerId, run }: HsuEvent, story: Story | undefined): boolean {
    this.#stories.set(workerId ?? '', {
      run: run ?? 0,
      step: 'starting',
      ready: false,
      held: false,
      mainKnown: false,
    });
    if (story?.step === 'unsaid') return (run ?? 0) > story.run;
    if (story === undefined && this.#missedSome) return true;
    if (run !== (story?.run ?? 0) + 1) return false;
    return story?.step !== 'starting' && story?.step !== 'started';
  }

  /** A run is attached to once by each master, before all else that is said of it. */
  #isAttached({ workerId, run, ...event }: HsuEvent, story: Story | undefined): boolean {
    const ready = event.type === 'worker.attached' && event.payload.ready;
    const mainKnown = ready || this.#mainKnown.has(workerId ?? '');
    this.#stories.set(workerId ?? '', { run: run ?? 0, step: 'started', ready, held: false, mainKnown });
    return story === undefined || (story.step === 'unsaid' && (run ?? 0) >= story.run);
  }

  /** Whether the event may come now; notes what it tells. */
  #goesOn(event: HsuEvent, story: Story | undefined): boolean {
    const present = story?.run === event.run ? story : undefined;
    switch (event.type) {
      case 'worker.spawn-failed':
        return moves(present, 'starting', 'failed');
      case 'worker.started':
        if (present !== undefined) {
          present.mainKnown = this.#world.described(event.workerId ?? '')?.mainProcess === null;
        }
        return moves(present, 'starting', 'started');
      case 'worker.exited':
        return moves(present, 'started', 'exited');
      case 'worker.daemonized':
        if (present !== undefined) present.mainKnown = true;
        return moves(present, 'started', 'started');
      case 'worker.ready':
      case 'worker.unready':
        return turns(present, event.type === 'worker.ready');
      case 'worker.throttled':
        if (present?.step !== 'started' || present.held) return false;
        present.held = true;
        return true;
      case 'worker.unthrottled':
        if (present?.held !== true) return false;
        present.held = false;
        return true;
      case 'worker.stopped':
      case 'worker.failed':
      case 'worker.backing-off':
        return story?.step !== 'starting' && story?.step !== 'started';
      default:
        return true;
    }
  }
}

function moves(story: Story | undefined, from: Story['step'], to: Story['step']): boolean {
  if (story?.step !== from) return false;
  story.step = to;
  return true;
}

function turns(story: Story | undefined, ready: boolean): boolean {
  if (story?.step !== 'started' || !story.mainKnown || story.ready === ready) return false;
  story.ready = ready;
  return true;
}
