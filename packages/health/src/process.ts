import { type Answer, type CheckContext, failed, passed } from './answer.ts';

/** Passes while the worker’s main process is alive. */
export function checkProcess(context: CheckContext): Answer {
  const { pid } = context.process;
  return context.host.isAlive(context.process)
    ? passed(`process ${pid} is alive`)
    : failed(`process ${pid} is gone`);
}
