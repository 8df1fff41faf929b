import type { GrpcPort, MonotonicTime, Probe, RunContext, RunHook } from '@hsu-master/core';
import { AddressBook, type Lookup } from './address.ts';
import type { Cancel } from './answer.ts';
import type { Means } from './check.ts';
import { type Judge, type ProbeName, sameRhythm, watch } from './watch.ts';

/**
 * The hook that runs a worker's probes and tells their verdicts.
 *
 * Startup gates the other two: they begin when it has passed, and then it is over. A bad verdict of startup or liveness is told
 * once, and again only after it was good in between; never before `restart.startupGrace` has passed since the start: what is
 * bad at the end of the grace is told then. Where there is startup but no readiness, passing startup means ready. A run that passed
 * it under an earlier master is not asked again.
 *
 * @param lookup resolves names; by default the system's resolver
 * @param grpc makes gRPC checks; without it they fail and say so
 */
export function healthHook(lookup?: Lookup, grpc: GrpcPort | null = null): RunHook {
  const means = { book: new AddressBook(lookup), grpc };
  return {
    name: 'health',
    begin(context) {
      const { startup, liveness, readiness } = context.spec.probes;
      return startup === null && liveness === null && readiness === null
        ? nothing
        : accompany(context, means);
    },
  };
}

function nothing(): void {
  /* a worker without probes costs nothing */
}

function accompany(context: RunContext, means: Means): Cancel {
  const { since } = context;
  const startup = context.startedUp ? null : context.spec.probes.startup;
  const started = startup === null ? null : startupPhase(context, since, means, startup, proceed);
  let current: Cancel | null = null;
  let ended = false;

  function proceed(): void {
    started?.();
    if (!ended) current = judgingPhase(context, since, means);
  }

  if (startup === null) proceed();
  return () => {
    ended = true;
    started?.();
    current?.();
  };
}

/** While the program starts: nothing else is asked. */
function startupPhase(
  context: RunContext,
  since: MonotonicTime,
  means: Means,
  probe: Probe,
  hasPassed: () => void,
): Cancel {
  const alarm = restartAlarm(context, since, 'startup');
  const stop = watch(
    probe,
    [
      judgeOf(context, 'startup', probe, (healthy, reason) => {
        if (!healthy) {
          alarm.bad(reason);
          return;
        }
        if (context.spec.probes.readiness === null) context.tell({ kind: 'became-ready' });
        hasPassed();
      }),
    ],
    since,
    means,
    context,
  );
  return () => {
    alarm.end();
    stop();
  };
}

/** After startup: liveness and readiness, with one check for both where they ask the same. */
function judgingPhase(context: RunContext, since: MonotonicTime, means: Means): Cancel {
  const { liveness, readiness } = context.spec.probes;
  const alarm = restartAlarm(context, since, 'liveness');
  const parts: { readonly probe: Probe; readonly judges: readonly Judge[] }[] = [];
  const alive = liveness && judgeOf(context, 'liveness', liveness, alarm.hear);
  const ready = readiness && judgeOf(context, 'readiness', readiness, tellReadiness(context));
  if (liveness && alive && readiness && ready && sameRhythm(liveness, readiness)) {
    parts.push({ probe: liveness, judges: [ready, alive] });
  } else {
    if (liveness && alive) parts.push({ probe: liveness, judges: [alive] });
    if (readiness && ready) parts.push({ probe: readiness, judges: [ready] });
  }
  const stops = parts.map(({ probe, judges }) => watch(probe, judges, since, means, context));
  return () => {
    alarm.end();
    for (const stop of stops) stop();
  };
}

/** A judge that publishes every change of its verdict before it passes the verdict on. */
function judgeOf(
  context: RunContext,
  name: ProbeName,
  thresholds: Probe,
  heard: (healthy: boolean, reason: string, changed: boolean) => void,
): Judge {
  return {
    name,
    thresholds,
    verdict(healthy, reason, changed) {
      if (changed) {
        context.publish({ type: 'health.changed', payload: { probe: name, healthy, reason } });
      }
      heard(healthy, reason, changed);
    },
  };
}

function tellReadiness(context: RunContext): (healthy: boolean, reason: string, changed: boolean) => void {
  return (healthy, reason, changed) => {
    if (!changed) return;
    context.tell(healthy ? { kind: 'became-ready' } : { kind: 'became-unready', reason });
  };
}

/** Tells a bad verdict once, held back until the startup grace is over. */
function restartAlarm(context: RunContext, since: MonotonicTime, probe: 'startup' | 'liveness') {
  let reason: string | null = null;
  let told = false;
  let cancelTimer: Cancel | null = null;

  function tell(): void {
    cancelTimer = null;
    if (told || reason === null) return;
    told = true;
    context.tell({ kind: 'became-unhealthy', probe, reason });
  }

  function bad(newest: string): void {
    reason = newest;
    const left = since + context.spec.restart.startupGrace - context.clock.now();
    if (left <= 0) tell();
    else cancelTimer ??= context.clock.after(left, tell);
  }

  function good(): void {
    reason = null;
    told = false;
  }

  return {
    bad,
    hear: (healthy: boolean, newest: string) => (healthy ? good() : bad(newest)),
    end: () => cancelTimer?.(),
  };
}
