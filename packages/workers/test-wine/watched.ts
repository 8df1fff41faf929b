import type {
  Command,
  Host,
  HostRun,
  OutputStream,
  ProcessIdentity,
  RunOutput,
  RunReport,
  SpawnRequest,
} from '@hsu-master/core';

export function commandOf(argv: readonly [string, ...string[]]): Command {
  return { argv, cwd: 'C:\\windows', env: {}, umask: null, user: null, group: null, groups: null };
}

/** What a run says, kept. */
export class Collected implements RunOutput {
  #chunks: Uint8Array[] = [];
  size = 0;
  onNews: () => void = () => {};

  get text(): string {
    return Buffer.concat(this.#chunks).toString().replaceAll('\r', '');
  }

  openChannels(): null {
    return null;
  }

  write(_stream: OutputStream, chunk: Uint8Array, done: () => void): void {
    this.#chunks.push(Uint8Array.from(chunk));
    this.size += chunk.length;
    done();
    this.onNews();
  }

  end(): void {
    this.onNews();
  }
}

let runs = 0;

/** One run under the eyes of a test. */
export class Watched {
  readonly mark: string;
  readonly output: Collected;
  readonly reports: RunReport[] = [];
  readonly run: HostRun;
  readonly #waiting = new Set<() => void>();

  constructor(
    host: Host,
    command: Command,
    differs: Partial<SpawnRequest> & { readonly output?: Collected } = {},
  ) {
    runs += 1;
    this.mark = `windows-${process.pid}-${Date.now().toString(36)}-${runs}`;
    this.output = differs.output ?? new Collected();
    this.output.onNews = () => this.#look();
    this.run = host.spawn(
      {
        workerId: 'w',
        run: runs,
        mark: this.mark,
        captureStdout: true,
        captureStderr: true,
        listens: [],
        limits: null,
        quotas: [],
        record: () => {},
        command,
        ...differs,
        output: this.output,
      },
      (report) => {
        this.reports.push(report);
        this.#look();
      },
    );
  }

  async says(text: string): Promise<void> {
    await this.#until(() => this.output.text.includes(text));
  }

  async spawned(): Promise<ProcessIdentity> {
    return (await this.#first('spawned')).process;
  }

  exited(): Promise<Extract<RunReport, { kind: 'exited' }>> {
    return this.#first('exited');
  }

  /** All reports, once nothing of its tree lives. */
  async over(): Promise<readonly RunReport[]> {
    await this.#until(() => {
      const last = this.reports.at(-1);
      if (last?.kind === 'exited') return last.remaining.length === 0;
      return last?.kind === 'tree-empty' || last?.kind === 'spawn-failed';
    });
    return this.reports;
  }

  async #first<K extends RunReport['kind']>(kind: K): Promise<Extract<RunReport, { kind: K }>> {
    const find = () => this.reports.find((report) => report.kind === kind);
    await this.#until(() => find() !== undefined);
    return find() as Extract<RunReport, { kind: K }>;
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}
