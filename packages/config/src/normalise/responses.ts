import {
  type EscalationStep,
  type LimitFamily,
  type LimitPolicy,
  type LimitResponse,
  type LimitsSpec,
  type LimitValues,
  type Monitoring,
  THROTTLE_PERCENT,
} from '@hsu-master/core';
import { excessive } from '../excess.ts';
import type { Findings } from '../findings.ts';
import type { Finding, Path } from '../issue.ts';
import type { WrittenAnswer, WrittenStep } from '../schema/response.ts';

/** What a worker says for all families at once; null: nothing. */
export interface AnswerDefaults {
  readonly sustained: number | null;
  readonly spikeTolerance: number | null;
}

type WrittenAnswers = { readonly [F in LimitFamily]?: WrittenAnswer };
type Responses = LimitsSpec['responses'];

const FAMILIES = ['memory', 'cpu', 'io', 'process', 'network', 'storage'] as const satisfies LimitFamily[];
/** What is measured as a rate, where one high sample says little. */
const RATES: ReadonlySet<LimitFamily> = new Set(['cpu', 'io']);
const ADJUST = Object.freeze({ factor: 1.5, cap: 3 });
const LOG: readonly EscalationStep[] = Object.freeze([Object.freeze({ policy: 'log', after: 0 })]);
const NO_STEPS: readonly EscalationStep[] = Object.freeze([]);

const NO_RESPONSE: LimitResponse = Object.freeze({
  warning: null,
  spikeTolerance: 0,
  sustained: 0,
  steps: NO_STEPS,
  adjust: ADJUST,
});

/** For families without limits. */
export const NO_RESPONSES: Responses = Object.freeze({
  memory: NO_RESPONSE,
  cpu: NO_RESPONSE,
  io: NO_RESPONSE,
  process: NO_RESPONSE,
  network: NO_RESPONSE,
  storage: NO_RESPONSE,
});

export function responsesOf(
  written: WrittenAnswers,
  monitoring: Monitoring,
  defaults: AnswerDefaults,
  at: Path,
  findings: Findings,
): Responses {
  const responses: { [F in LimitFamily]: LimitResponse } = { ...NO_RESPONSES };
  for (const family of FAMILIES) {
    const answer = written[family];
    if (answer === undefined || Object.keys(answer).length === 0) continue;
    const usual = defaults.spikeTolerance ?? (RATES.has(family) ? monitoring.interval : 0);
    responses[family] = responseOf(
      answer,
      { usual, sustained: defaults.sustained },
      [...at, family],
      findings,
    );
  }
  return responses;
}

function responseOf(
  written: WrittenAnswer,
  defaults: { readonly usual: number; readonly sustained: number | null },
  at: Path,
  findings: Findings,
): LimitResponse {
  const {
    sustained_time: sustained,
    spike_tolerance: spike,
    warning_threshold: warning,
    adjust = {},
  } = written;
  if (sustained !== undefined && spike !== undefined && sustained < spike) {
    findings.errorAt([...at, 'sustained_time'], {
      message: 'sustained_time is shorter than spike_tolerance, within which an excess is none',
    });
  }
  if (warning !== undefined && warning > 0 && warning < 1) {
    findings.noticeAt('warning_threshold below 1', [...at, 'warning_threshold'], () => ({
      message: `means less than one percent of the limit`,
      hint: 'write 80 or 80% for four fifths of it',
    }));
  }
  // One that says how long an excess lasts until it counts has said what a spike is.
  const spikeTolerance = spike ?? Math.min(defaults.usual, sustained ?? defaults.usual);
  const factor = adjust.factor ?? ADJUST.factor;
  if (adjust.max_factor !== undefined && adjust.max_factor < factor)
    findings.errorAt([...at, 'adjust', 'max_factor'], { message: 'max_factor is less than factor' });
  return {
    warning: warning ? warning / 100 : null,
    spikeTolerance,
    sustained: Math.max(spikeTolerance, sustained ?? defaults.sustained ?? 0),
    steps: stepsOf(written, at, findings),
    adjust:
      written.adjust === undefined
        ? ADJUST
        : { factor, cap: adjust.max_factor ?? Math.max(ADJUST.cap, factor) },
  };
}

function stepsOf(written: WrittenAnswer, at: Path, findings: Findings): readonly EscalationStep[] {
  const { policy, escalation } = written;
  if (escalation === undefined) {
    if (policy === 'none') return NO_STEPS;
    return policy === undefined || policy === 'log' ? LOG : [{ policy, after: 0 }];
  }
  const where = [...at, 'escalation'];
  if (policy !== undefined) {
    findings.errorAt(where, {
      message: 'policy and escalation are given; an escalation is what an excess leads to',
      hint: 'keep one',
    });
  }
  if (escalation.length === 0)
    findings.errorAt(where, { message: 'has no steps', hint: 'write policy: none for no answer at all' });
  return escalation.map((step, index) => {
    checkStep(step, escalation[index - 1], [...where, index], findings);
    return { policy: step.policy, after: step.after ?? 0 };
  });
}

