import type { Clock, HookFact, LimitName, LimitPolicy, RunContext, RunHook } from '@hsu-master/core';
import type { Chance } from '../chance.ts';

/**
 * A hook that tells its run whatever its spec’s probes and limits could find out, at random times; now and then it tells one thing more
 * after it was ended, as a probe does whose answer was under way.
 */
export function factsHook(chance: Chance, clock: Clock): RunHook {
  return {
    name: 'facts',
    begin(context) {
      const { probes, mainProcess, limits } = context.spec;
      let ended = false;
      const tellLater = (most: number, fact: () => HookFact | null, again: boolean): void => {
        clock.after(chance.between(0, most), () => {
          const late = ended && !chance.happens(0.3);
          const told = late ? null : fact();
          if (told !== null) context.tell(told);
          if (again && !ended) tellLater(20_000, fact, true);
        });
      };
      if (probes.readiness !== null) tellLater(2000, () => readiness(chance), true);
      if (probes.liveness !== null && chance.happens(0.4)) {
        tellLater(30_000, () => ({ kind: 'became-unhealthy', probe: 'liveness', reason: 'drawn' }), false);
      }
      if (limits !== null) tellLater(8000, () => excess(chance), true);
      if (mainProcess !== null) tellLater(mainProcess.timeout, () => main(context, chance), false);
      return () => {
        ended = true;
      };
    },
  };
}

function readiness(chance: Chance): HookFact {
  return chance.happens(0.75) ? { kind: 'became-ready' } : { kind: 'became-unready', reason: 'drawn' };
}

const TOLD: readonly [LimitPolicy, ...LimitPolicy[]] = [
  'none',
  'log',
  'alert',
  'throttle',
  'throttle',
  'throttle',
];
const ENDING: readonly [LimitPolicy, ...LimitPolicy[]] = [
  'graceful_shutdown',
  'immediate_kill',
  'restart',
  'restart',
  'restart_adjusted',
];

function excess(chance: Chance): HookFact {
  const limit = chance.pick<LimitName>(['memory.max_rss', 'cpu.max_percent']);
  if (chance.happens(0.3)) return { kind: 'limit-cleared', limit };
  const policy = chance.pick(chance.happens(0.8) ? TOLD : ENDING);
  return { kind: 'limit-exceeded', limit, policy, reason: 'drawn' };
}

function main(context: RunContext, chance: Chance): HookFact {
  const [first, ...others] = context.members().filter((member) => member.pid !== context.process.pid);
  if (first === undefined || chance.happens(0.1)) return { kind: 'main-process-missing', reason: 'drawn' };
  return { kind: 'main-process-found', process: chance.pick([first, ...others]) };
}
