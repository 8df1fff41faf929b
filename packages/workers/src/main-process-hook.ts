import { readFileSync } from 'node:fs';
import type { MainProcessSpec, Milliseconds, ProcessIdentity, RunContext, RunHook } from '@hsu-master/core';

/** How often the pid file is looked at while it is awaited. */
const LOOK_EVERY: Milliseconds = 50;

/**
 * For programs that put themselves in the background: waits for the pid file and accepts the process it names only if that
 * process belongs to the run’s own tree, so that a stale file names nobody.
 */
export function mainProcessHook(): RunHook {
  return {
    name: 'main-process',
    begin(context) {
      const { mainProcess } = context.spec;
      return mainProcess === null ? () => {} : lookFor(mainProcess, context);
    },
  };
}

function lookFor(mainProcess: MainProcessSpec, context: RunContext): () => void {
  const { clock } = context;
  const givesUpAt = clock.now() + mainProcess.timeout;
  let seen = 'it was not there';
  let cancel = clock.after(0, look);
  function look(): void {
    const found = readMain(mainProcess.pidFile, context);
    if (typeof found !== 'string') {
      context.tell({ kind: 'main-process-found', process: found });
      return;
    }
    seen = found;
    if (clock.now() < givesUpAt) {
      cancel = clock.after(LOOK_EVERY, look);
      return;
    }
    const reason = `pid file ${mainProcess.pidFile} named no process of its own within its timeout: ${seen}`;
    context.tell({ kind: 'main-process-missing', reason });
  }
  return () => cancel();
}

/** The process that the file names, or what is wrong with it. */
function readMain(pidFile: string, context: RunContext): ProcessIdentity | string {
  let text: string;
  try {
    text = readFileSync(pidFile, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it was not there' : String(error);
  }
  const pid = /^\s*(\d{1,10})\s*$/.exec(text)?.[1];
  if (pid === undefined) return `it holds ${JSON.stringify(text.slice(0, 40))}, which is no pid`;
  const member = context.members().find((process) => process.pid === Number(pid));
  return member ?? `pid ${pid} is not of this worker’s tree`;
}
