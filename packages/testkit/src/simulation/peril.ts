import type { Clock, Host, HostRun, Journal, RunHook, RunReport, SpawnRequest } from '@hsu-master/core';
import { altered } from '../altered.ts';

/** The moments in which a master can be killed: before each thing that it does to the world, and while a run waits at its gate. */
export interface Peril {
  readonly dead: boolean;
  /** One of these moments; the master may be dead after it. */
  step(): void;
}

/** What the dead do has no effect. */
function unlessDead<T>(peril: Peril, act: () => T, otherwise: T): T {
  if (!peril.dead) peril.step();
  return peril.dead ? otherwise : act();
}

export function mortalHost(host: Host, peril: Peril): Host {
  const begin = (begun: () => HostRun): HostRun => {
    if (!peril.dead) peril.step();
    // A host that is closed begins nothing.
    return mortalRun(begun(), peril);
  };
  return altered(host, {
    spawn: (request, report) =>
      begin(() => {
        const record: SpawnRequest['record'] = (process) => {
          request.record(process);
          if (!peril.dead) peril.step();
        };
        return host.spawn({ ...request, record }, heard(report, peril));
      }),
    attach: (request, report) => begin(() => host.attach(request, heard(report, peril))),
  });
}

function heard(report: (report: RunReport) => void, peril: Peril): (report: RunReport) => void {
  return (said) => {
    if (!peril.dead) report(said);
  };
}

function mortalRun(run: HostRun, peril: Peril): HostRun {
  return altered(run, {
    signalTree: (signal) => unlessDead(peril, () => run.signalTree(signal), undefined),
    follow: (process) => unlessDead(peril, () => run.follow(process), true),
    detachOutput: () => unlessDead(peril, () => run.detachOutput(), undefined),
    setLimits: (limits) => unlessDead(peril, () => run.setLimits(limits), []),
    freeze: (frozen) => unlessDead(peril, () => run.freeze(frozen), true),
    throttle: (percent) => unlessDead(peril, () => run.throttle(percent), undefined),
  });
}

export function mortalJournal(journal: Journal, peril: Peril): Journal {
  return altered(journal, {
    recordRun: (record) => unlessDead(peril, () => journal.recordRun(record), undefined),
    forgetRun: (...run) => unlessDead(peril, () => journal.forgetRun(...run), undefined),
    remember: (...memo) => unlessDead(peril, () => journal.remember(...memo), undefined),
    recordJudgement: (...judged) => unlessDead(peril, () => journal.recordJudgement(...judged), undefined),
    recordDesired: (...wish) => unlessDead(peril, () => journal.recordDesired(...wish), undefined),
  });
}

/** A hook that begins and ends nothing for the dead. */
export function mortalHook(hook: RunHook, peril: Peril): RunHook {
  return {
    name: hook.name,
    begin(context) {
      const end = unlessDead(
        peril,
        () => hook.begin(context),
        () => {},
      );
      return (how) => unlessDead(peril, () => end(how), undefined);
    },
  };
}

/**
 * A clock whose timers never fire for the dead.
 * @param bootedAt when the machine was started: the monotonic clock counts from there
 */
export function mortalClock(clock: Clock, bootedAt: number, peril: Peril): Clock {
  return {
    now: () => clock.now() - bootedAt,
    wallNow: () => clock.wallNow(),
    random: () => clock.random(),
    after(delay, fire) {
      if (!peril.dead) peril.step();
      return clock.after(delay, () => {
        if (!peril.dead) fire();
      });
    },
  };
}
