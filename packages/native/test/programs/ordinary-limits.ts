import type { NativeEvent, NativeLimits } from '../../src/index.ts';
import { limits, noProcessLimits } from '../limits.ts';
import { native, options } from './run.ts';

const addon = native();
const events: NativeEvent[] = [];
let told = (): void => undefined;
const engine = addon.openEngine({
  subreaper: false,
  maxUnacknowledgedBytes: 1 << 20,
  onEvents(batch) {
    events.push(...batch);
    told();
  },
});

async function end(handle: number): Promise<NativeEvent> {
  for (;;) {
    const found = events.find(
      (event) =>
        (event.type === 'exited' || event.type === 'exec-failed') &&
        'handle' in event &&
        event.handle === handle,
    );
    if (found) return found;
    await new Promise<void>((resolve) => {
      told = resolve;
    });
  }
}

async function attempt(title: string, change: Partial<NativeLimits>): Promise<void> {
  const result = engine.spawn(options('/bin/true', ['true'], { limits: limits(change) }));
  let code: string;
  if (result.ok) {
    engine.release(result.value.handle, true);
    const event = await end(result.value.handle);
    code = event.type === 'exec-failed' ? event.failure.code : 'started';
  } else {
    code = result.failure.code;
  }
  process.stdout.write(`${title}: ${code}\n`);
}

const script =
  'echo milder: $(cut -d" " -f19 /proc/self/stat) $(cat /proc/self/oom_score_adj) $(ionice -p $$) $(ulimit -n)';
const mild = engine.spawn(
  options('/bin/sh', ['sh', '-c', script], {
    stdout: 'inherit',
    limits: limits({
      nice: 9,
      oomScoreAdj: 900,
      ioPriority: { class: 3, level: 0 },
      rlimits: [{ resource: 7, soft: 20, hard: 20 }],
    }),
  }),
);
if (!mild.ok) throw new Error(JSON.stringify(mild.failure));
engine.release(mild.value.handle, true);
await end(mild.value.handle);
await attempt('nice', { nice: -1 });
await attempt('real-time', { scheduler: { policy: 1, priority: 1 } });
await attempt('real-time I/O', { ioPriority: { class: 1, level: 4 } });
const unlimited = { soft: 2 ** 40, hard: 2 ** 40 };
await attempt('a higher hard limit', { rlimits: [{ resource: 7, ...unlimited }] });
await attempt('a better oom_score_adj', { oomScoreAdj: -900 });

const change = {
  ...noProcessLimits,
  nice: 5,
  oomScoreAdj: 50,
  rlimits: [{ resource: 7, soft: 30, hard: 40 }],
};
const summary = (failures: readonly { step: string; code: string }[]): string =>
  failures
    .map(({ step, code }) => `${step} ${code}`)
    .toSorted()
    .join(', ') || 'none';
const child = engine.spawn(options('/bin/sleep', ['sleep', '60']));
if (!child.ok) throw new Error(JSON.stringify(child.failure));
engine.release(child.value.handle, true);
await new Promise<void>((resolve) => {
  const look = (): void => {
    if (events.some((event) => event.type === 'execed' && event.handle === child.value.handle)) resolve();
    else told = look;
  };
  look();
});
process.stdout.write(
  `own child, living: ${summary(addon.limitProcess(child.value.pid, child.value.startTime, change))}\n`,
);
engine.signal(child.value.handle, 9);
await end(child.value.handle);
const parent = addon.identify(process.ppid);
if (!parent) throw new Error('no parent');
process.stdout.write(
  `a process of root: ${summary(addon.limitProcess(parent.pid, parent.startTime, change))}\n`,
);
engine.close();
