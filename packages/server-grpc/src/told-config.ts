import type * as core from '@hsu-master/core';
import type * as wire from './messages.ts';
import { constant, issue, moment, struct } from './told.ts';

// The way from one configuration to another, as messages.

export function config(view: core.ConfigView): wire.Config {
  const { revision, file, source, acceptedAt, created, replaced, removed, workers } = view;
  return {
    revision,
    file,
    source: constant('SOURCE', source),
    acceptedAt: moment(acceptedAt),
    created,
    replaced,
    removed,
    workers: workers.map(struct),
  };
}

export function planned({ ok, issues, workers, revision, plan: way }: core.Planned): wire.Planned {
  return { ok, issues: issues.map(issue), workers, revision, plan: way && plan(way) };
}

function plan({ workers, unchanged, settings }: core.ConfigPlan): wire.ConfigPlan {
  return { workers, unchanged, settings };
}

/** `outcome` null: it is under way. */
export function change(
  accepted: core.Accepted,
  outcome: core.ChangeOutcome | null,
  id: core.WorkerId | null,
): wire.Change {
  const failures = (outcome?.failures ?? []).map(({ workerId, code, message }) => {
    return { worker: workerId, code, message: message.toWellFormed() };
  });
  return {
    revision: accepted.revision,
    plan: plan(accepted.plan),
    warnings: accepted.warnings.map(issue),
    state: constant('STATE', outcome?.state ?? 'pending'),
    failures,
    id,
  };
}
