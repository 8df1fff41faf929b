import { cpus, release } from 'node:os';
import { type Figure, type FigureName, figures, isTime, type Sample, type Target } from './figures.ts';
import type { Extent } from './scene.ts';
import { ratio, type Summary, summarise } from './statistics.ts';

/** A trial that did not end well. */
export interface Failure {
  readonly peer: string;
  readonly scene: string;
  readonly round: number;
  readonly message: string;
}

/** A value, and whether the machine had nothing else to do while it was taken. */
export interface Taken {
  readonly value: number;
  readonly calm: boolean;
}

/** What was taken for each figure, by peer, in the order of the rounds. */
export type Values = Map<FigureName, Map<string, Taken[]>>;

/** Everything a run of the bench has to tell; `--json` writes it. */
export interface Report {
  readonly at: string;
  readonly machine: {
    readonly cpus: number;
    readonly model: string;
    readonly kernel: string;
    readonly node: string;
  };
  readonly extent: Omit<Extent, 'metrics'> & {
    readonly metrics: readonly string[];
    readonly loggers: boolean;
    readonly containment: string;
    readonly calmSeconds: number;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly figures: readonly ReportedFigure[];
  readonly failures: readonly Failure[];
}

interface ReportedFigure {
  readonly figure: FigureName;
  readonly title: string;
  readonly unit: string;
  readonly target: Target | undefined;
  readonly peers: readonly ReportedPeer[];
}

interface ReportedPeer extends Summary {
  readonly peer: string;
  readonly timesFloor: number | undefined;
  /** Of times, those taken on a busy machine count only where there are no others. */
  readonly busy: boolean;
  readonly taken: readonly Taken[];
}

/** Adds what a trial measured. */
export function collect(into: Values, peer: string, samples: readonly Sample[], calm: boolean): void {
  for (const { figure, value } of samples) {
    const byPeer = into.get(figure) ?? new Map<string, Taken[]>();
    into.set(figure, byPeer);
    const values = byPeer.get(peer) ?? [];
    byPeer.set(peer, values);
    values.push({ value, calm });
  }
}

const figureNames = Object.keys(figures) as FigureName[];

function counting(figure: Figure, taken: readonly Taken[]): readonly number[] {
  const calm = taken.filter((each) => each.calm);
  return (isTime(figure) && calm.length > 0 ? calm : taken).map(({ value }) => value);
}

/** Medians, spreads and ratios of all that was collected. */
export function reportedFigures(values: Values, n: number): readonly ReportedFigure[] {
  return figureNames.flatMap((name) => {
    const byPeer = values.get(name);
    if (!byPeer) return [];
    const figure: Figure = figures[name];
    const base = summarise(counting(figure, byPeer.get('floor') ?? []))?.median;
    const peers = [...byPeer].flatMap(([peer, taken]) => {
      const summary = summarise(counting(figure, taken));
      if (!summary) return [];
      const busy = isTime(figure) && !taken.some(({ calm }) => calm);
      return [{ peer, ...summary, timesFloor: ratio(summary.median, base), busy, taken }];
    });
    const title = figure.title.replace(/\bN\b/, String(n));
    return [{ figure: name, title, unit: figure.unit, target: figure.target, peers }];
  });
}

export const machine = (): Report['machine'] => ({
  cpus: cpus().length,
  model: cpus()[0]?.model ?? 'unknown',
  kernel: release(),
  node: process.version,
});

interface Verdict {
  /** Null: ours or the floor was measured on a busy machine only, which slows them unequally. */
  readonly met: boolean | null;
  readonly text: string;
}

/** How ours stands to the target; undefined where ours, or the floor that it needs, was not measured. */
export function judge(figure: Omit<ReportedFigure, 'figure' | 'title'>): Verdict | undefined {
  const { target, peers, unit } = figure;
  const ours = peers.find(({ peer }) => peer === 'ours');
  const base = peers.find(({ peer }) => peer === 'floor');
  if (!target || !ours) return undefined;
  const { most } = target;
  if (target.kind === 'most') {
    // Others make times longer: what is met all the same is met.
    const met = ours.median <= most || (ours.busy ? null : false);
    return { met, text: `${format(ours.median)} of at most ${most} ${unit}` };
  }
  if (!base) return undefined;
  const comparable = !ours.busy && !base.busy;
  if (target.kind === 'above-floor') {
    const above = ours.median - base.median;
    const text = `${format(above)} ${unit} above the floor, at most ${most}`;
    return { met: comparable ? above <= most : null, text };
  }
  const times = ours.median / base.median;
  return {
    met: comparable ? times <= most : null,
    text: `${format(times)} times the floor, at most ${most}`,
  };
}

/** Three digits, or whole numbers from 1000 on. */
export function format(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

/** Every ratio to the floor depends on it, so it is said on top. */
const WORKERS = {
  dynamic: `workers linked to the shared libc, as Debian's sleep is: a thousand real programs. What the dynamic linker needs is the
same for all and makes every ratio smaller than with --static; restarts are measured with static ones`,
  static: `workers linked statically (--static): they begin faster than Debian's sleep, and more of the time is the supervisor's`,
} as const;

function rows(all: readonly (readonly string[])[]): string {
  const widths = all.reduce<number[]>(
    (most, row) => row.map((cell, column) => Math.max(most[column] ?? 0, cell.length)),
    [],
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  return all.map((row) => `  ${line(row)}`.trimEnd()).join('\n');
}

const BUSY = `busy: taken while the machine did other things as well, which slows a loop that waits for each child more than
others; such a figure compares nothing. Values of busy trials are left out where there are any others ("1 of 3").`;

function figureTable({ title, unit, peers }: ReportedFigure): string {
  const head = ['', 'median', 'min – max', 'p99', 'times floor', 'n'];
  const body = peers.map(({ peer, median, min, max, p99, timesFloor, count, taken, busy }) => [
    peer,
    format(median),
    `${format(min)} – ${format(max)}`,
    // Of a handful of values it would be the largest once more.
    count >= 20 ? format(p99) : '',
    timesFloor === undefined ? '' : format(timesFloor),
    `${count}${count < taken.length ? ` of ${taken.length}` : ''}${busy ? ', busy' : ''}`,
  ]);
  return `${title} (${unit})\n${rows([head, ...body])}`;
}

/** The report for people. */
export function renderReport(report: Report): string {
  const { machine: on, versions } = report;
  const head = [
    `${on.cpus} × ${on.model}, Linux ${on.kernel}, Node ${on.node}`,
    `${report.extent.rounds} rounds; ${WORKERS[report.extent.linkage]}`,
    `ours with --containment ${report.extent.containment}${report.extent.containment === 'auto' ? ', its default: a cgroup for each worker where it may make them' : ''}`,
    Object.entries(versions)
      .map(([peer, version]) => `${peer} ${version}`)
      .join(' · '),
  ].join('\n');
  const targets = report.figures.flatMap((figure) => {
    const verdict = judge(figure);
    return verdict
      ? [[figure.title, verdict.met === null ? 'unsure' : verdict.met ? 'met' : 'MISSED', verdict.text]]
      : [];
  });
  const failures = report.failures.map(
    ({ peer, scene, round, message }) => `${peer}, ${scene}, round ${round + 1}: ${message.trim()}`,
  );
  return [
    head,
    ...report.figures.map(figureTable),
    ...(report.figures.some(({ peers }) => peers.some(({ busy }) => busy)) ? [BUSY] : []),
    ...(targets.length > 0 ? [`targets of ours\n${rows(targets)}`] : []),
    ...(failures.length > 0 ? [`failed\n${failures.join('\n')}`] : []),
  ].join('\n\n');
}