function checkStep(step: WrittenStep, before: WrittenStep | undefined, at: Path, findings: Findings): void {
  if (step.policy === 'none')
    findings.errorAt([...at, 'policy'], { message: 'none is no step', hint: 'remove it' });
  if (before === undefined) return;
  if (
    before.policy === 'immediate_kill' ||
    (before.policy === 'graceful_shutdown' && step.policy !== 'immediate_kill')
  ) {
    findings.errorAt(at, {
      message: `${step.policy} cannot come after ${before.policy}, which ends the worker`,
      hint: `put ${step.policy} before it`,
    });
  } else if (step.after === undefined) {
    findings.errorAt(at, {
      message: '"after" is missing',
      hint: `write how long the excess lasts after ${before.policy}: after: 1m`,
    });
  } else if (step.after === 0) {
    findings.errorAt([...at, 'after'], {
      message: `0 after ${before.policy} leaves that no time`,
      hint: `write how long the excess lasts after ${before.policy}, not after its beginning: after: 1m`,
    });
  }
}

/** A worker’s limits as far as they are worked out. */
interface Answered {
  readonly written: {
    readonly alerts?: unknown;
    readonly monitoring?: { readonly alerting_enabled?: boolean };
  } & {
    readonly [F in 'io' | 'process' | 'network' | 'storage']?: WrittenAnswer;
  };
  readonly memory: WrittenAnswer;
  readonly cpu: WrittenAnswer;
  readonly values: LimitValues;
  readonly responses: Responses;
  readonly monitoring: Monitoring;
  readonly throttlePercent: number | null;
}

/** Answers that nobody will ever hear. */
export function checkAnswers(answered: Answered, at: Path, findings: Findings): void {
  const { written, memory, cpu, values, responses, monitoring, throttlePercent } = answered;
  const answers: WrittenAnswers = { ...written, memory, cpu };
  const judged = excessive(values);
  const policies = new Set<LimitPolicy>();
  for (const family of FAMILIES) {
    const answer = answers[family];
    if (answer === undefined) continue;
    const { steps } = responses[family];
    for (const step of steps) policies.add(step.policy);
    const finding = unheard(answer, steps, judged.has(family), monitoring);
    if (finding !== null) {
      const { key, ...said } = finding;
      findings.noticeAt(`${key} ${said.message}`, [...at, family, key], () => said);
    }
  }
  const percent = values['cpu.max_percent'];
  const left = throttlePercent ?? THROTTLE_PERCENT;
  if (policies.has('throttle') && percent !== undefined && percent <= left) {
    findings.noticeAt('throttle above max_percent', [...at, 'throttle_percent'], () => ({
      message: `throttle leaves ${left} %, and max_percent allows no more anyway`,
      hint: 'write a smaller throttle_percent',
    }));
  }
  const alerting = written.monitoring?.alerting_enabled !== false;
  if (written.alerts !== undefined && alerting && !policies.has('alert')) {
    findings.noticeAt('alerts unused', [...at, 'alerts'], () => ({
      message: 'nothing is sent, because no policy is alert',
    }));
  }
}

/** The key of an answer that comes to nothing, and why; null: none does. */
function unheard(
  answer: WrittenAnswer,
  steps: readonly EscalationStep[],
  limited: boolean,
  monitoring: Monitoring,
): (Finding & { readonly key: string }) | null {
  const keys = ['policy', 'escalation', 'warning_threshold'] as const;
  const key = keys.find((name) => answer[name] !== undefined);
  if (key !== undefined && !limited)
    return { key, message: 'answers nothing, because no limit beside it can be exceeded' };
  if (key !== undefined && !monitoring.enabled && steps.length > 0) {
    return {
      key,
      message:
        'is not acted on, because monitoring.enabled is false; what the kernel enforces holds nevertheless',
      hint: 'write monitoring.enabled: true',
    };
  }
  if (answer.warning_threshold && steps.length === 0) {
    return {
      key: 'warning_threshold',
      message: 'is not warned of, because policy none says nothing at all',
      hint: 'write policy: log',
    };
  }
  if (answer.adjust !== undefined && steps.every((step) => step.policy !== 'restart_adjusted'))
    return { key: 'adjust', message: 'not used, because no policy is restart_adjusted' };
  return null;
}
