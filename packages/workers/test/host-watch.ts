import type { Command, Host, HostRun, ProcessIdentity, RunReport, SpawnRequest } from '@hsu-master/core';
import { KeptOutput } from '@hsu-master/testkit';

const PATIENCE = 10_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);

export function commandOf(argv: readonly string[], differs: Partial<Command> = {}): Command {
  const plain = { cwd: '/', env: {}, umask: null, user: null, group: null, groups: null };
  return { ...plain, argv: argv as readonly [string, ...string[]], ...differs };
}

let marks = 0;

export function newMark(): string {
  marks += 1;
  return `host-test-${process.pid}-${marks}`;
}

export type Differs = Partial<Omit<SpawnRequest, 'command'>> & { readonly command?: Partial<Command> };

/** One run under the eyes of a test. */
export class Watched {
  readonly reports: RunReport[] = [];
  readonly output = new KeptOutput();
  readonly recorded: ProcessIdentity[] = [];
  readonly run: HostRun;
  #onNews = new Set<() => void>();

  constructor(host: Host, argv: readonly string[], differs: Differs = {}) {
    this.output.onNews = () => this.#tell();
    const { command, ...request } = differs;
    this.run = host.spawn(
      {
        workerId: 'w',
        run: 1,
        mark: newMark(),
        captureStdout: true,
        captureStderr: true,
        listens: [],
        limits: null,
        quotas: [],
        output: this.output,
        record: (process) => this.recorded.push(process),
        ...request,
        command: commandOf(argv, command),
      },
      (report) => {
        this.reports.push(report);
        this.#tell();
      },
    );
  }

  async first<K extends RunReport['kind']>(
    kind: K,
    patience = PATIENCE,
  ): Promise<Extract<RunReport, { kind: K }>> {
    const find = () => this.reports.find((report) => report.kind === kind);
    await this.until(kind, () => find() !== undefined, patience);
    return find() as Extract<RunReport, { kind: K }>;
  }

  /** Resolves when nothing of the tree lives. */
  async over(): Promise<void> {
    await this.until('the end', () => {
      const last = this.reports.at(-1);
      if (last?.kind === 'exited') return last.remaining.length === 0;
      return last?.kind === 'tree-empty' || last?.kind === 'spawn-failed';
    });
  }

  async says(text: string): Promise<void> {
    await this.until(`output "${text}"`, () => this.output.text('stdout').includes(text));
  }

  until(what: string, holds: () => boolean, patience = PATIENCE): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!holds()) return;
        this.#onNews.delete(look);
        clearTimeout(inVain);
        resolve();
      };
      const inVain = setTimeout(() => {
        const said = this.output.text('stdout') + this.output.text('stderr');
        reject(new Error(`${what} did not come; reports: ${JSON.stringify(this.reports)}, output: ${said}`));
      }, patience);
      this.#onNews.add(look);
      look();
    });
  }

  #tell(): void {
    for (const look of this.#onNews) look();
  }
}

/** The failure of a run that cannot start. */
export async function failureOf(host: Host, argv: readonly string[], differs: Differs = {}) {
  const watched = new Watched(host, argv, differs);
  const { failure, transient } = await watched.first('spawn-failed');
  return { code: failure.code, message: failure.message, transient };
}
