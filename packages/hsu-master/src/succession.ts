import type { NewProgram } from '@hsu-master/workers';

/** The variable by which a program tells the next one in its process what goes on. */
const VARIABLE = 'HSU_SUCCESSION';

/** What a master says to the one that follows it in the same process. */
export interface Succession {
  /** Descriptor of the state directory’s lock; null: there is none. */
  readonly lock: number | null;
  /** Who asked for it, as in the request; null: a bare signal. */
  readonly request: string | null;
  /** Version of the master before. */
  readonly from: string;
  /** Why this is the program from before and not the new one; null: it is the new one. */
  readonly failed: string | null;
  /** A signal to stop that came while nobody could hear it. */
  readonly signal: NodeJS.Signals | null;
}

/** A program that is told of its succession. It must not be told to others: the process’s id is part of it. */
export function withSuccession(program: NewProgram, succession: Succession): NewProgram {
  const value = JSON.stringify({ pid: process.pid, ...succession });
  return { ...program, env: { ...program.env, [VARIABLE]: value } };
}

/** What the master before has said, if this process had one. Takes it out of the environment, so that no worker inherits it. */
export function takeSuccession(env: Record<string, string | undefined>): Succession | null {
  const text = env[VARIABLE];
  delete env[VARIABLE];
  if (text === undefined) return null;
  try {
    const { pid, ...succession } = JSON.parse(text) as Succession & { readonly pid: number };
    return pid === process.pid ? succession : null;
  } catch {
    return null;
  }
}
