import { randomUUID } from 'node:crypto';
import { chownSync, constants, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Cancellation,
  type Command,
  type ExecNews,
  type ExecSession,
  type Exit,
  type Host,
  type HostRun,
  HsuError,
  type OutputStream,
  type RunOutput,
  type RunReport,
  type SignalName,
  type WorkerSpec,
} from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';

/** How many commands may be under way. */
const MOST = 64;
/** How long a command that nobody watches any more has until it is killed, in milliseconds. */
const GRACE = 2000;
/** How long output is awaited after the end: somebody else may hold it open. */
const DRAIN = 300;

/** What gives a command its standard input; Windows has none, and exec is not there. */
const SHELL = '/bin/sh';

/** Commands that run in the place of workers, each for one who watches. */
export class Execs {
  readonly #host: () => Host;
  readonly #mark: string;
  readonly #shell: string;
  readonly #sessions = new Map<string, Session>();
  #count = 0;

  constructor(host: () => Host, mark: string, shell = SHELL) {
    this.#host = host;
    this.#mark = mark;
    this.#shell = shell;
  }

  /** @throws HsuError E_TOO_MANY; E_UNSUPPORTED without a shell; E_SPAWN where its standard input cannot be made */
  async start(
    spec: WorkerSpec,
    argv: readonly [string, ...string[]],
    signal: Cancellation,
  ): Promise<ExecSession> {
    if (this.#sessions.size >= MOST)
      throw new HsuError('E_TOO_MANY', `${MOST} commands are under way already`, {});
    if (spec.unmanaged !== null)
      throw new HsuError(
        'E_UNMANAGED',
        `worker "${spec.id}" is not run by this master: nothing is run in its place`,
        {
          id: spec.id,
        },
      );
    if (!existsSync(this.#shell)) {
      const instead = `hsu-master describe ${spec.id} --reveal shows with what it runs, to do the same by hand`;
      throw new HsuError('E_UNSUPPORTED', `exec takes ${this.#shell}, which is not here; ${instead}`, {});
    }
    this.#count += 1;
    const mark = `${this.#mark}.exec.${this.#count}`;
    const command: Command = { ...spec.command, env: { ...spec.command.env, HSU_WORKER: spec.id } };
    const session = new Session(spec.id, () => this.#sessions.delete(session.id));
    // Here already, so that many at once are counted.
    this.#sessions.set(session.id, session);
    try {
      const input = await makeInput(this.#host(), command, mark);
      session.begin(
        this.#host(),
        { ...command, argv: reading(input, argv) },
        { mark, input, quotas: spec.quotas },
      );
      session.endWith(signal);
      return session;
    } catch (error) {
      this.#sessions.delete(session.id);
      throw error;
    }
  }

  find(id: string): ExecSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new HsuError('E_UNKNOWN_SESSION', `there is no command "${id}"`, { id });
    return session;
  }
}

/**
 * A named pipe that only the worker's user may open, in a folder of its own. Workers have no standard input, and no host makes one: the
 * shell in front of the command takes this one.
 * @throws HsuError E_SPAWN
 */
async function makeInput(host: Host, command: Command, mark: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'hsu-exec-'));
  const { user } = command;
  const loaded = loadNative();
  const account = user === null || !loaded.ok ? null : loaded.native.lookupUser(user);
  if (account !== null) chownSync(folder, account.uid, account.gid);
  const path = join(folder, 'stdin');
  const argv = [SHELL, '-c', 'mkfifo -m 600 "$0"', path] as const;
  const asked = { command: { ...command, argv }, mark, timeout: 10_000, maxOutput: 2000 };
  const outcome = await host.exec(asked).outcome;
  if (outcome.kind === 'exited' && outcome.exit.code === 0) return path;
  rmSync(folder, { recursive: true, force: true });
  const why = outcome.kind === 'failed' ? outcome.failure.message : outcome.output.trim();
  throw new HsuError('E_SPAWN', `cannot make a standard input: ${why}`, {});
}

/** The shell says 126 for what cannot be executed and 127 for what is not there. */
function reading(input: string, argv: readonly string[]): readonly [string, ...string[]] {
  const script = 'from=$1; shift; exec 0<"$from" && rm -f "$from" && exec "$@"';
  return [SHELL, '-c', script, 'hsu-master', input, ...argv];
}

interface Beginning {
  readonly mark: string;
  readonly input: string;
  readonly quotas: WorkerSpec['quotas'];
}

class Session implements ExecSession {
  readonly id = randomUUID();
  readonly workerId: string;
  readonly #over: () => void;
  readonly #queue: { readonly news: ExecNews; readonly taken: () => void }[] = [];
  readonly #open = new Set<OutputStream>(['stdout', 'stderr']);
  #run: HostRun | null = null;
  #input: { readonly path: string; readonly socket: Socket } | null = null;
  #exit: Exit | null = null;
  #isOver = false;
  #isWatched = false;
  #wake: () => void = () => {};

