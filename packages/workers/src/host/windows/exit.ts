import type { Exit, SignalName } from '@hsu-master/core';

/**
 * Exit code of whom we end by force. It has the bit that Windows leaves to its customers (ntstatus.h), and so is nobody else’s: an end
 * with it is told as SIGKILL.
 */
export const KILLED = 0xe000_0009;

/** STATUS_CONTROL_C_EXIT: it was sent a console event and had no handler for it. */
const CONTROL_C_EXIT = 0xc000_013a;

/** `asked`: by what it was asked to end before; an end because of that is told as an end by that signal. */
export function exitOfCode(code: number | null, asked: SignalName | null, usage: Exit['usage']): Exit {
  if (code === KILLED) return { code: null, signal: 'SIGKILL', coreDumped: false, usage };
  if (code === CONTROL_C_EXIT && asked !== null)
    return { code: null, signal: asked, coreDumped: false, usage };
  return { code, signal: null, coreDumped: false, usage };
}
