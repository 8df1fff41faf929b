import type {
  Bytes,
  Exit,
  Failure,
  Milliseconds,
  OutputStream,
  ProcessIdentity,
  SpawnRequest,
} from '@hsu-master/core';

/** What a program writes, and when, counted from its start. */
export interface FakeWriting {
  readonly after: Milliseconds;
  readonly stream: OutputStream;
  readonly text: string | Uint8Array;
}

/** What an output that depends on the circumstances may look at. */
export type FakeCircumstances = Pick<SpawnRequest, 'command' | 'mark'> & {
  readonly process: ProcessIdentity;
};

/** How a program of the fake system behaves. All spans count from the start of its process. */
export interface FakeProgram {
  /** It cannot be started at all. */
  readonly spawnFailure: { readonly failure: Failure; readonly transient: boolean } | null;
  /** It ends by itself; null: never. */
  readonly ends: { readonly after: Milliseconds; readonly exit: Partial<Exit> } | null;
  /** How long it takes to end when a signal asks it to; null: it ignores all but SIGKILL. */
  readonly endsOnSignal: Milliseconds | null;
  /** The exit code that it chooses when asked to end; null: the signal ends it. */
  readonly codeOnSignal: number | null;
  /** How long it lives on after SIGKILL, as a process in state D does. */
  readonly killTakes: Milliseconds;
  /** Processes that it forks. */
  readonly children: readonly {
    readonly after: Milliseconds;
    readonly program: FakeProgram;
    /** Forked when it is first asked to end, instead of after its start. */
    readonly onSignal?: boolean;
    /** Has left its tree so that no host finds it. */
    readonly hidden?: boolean;
  }[];
  /** Bytes of each process at its start, and what comes to them with each second. */
  readonly memory: { readonly start: Bytes; readonly perSecond: Bytes };
  /** What each process would use of one core, in percent. */
  readonly cpu: number;
  readonly writes: readonly FakeWriting[] | ((circumstances: FakeCircumstances) => readonly FakeWriting[]);
}

/** A program that runs for ever and ends at once when asked to, but for what `differs`. */
export function fakeProgram(differs: Partial<FakeProgram> = {}): FakeProgram {
  return {
    spawnFailure: null,
    ends: null,
    endsOnSignal: 0,
    codeOnSignal: null,
    killTakes: 0,
    children: [],
    memory: { start: 0, perSecond: 0 },
    cpu: 0,
    writes: [],
    ...differs,
  };
}

/** A complete exit: code 0 unless something else is said. */
export function fakeExit(exit: Partial<Exit>): Exit {
  const { signal = null, coreDumped = false, oomKilled = null, usage = null } = exit;
  const code = exit.code === undefined ? (signal === null ? 0 : null) : exit.code;
  return { code, signal, coreDumped, oomKilled, usage };
}