  constructor(workerId: string, over: () => void) {
    this.workerId = workerId;
    this.#over = over;
  }

  begin(host: Host, command: Command, { mark, input, quotas }: Beginning): void {
    // Opened for reading as well, so that neither end waits for the other.
    const fd = openSync(input, constants.O_RDWR | constants.O_NONBLOCK);
    const socket = new Socket({ fd, readable: false, writable: true });
    socket.on('error', () => {});
    this.#input = { path: input, socket };
    this.#run = host.attend({ command, mark, quotas, output: this.#output() }, (report) =>
      this.#hear(report),
    );
  }

  /** Whoever asked for it may have gone before anything was told of it. */
  endWith(signal: Cancellation): void {
    if (signal.aborted) this.#abandon();
    else signal.addEventListener('abort', () => this.#abandon());
  }

  async *news(signal: Cancellation): AsyncGenerator<ExecNews, void, void> {
    if (this.#isWatched) throw new HsuError('E_REQUEST', 'somebody watches it already', {});
    this.#isWatched = true;
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const next = this.#queue.shift();
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        yield next.news;
        next.taken();
        if (next.news.kind !== 'output') return;
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#abandon();
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    const { socket } = this.#input ?? {};
    if (socket === undefined || socket.destroyed || socket.writableEnded) return Promise.resolve();
    return new Promise((resolve) => {
      socket.once('close', resolve);
      socket.write(bytes, () => {
        socket.off('close', resolve);
        resolve();
      });
    });
  }

  end(): void {
    const input = this.#input;
    if (input === null || input.socket.writableEnded) return;
    // Its name goes away when the shell has opened it: before, an end would not be seen, and it would wait for a writer.
    if (!this.#isOver && existsSync(input.path)) setTimeout(() => this.end(), 10);
    else input.socket.end();
  }

  signal(signal: SignalName): void {
    this.#run?.signalTree(signal);
  }

  #hear(report: RunReport): void {
    switch (report.kind) {
      case 'spawn-failed':
        this.#finish({ kind: 'failed', failure: report.failure });
        return;
      case 'exited':
        this.#exit = report.exit;
        if (report.remaining.length > 0) this.#run?.signalTree('SIGKILL');
        if (this.#open.size === 0) this.#finish({ kind: 'exited', exit: report.exit });
        else this.#drain(report.exit);
        return;
      default:
    }
  }

  #output(): RunOutput {
    return {
      openChannels: () => null,
      write: (stream, bytes, taken) => {
        if (this.#isOver) taken();
        else this.#tell({ kind: 'output', stream, bytes }, taken);
      },
      end: (stream) => {
        this.#open.delete(stream);
        if (this.#exit !== null && this.#open.size === 0) this.#finish({ kind: 'exited', exit: this.#exit });
      },
    };
  }

  /** Waits for output that is on its way; what waits for a slow reader is. */
  #drain(exit: Exit): void {
    const waiting = this.#queue.length;
    setTimeout(() => {
      if (this.#isOver) return;
      if (waiting > 0 || this.#queue.length > 0) this.#drain(exit);
      else this.#finish({ kind: 'exited', exit });
    }, DRAIN);
  }

  #finish(news: ExecNews): void {
    if (this.#isOver) return;
    this.#tell(news, () => {});
    this.#close();
  }

  #tell(news: ExecNews, taken: () => void): void {
    this.#queue.push({ news, taken });
    this.#wake();
  }

  /** Nobody watches any more. */
  #abandon(): void {
    for (const { taken } of this.#queue.splice(0)) taken();
    if (this.#isOver) return;
    const run = this.#run;
    this.#close();
    if (this.#exit !== null || run === null) return;
    run.signalTree('SIGHUP');
    setTimeout(() => run.signalTree('SIGKILL'), GRACE);
  }

  #close(): void {
    this.#isOver = true;
    this.#over();
    this.#run?.detachOutput();
    if (this.#input === null) return;
    this.#input.socket.destroy();
    rmSync(join(this.#input.path, '..'), { recursive: true, force: true });
  }
}
