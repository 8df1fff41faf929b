import type { Command, HostRun, ProcessIdentity, RunReport, SpawnRequest } from '@hsu-master/core';
import { KeptOutput } from '../fake/output.ts';
import { attachRequest } from '../specs.ts';
import type { ZooProgram } from '../zoo/zoo.ts';
import type { HostHarness } from './harness.ts';

const PATIENCE = 10_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

export function commandOf(argv: readonly [string, ...string[]], differs: Partial<Command> = {}): Command {
  return { argv, cwd: '/', env: {}, umask: null, user: null, group: null, groups: null, ...differs };
}

let lastRun = 0;

/** A mark that no other run of this machine has. */
export function newMark(): string {
  lastRun += 1;
  return `contract-${process.pid}-${Date.now().toString(36)}-${lastRun}`;
}

/** One run under the eyes of a test. */
export class WatchedRun {
  readonly mark: string;
  readonly reports: RunReport[] = [];
  readonly output = new KeptOutput();
  readonly recorded: ProcessIdentity[] = [];
  #run: HostRun | null = null;
  #onNews: () => void = () => {};

  constructor(mark: string) {
    this.mark = mark;
    this.output.onNews = () => this.#onNews();
  }

  static spawn(
    harness: HostHarness,
    program: ZooProgram,
    differs: Partial<Omit<SpawnRequest, 'command'>> & { readonly command?: Partial<Command> } = {},
  ): WatchedRun {
    const watched = new WatchedRun(newMark());
    const { command, ...request } = differs;
    watched.#run = harness.host.spawn(
      {
        workerId: 'contract',
        run: lastRun,
        mark: watched.mark,
        captureStdout: true,
        captureStderr: true,
        listens: [],
        output: watched.output,
        limits: null,
        quotas: [],
        record: (process) => watched.recorded.push(process),
        ...request,
        command: commandOf(harness.argv(program), command),
      },
      (report) => watched.#hear(report),
    );
    return watched;
  }

  static attach(harness: HostHarness, process: ProcessIdentity, mark: string): WatchedRun {
    const watched = new WatchedRun(mark);
    watched.#run = harness.host.attach(attachRequest(process, mark), (report) => watched.#hear(report));
    return watched;
  }

  get run(): HostRun {
    if (this.#run === null) throw new Error('this run was never begun');
    return this.#run;
  }

  get kinds(): readonly RunReport['kind'][] {
    return this.reports.map((report) => report.kind);
  }

  /** The first report of a kind, as soon as it is there. */
  async first<K extends RunReport['kind']>(kind: K): Promise<Extract<RunReport, { kind: K }>> {
    const find = () => this.reports.find((report) => report.kind === kind);
    await this.until(`report "${kind}"`, () => find() !== undefined);
    return find() as Extract<RunReport, { kind: K }>;
  }

  /** Resolves when the run is over: nothing of its tree lives. */
  async over(): Promise<void> {
    await this.until('end of the run', () => this.isOver());
  }

  isOver(): boolean {
    const last = this.reports.at(-1);
    if (last?.kind === 'exited') return last.remaining.length === 0;
    return last?.kind === 'tree-empty' || last?.kind === 'spawn-failed';
  }

  async says(text: string): Promise<void> {
    await this.until(`output "${text}"`, () => this.output.text('stdout').includes(text));
  }

  /** Resolves when `holds` does, looked at after each report and each piece of output. */
  until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        const seen = JSON.stringify(this.reports);
        reject(new Error(`${what} did not come in ${PATIENCE} ms; reports so far: ${seen}`));
      }, PATIENCE);
      this.#onNews = () => {
        if (!holds()) return;
        clearTimeout(patience);
        this.#onNews = () => {};
        resolve();
      };
    });
  }

  #hear(report: RunReport): void {
    this.reports.push(report);
    this.#onNews();
  }
}
