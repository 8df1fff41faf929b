import { cpus, release } from 'node:os';
import { type Figure, type FigureName, figures, type Sample, type Target } from './figures.ts';
import type { Extent } from './scene.ts';
import { ratio, type Summary, summarise } from './statistics.ts';

/** A trial that did not end well. */
export interface Failure {
  readonly peer: string;
  readonly scene: string;
  readonly round: number;
  readonly message: string;
}

/** Values of one figure, by peer, in the order of the rounds. */
export type Values = Map<FigureName, Map<string, number[]>>;

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
    readonly calmSeconds: number;
    readonly linkage: string;
  };
  readonly versions: Readonly<Record<string, string>>;
  /** How many trials began while the machine was idle otherwise. */
  readonly calm: { readonly of: number; readonly calm: number };
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
  readonly values: readonly number[];
}

/** Adds what a trial measured. */
export function collect(into: Values, peer: string, samples: readonly Sample[]): void {
  for (const { figure, value } of samples) {
    const byPeer = into.get(figure) ?? new Map<string, number[]>();
    into.set(figure, byPeer);
    const values = byPeer.get(peer) ?? [];
    byPeer.set(peer, values);
    values.push(value);
  }
}

const figureNames = Object.keys(figures) as FigureName[];

/** Medians, spreads and ratios of all that was collected. */
export function reportedFigures(values: Values, n: number): readonly ReportedFigure[] {
  return figureNames.flatMap((name) => {
    const byPeer = values.get(name);
    if (!byPeer) return [];
    const figure: Figure = figures[name];
    const base = summarise(byPeer.get('floor') ?? [])?.median;
    const peers = [...byPeer].flatMap(([peer, taken]) => {
      const summary = summarise(taken);
      return summary ? [{ peer, ...summary, timesFloor: ratio(summary.median, base), values: taken }] : [];
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
  readonly met: boolean;
  readonly text: string;
}

/** How ours stands to the target; undefined where ours, or the floor that it needs, was not measured. */
export function judge({
  target,
  peers,
  unit,
}: Omit<ReportedFigure, 'figure' | 'title'>): Verdict | undefined {
  const ours = peers.find(({ peer }) => peer === 'ours');
  const base = peers.find(({ peer }) => peer === 'floor');
  if (!target || !ours) return undefined;
  if (target.kind === 'most') {
    return {
      met: ours.median <= target.most,
      text: `${format(ours.median)} of at most ${target.most} ${unit}`,
    };
  }
  if (!base) return undefined;
  if (target.kind === 'above-floor') {
    const above = ours.median - base.median;
    return {
      met: above <= target.most,
      text: `${format(above)} ${unit} above the floor, at most ${target.most}`,
    };
  }
  const times = ours.median / base.median;
  return { met: times <= target.most, text: `${format(times)} times the floor, at most ${target.most}` };
}

/** Three digits, or whole numbers from 1000 on. */
export function format(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

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

function figureTable({ title, unit, peers }: ReportedFigure): string {
  const head = ['', 'median', 'min – max', 'p99', 'times floor', 'n'];
  const body = peers.map(({ peer, median, min, max, p99, timesFloor, count }) => [
    peer,
    format(median),
    `${format(min)} – ${format(max)}`,
    // Of a handful of values it would be the largest once more.
    count >= 20 ? format(p99) : '',
    timesFloor === undefined ? '' : format(timesFloor),
    String(count),
  ]);
  return `${title} (${unit})\n${rows([head, ...body])}`;
}

/** The report for people. */
export function renderReport(report: Report): string {
  const { machine: on, versions } = report;
  const head = [
    `${on.cpus} × ${on.model}, Linux ${on.kernel}, Node ${on.node}`,
    `${report.extent.rounds} rounds, workers linked ${report.extent.linkage}ally, ${report.calm.calm} of ${report.calm.of} trials began on an idle machine`,
    Object.entries(versions)
      .map(([peer, version]) => `${peer} ${version}`)
      .join(' · '),
  ].join('\n');
  const targets = report.figures.flatMap((figure) => {
    const verdict = judge(figure);
    return verdict ? [[figure.title, verdict.met ? 'met' : 'MISSED', verdict.text]] : [];
  });
  const failures = report.failures.map(
    ({ peer, scene, round, message }) => `${peer}, ${scene}, round ${round + 1}: ${message.trim()}`,
  );
  return [
    head,
    ...report.figures.map(figureTable),
    ...(targets.length > 0 ? [`targets of ours\n${rows(targets)}`] : []),
    ...(failures.length > 0 ? [`failed\n${failures.join('\n')}`] : []),
  ].join('\n\n');
}
